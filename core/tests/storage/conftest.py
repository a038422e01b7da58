"""A database and an audit log in a folder of the test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from letsbe.storage.audit import AuditLog
from letsbe.storage.database import Database

KEY = bytes(range(32))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database(tmp_path / "letsbe.db") as opened:
        yield opened


@pytest.fixture
def log(database: Database) -> AuditLog:
    return AuditLog(database, KEY)
