"""Key files: complete, private, and never overwritten."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from letsbe.errors import ConfigurationError
from letsbe.storage.keys import create_key, load_key


def test_a_key_is_read_back(tmp_path: Path) -> None:
    key = create_key(tmp_path / "a.key")
    assert len(key) == 32
    assert load_key(tmp_path / "a.key") == key


def test_keys_differ(tmp_path: Path) -> None:
    assert create_key(tmp_path / "a.key") != create_key(tmp_path / "b.key")


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_only_the_owner_may_read_it_whatever_the_umask(
    tmp_path: Path, mask: int
) -> None:
    before = os.umask(mask)
    try:
        create_key(tmp_path / "a.key")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.key").stat().st_mode) == 0o600


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    key = create_key(tmp_path / "a.key")
    with pytest.raises(ConfigurationError, match="exists already"):
        create_key(tmp_path / "a.key")
    assert load_key(tmp_path / "a.key") == key
    assert [file.name for file in tmp_path.iterdir()] == ["a.key"]


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be written"):
        create_key(tmp_path / "nowhere" / "a.key")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660, 0o644, 0o610])
def test_a_key_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "a.key"
    create_key(path)
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match=f"chmod 600 {path}"):
        load_key(path)


def test_a_key_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_key(tmp_path / "a.key")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(ConfigurationError, match="another user"):
        load_key(tmp_path / "a.key")


@pytest.mark.parametrize(
    "content", ["", "\n", "ab", "zz" * 32, "ab" * 31, "ab" * 33, "ä" * 32, "ab " * 900]
)
def test_what_is_no_key_is_refused_and_not_shown(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.key"
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(ConfigurationError, match="holds no key") as caught:
        load_key(path)
    assert not content.strip() or content.strip() not in str(caught.value)


def test_a_missing_key_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="letsbe init"):
        load_key(tmp_path / "a.key")


def test_a_pipe_in_its_place_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.key", 0o600)
    with pytest.raises(ConfigurationError, match="not a regular file"):
        load_key(tmp_path / "a.key")
