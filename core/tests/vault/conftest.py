"""A vault in a folder of the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from letsbe.storage.database import Database
from letsbe.vault.vault import Vault

KEY = bytes(range(32))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database(tmp_path / "letsbe.db") as opened:
        yield opened


@pytest.fixture
def vault(database: Database) -> Vault:
    return Vault(database, KEY)
