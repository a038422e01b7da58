"""Documents: whole, locked, and never replaced when they are damaged."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe.errors import StorageError
from letsbe.storage import documents
from letsbe.storage.documents import open_document


def rows(path: Path) -> list[dict[str, object]]:
    with open_document(path) as document:
        return [dict(row) for row in document]


def add(path: Path, **row: object) -> None:
    with open_document(path) as document:
        document.insert(row)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    add(tmp_path / "a.json", name="ä")
    assert rows(tmp_path / "a.json") == [{"name": "ä"}]


def test_reading_creates_no_document(tmp_path: Path) -> None:
    assert rows(tmp_path / "a.json") == []
    assert not (tmp_path / "a.json").exists()


def test_it_is_text_for_people_that_only_the_owner_may_open(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    add(path, name="x")
    assert path.read_text().count("\n") > 3
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_opening_that_raises_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    add(path, name="x")
    before = path.read_bytes()

    def fail() -> None:
        with open_document(path) as document:
            document.truncate()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert path.read_bytes() == before
    assert rows(path) == [{"name": "x"}]


def test_several_changes_are_one_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    replaced: list[Path] = []
    original = Path.replace

    def counted(self: Path, target: Path) -> Path:
        replaced.append(target)
        return original(self, target)

    monkeypatch.setattr(Path, "replace", counted)
    with open_document(path) as document:
        document.insert({"a": 1})
        document.truncate()
        document.insert({"a": 2})
        assert len(document) == 1
    assert replaced == [path]
    assert rows(path) == [{"a": 2}]


@given(cut=st.integers(min_value=0, max_value=200))
def test_a_half_written_file_is_reported_and_kept(
    tmp_path_factory: pytest.TempPathFactory, cut: int
) -> None:
    path = tmp_path_factory.mktemp("cut") / "a.json"
    add(path, name="x" * 150)
    whole = path.read_bytes()
    part = whole[: min(cut, len(whole) - 3)]
    path.write_bytes(part)
    with pytest.raises(StorageError, match="is damaged") as caught:
        rows(path)
    assert str(path) in str(caught.value)
    with pytest.raises(StorageError):
        add(path, name="y")
    assert path.read_bytes() == part


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b"null",
        b'"text"',
        b'{"t": []}',
        b'{"t": {"1": []}}',
        b'{"t": {"one": {}}}',
        b'{"t": {"1": {}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_another_form_is_reported_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(StorageError, match="is damaged"):
        rows(path)
    assert path.read_bytes() == content


def test_a_write_that_fails_leaves_the_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    add(path, name="x")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(StorageError, match="cannot be written") as caught:
            add(path, name="y")
    assert "No space" not in str(caught.value)
    assert rows(path) == [{"name": "x"}]


def test_a_link_in_the_temporary_files_place_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("keep")
    (tmp_path / ".a.json.unfinished").symlink_to(target)
    with pytest.raises(StorageError):
        add(tmp_path / "a.json", name="x")
    assert target.read_text() == "keep"


def test_a_document_held_by_another_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(documents, "LOCK_SECONDS", 0.05)
    path = tmp_path / "a.json"
    with (
        open_document(path),
        pytest.raises(StorageError, match="held by another process"),
        open_document(path),
    ):
        pass


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="folder does not exist"):
        rows(tmp_path / "nowhere" / "a.json")
    assert list(tmp_path.iterdir()) == []


ADD_MANY = """
import sys
from pathlib import Path
from letsbe.storage.documents import open_document
for n in range(20):
    with open_document(Path(sys.argv[1])) as document:
        document.insert({"who": sys.argv[2], "n": n})
"""


def test_processes_lose_none_of_each_others_changes(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    processes = [
        subprocess.Popen([sys.executable, "-c", ADD_MANY, str(path), str(n)])
        for n in range(3)
    ]
    assert [process.wait(60) for process in processes] == [0] * 3
    assert len(rows(path)) == 60
    json.loads(path.read_text())
