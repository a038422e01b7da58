"""What every test here shares."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
