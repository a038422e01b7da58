"""A .env file on disk: read whole, replaced whole, changed by one at a time."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator

from letsbe.plugin import Place, ToolFailed

MOST_BYTES = 1024 * 1024
"""A .env file is small; a larger file is something else."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_PAUSE = 0.005


def read_text(place: Place) -> str:
    """Read a file's text.

    Raises:
        PathRefused: It is no regular file.
        ToolFailed: It does not exist, is too large or is not UTF-8.
    """
    with os.fdopen(place.open_file(), "rb") as stream:
        data = stream.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        message = f"{place.path} is over {MOST_BYTES} bytes, so it is no .env file"
        raise ToolFailed(message)
    try:
        return data.decode()
    except UnicodeDecodeError:
        message = f"{place.path} is not UTF-8 text, so it is no .env file"
        raise ToolFailed(message) from None


@contextlib.contextmanager
def locked(place: Place, seconds: float) -> Iterator[None]:
    """Keep other updates in the same folder waiting.

    The folder is locked and not the file: a file that is replaced takes its lock with
    it. The kernel lets the lock go when this process ends, however it ends.

    Args:
        place: The file.
        seconds: How long to wait for whoever has the lock.

    Raises:
        ToolFailed: The time is over.
    """
    end = time.monotonic() + seconds
    folder = os.open(".", _FOLDER, dir_fd=place.folder)
    try:
        while True:
            try:
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= end:
                    message = f"{place.path} is being updated by others: try again"
                    raise ToolFailed(message) from None
                time.sleep(_PAUSE)
        yield
    finally:
        os.close(folder)
