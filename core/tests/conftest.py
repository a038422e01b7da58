"""What every test of the core shares."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
