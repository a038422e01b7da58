"""Counting what is below a path: within limits, never through a link."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from letsbe.policy.files import measure


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "a" / "b").mkdir(parents=True)
    (root / "one").write_text("12345")
    (root / "a" / "two").write_text("123")
    (root / "a" / "b" / ".three").write_text("1")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "big").write_text("x" * 1000)
    (root / "link").symlink_to(outside)
    (root / "a" / "loop").symlink_to(root)
    os.mkfifo(root / "pipe")
    return root


def test_files_folders_and_bytes_are_counted_without_links(tree: Path) -> None:
    found = measure([str(tree)], recursive=True)
    assert (found.files, found.folders, found.others) == (3, 3, 3)
    assert (found.bytes, found.stopped) == (9, None)
    assert found.text() == "3 files, 3 folders, 3 links and the like, 9 bytes"


def test_a_link_is_itself_and_a_folder_alone_is_one(tree: Path) -> None:
    assert measure([str(tree / "link")], recursive=True).others == 1
    assert measure([str(tree)], recursive=False).folders == 1


def test_what_is_not_there_is_said(tree: Path) -> None:
    found = measure([str(tree / "no"), str(tree / "one"), "a\0b"], recursive=True)
    assert (found.missing, found.files) == (2, 1)
    assert measure([], recursive=True).text() == "nothing"


def test_counting_stops_and_says_so(tree: Path) -> None:
    few = measure([str(tree)], recursive=True, entries=4)
    assert few.files + few.folders + few.others == 4
    assert "after 4 entries" in str(few.stopped)
    assert few.text().startswith("at least ")
    late = measure([str(tree)], recursive=True, seconds=-1.0)
    assert "seconds" in str(late.stopped)


def test_only_what_counts_is_counted(tree: Path) -> None:
    found = measure(
        [str(tree)], recursive=True, counts=lambda path, depth, _: depth == 2
    )
    assert (found.files, found.folders, found.others) == (1, 1, 1)
