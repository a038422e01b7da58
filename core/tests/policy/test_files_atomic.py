"""Writes are whole or not at all, and keep what a file had."""

import os
import stat
from pathlib import Path

import pytest

from letsbe.errors import PathRefused, ToolFailed
from letsbe.policy.files import Confinement, append_file, write_file
from letsbe.policy.files import _atomic as atomic


def write(root: Path, path: str, data: bytes, *, exclusive: bool = False) -> bool:
    with Confinement((root,)).find(path) as place:
        return write_file(place, data, exclusive=exclusive).created


def leftovers(folder: Path) -> list[str]:
    return [path.name for path in folder.glob(".letsbe-*")]


def test_new_and_replaced(tmp_path: Path) -> None:
    assert write(tmp_path, "f", b"one")
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o644
    assert not write(tmp_path, "f", b"two")
    assert (tmp_path / "f").read_bytes() == b"two"
    assert leftovers(tmp_path) == []


def test_mode_is_kept_without_rights_that_were_earned(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("x")
    path.chmod(0o640)
    write(tmp_path, "f", b"y")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    path.chmod(0o4755)
    write(tmp_path, "f", b"z")
    assert stat.S_IMODE(path.stat().st_mode) == 0o755


@pytest.mark.may_skip("only root may give files away")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_owner_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("x")
    os.chown(path, 1234, 2345)
    write(tmp_path, "f", b"y")
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 2345)


def test_extended_attributes_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("x")
    try:
        os.setxattr(path, "user.note", b"kept")
    except OSError:
        return  # this file system has none to keep
    write(tmp_path, "f", b"y")
    assert os.getxattr(path, "user.note") == b"kept"


def test_exclusive_replaces_nothing(tmp_path: Path) -> None:
    assert write(tmp_path, "f", b"one", exclusive=True)
    with pytest.raises(ToolFailed, match="exists already"):
        write(tmp_path, "f", b"two", exclusive=True)
    assert (tmp_path / "f").read_bytes() == b"one"


def test_exclusive_replaces_nothing_that_came_in_between(tmp_path: Path) -> None:
    with Confinement((tmp_path,)).find("f") as place:
        real = atomic._write_all
        original = atomic._take_name

        def late(*args: object, **options: object) -> None:
            (tmp_path / "f").write_text("theirs")
            original(*args, **options)  # type: ignore[arg-type]  # passed through

        atomic._take_name = late
        try:
            with pytest.raises(ToolFailed, match="exists already"):
                write_file(place, b"ours", exclusive=True)
        finally:
            atomic._take_name, atomic._write_all = original, real
    assert (tmp_path / "f").read_text() == "theirs"
    assert leftovers(tmp_path) == []


def test_a_link_is_written_through_to_its_file(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    write(tmp_path, "link", b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"new"


def test_another_name_of_the_file_keeps_the_old_content(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "f").write_text("old")
    os.link(root / "f", tmp_path / "outside")
    write(root, "f", b"new")
    assert (tmp_path / "outside").read_text() == "old"


@pytest.mark.parametrize("path", [".", "folder"])
def test_a_folder_is_not_written(tmp_path: Path, path: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(ToolFailed, match="is a folder"):
        write(tmp_path, path, b"x")


def test_a_fifo_is_not_written(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(PathRefused, match="regular"):
        write(tmp_path, "fifo", b"x")
    with Confinement((tmp_path,)).find("fifo") as place, pytest.raises(PathRefused):
        append_file(place, b"x")


def test_a_failed_write_leaves_the_old_content_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "f").write_text("old")

    def full(file: int, data: bytes) -> None:
        os.write(file, data[:1])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic, "_write_all", full)
    with pytest.raises(ToolFailed, match="no space"):
        write(tmp_path, "f", b"new")
    with (
        Confinement((tmp_path,)).find("f") as place,
        pytest.raises(ToolFailed, match="no space"),
    ):
        append_file(place, b"new")
    assert (tmp_path / "f").read_text() == "old"
    assert leftovers(tmp_path) == []


def test_append(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("one ")
    with Confinement((tmp_path,)).find("f") as place:
        assert append_file(place, b"two").size == 7
    assert (tmp_path / "f").read_text() == "one two"


def test_append_needs_a_file(tmp_path: Path) -> None:
    with (
        Confinement((tmp_path,)).find("f") as place,
        pytest.raises(ToolFailed, match="does not exist"),
    ):
        append_file(place, b"x")
