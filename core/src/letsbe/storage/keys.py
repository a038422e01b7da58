"""Key files: 32 random bytes each, which only their owner may read."""

from __future__ import annotations

import os
import secrets
import stat
from pathlib import Path

from letsbe.errors import ConfigurationError
from letsbe.storage.modes import too_open

KEY_BYTES = 32
"""The length of every key."""


def create_key(path: Path) -> bytes:
    """Make a new key.

    The file appears complete or not at all, and replaces nothing.

    Args:
        path: Where to put it; its folder exists.

    Returns:
        The key.

    Raises:
        ConfigurationError: There is something already, or it cannot be written.
    """
    key = secrets.token_bytes(KEY_BYTES)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        _write(unfinished, key.hex().encode() + b"\n")
        try:
            # Unlike a rename, a link never takes the place of another key.
            os.link(unfinished, path)
        finally:
            unfinished.unlink()
        flush_folder(path.parent)
    except FileExistsError:
        message = (
            f"{path} exists already and is kept: what it protects is lost without it"
        )
        raise ConfigurationError(message) from None
    except OSError:
        message = f"{path} cannot be written: check its folder"
        raise ConfigurationError(message) from None
    return key


def load_key(
    path: Path, *, owner: int | None = None, group: int | None = None
) -> bytes:
    """Read a key.

    Args:
        path: The key file.
        owner: The account that must own it; if left out, ours.
        group: The group whose members may read it as well; none if left out.

    Returns:
        32 bytes.

    Raises:
        ConfigurationError: The file is missing, someone else's, open to others, or
            holds no key.
    """
    text = _read(path, os.geteuid() if owner is None else owner, group)
    try:
        key = bytes.fromhex(text.decode("ascii").strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        message = (
            f"{path} holds no key of {KEY_BYTES} bytes in hexadecimal: restore it from "
            "a backup"
        )
        raise ConfigurationError(message)
    return key


def _read(path: Path, owner: int, group: int | None) -> bytes:
    try:
        # Not blocking, so that a pipe in the file's place does not hang the start.
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        message = f"{path} does not exist: run `letsbe init`, or restore it"
        raise ConfigurationError(message) from None
    except OSError:
        message = f"{path} cannot be opened: check who may read it"
        raise ConfigurationError(message) from None
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            message = f"{path} is not a regular file: restore it from a backup"
            raise ConfigurationError(message)
        if status.st_uid != owner:
            message = f"{path} belongs to another user: run `chown {owner} {path}`"
            raise ConfigurationError(message)
        if too_open(status, group, 0o640):
            mode = 600 if group is None else 640
            message = f"{path} is open to others: run `chmod {mode} {path}`"
            raise ConfigurationError(message)
        return file.read(1024)


def _write(path: Path, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Make sure that what was created or renamed in a folder outlives a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
