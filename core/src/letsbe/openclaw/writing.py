"""Writes files into OpenClaw's state, which belongs to a less trusted account.

The command may run as root while that account can put links in its own folder, so
every path is walked by descriptor and ends inside the state, or nothing is written.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from letsbe.errors import ConfigurationError, LetsBeError
from letsbe.policy.files import Confinement, write_file

FILE_MODE, FOLDER_MODE = 0o600, 0o700


@dataclass(frozen=True, slots=True)
class Owner:
    """The account whose state it is."""

    user: int
    group: int


def private_state(state: Path) -> Owner:
    """Make the state folder if it is missing, close it to others, and say whose it is.

    Raises:
        ConfigurationError: It is no folder, or cannot be made or closed.
    """
    try:
        state.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        descriptor = os.open(state, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            os.fchmod(descriptor, FOLDER_MODE)
            found = os.fstat(descriptor)
        finally:
            os.close(descriptor)
    except OSError:
        message = f"{state} is not a folder that this account may use"
        raise ConfigurationError(message) from None
    return Owner(found.st_uid, found.st_gid)


def read_private(state: Path, path: Path) -> str | None:
    """Read a file of the state, if it is there.

    Raises:
        ConfigurationError: It is something else than a file of UTF-8 text inside it.
    """
    if not state.is_dir():
        return None
    try:
        with Confinement((state,)).find(str(path)) as place:
            if place.status is None:
                return None
            with os.fdopen(place.open_file(), "rb") as file:
                return file.read().decode("utf-8")
    except (LetsBeError, OSError, UnicodeDecodeError):
        message = f"{path} is not a file of text that can be read"
        raise ConfigurationError(message) from None


def write_private(state: Path, path: Path, text: str, owner: Owner) -> None:
    """Put a file of the state in place in one step, readable by its owner alone.

    Raises:
        ConfigurationError: It, or a folder on the way, is not what it should be.
    """
    confinement = Confinement((state,))
    try:
        with confinement.find(str(path)) as place:
            place.make_folders()
            write_file(place, text.encode("utf-8"), mode=FILE_MODE)
        with confinement.find(str(path)) as place:
            _give(place.open_file(), owner, FILE_MODE)
        for folder in _folders(state, path):
            with confinement.find(str(folder)) as place:
                _give(place.open_folder(), owner, FOLDER_MODE)
    except (LetsBeError, OSError) as error:
        reason = error.message if isinstance(error, LetsBeError) else "cannot be used"
        message = f"{path} was not written: {reason}"
        raise ConfigurationError(message) from None


def is_private(state: Path, path: Path) -> bool:
    """Whether a file is closed to other accounts."""
    try:
        with Confinement((state,)).find(str(path)) as place:
            return place.status is None or not place.status.st_mode & 0o077
    except LetsBeError:
        return False


def _folders(state: Path, path: Path) -> list[Path]:
    return [parent for parent in path.parents if parent.is_relative_to(state)][:-1]


def _give(descriptor: int, owner: Owner, mode: int) -> None:
    try:
        now = os.fstat(descriptor)
        if (now.st_uid, now.st_gid) != (owner.user, owner.group):
            os.fchown(descriptor, owner.user, owner.group)
        os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)
