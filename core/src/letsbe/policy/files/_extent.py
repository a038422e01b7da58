"""How much is below a path, counted within limits and without following links."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

COUNTING_SECONDS = 0.5
"""How long counting may take; a person waits for the approval to appear."""
COUNTING_ENTRIES = 100_000
"""How many entries are looked at."""

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

Test = Callable[[str, int, os.stat_result], bool]
"""Whether an entry counts: its path, how deep it is, its status."""


@dataclass(slots=True)
class Extent:
    """What was counted.

    Args:
        files: Regular files.
        folders: Folders.
        others: Links, sockets and the like; links are counted, not followed.
        bytes: The size of the regular files together.
        missing: Paths at which nothing is.
        unread: Folders that could not be read.
        stopped: Why counting ended early, if it did: there is more than was counted.
    """

    files: int = 0
    folders: int = 0
    others: int = 0
    bytes: int = 0
    missing: int = 0
    unread: int = 0
    stopped: str | None = None

    def text(self) -> str:
        """Say the numbers in words."""
        parts = [_many(self.files, "file"), _many(self.folders, "folder")]
        parts += [_many(self.others, "link or the like", "links and the like")]
        shown = ", ".join(part for part in parts if part) or "nothing"
        if self.files:
            shown += f", {self.bytes:,} bytes"
        return f"at least {shown}" if self.stopped else shown


def measure(
    paths: Iterable[str],
    *,
    recursive: bool,
    counts: Test | None = None,
    seconds: float = COUNTING_SECONDS,
    entries: int = COUNTING_ENTRIES,
) -> Extent:
    """Count what is at some paths.

    Args:
        paths: Absolute paths.
        recursive: Whether all below a folder counts too.
        counts: Which entries count; all of them, unless given.
        seconds: When to stop.
        entries: After how many entries to stop.

    Returns:
        The numbers; ``stopped`` says if they are too low.
    """
    extent = Extent()
    ends = time.monotonic() + seconds
    seen = 0
    for path in paths:
        for found, depth, status in _walk(path, extent, recursive=recursive):
            seen += 1
            if seen > entries:
                extent.stopped = f"counting ended after {entries:,} entries"
                return extent
            if time.monotonic() > ends:
                extent.stopped = f"counting ended after {seconds:g} seconds"
                return extent
            if counts is None or counts(found, depth, status):
                _add(extent, status)
    return extent


def _walk(
    start: str, extent: Extent, *, recursive: bool
) -> Iterator[tuple[str, int, os.stat_result]]:
    try:
        status = os.lstat(start)
    except (OSError, ValueError):
        extent.missing += 1
        return
    yield start, 0, status
    waiting = [(start, 1)] if recursive and stat.S_ISDIR(status.st_mode) else []
    while waiting:
        folder, depth = waiting.pop()
        for path, status in _entries(folder, extent):
            yield path, depth, status
            if stat.S_ISDIR(status.st_mode):
                waiting.append((path, depth + 1))


def _entries(folder: str, extent: Extent) -> Iterator[tuple[str, os.stat_result]]:
    try:
        descriptor = os.open(folder, _FOLDER)
    except OSError:
        extent.unread += 1
        return
    try:
        with os.scandir(descriptor) as entries:
            for entry in entries:
                try:
                    status = entry.stat(follow_symlinks=False)
                except OSError:
                    continue  # gone since its name was read
                yield f"{folder.rstrip('/')}/{entry.name}", status
    finally:
        os.close(descriptor)


def _add(extent: Extent, status: os.stat_result) -> None:
    if stat.S_ISREG(status.st_mode):
        extent.files += 1
        extent.bytes += status.st_size
    elif stat.S_ISDIR(status.st_mode):
        extent.folders += 1
    else:
        extent.others += 1


def _many(number: int, one: str, several: str | None = None) -> str:
    if not number:
        return ""
    return f"{number:,} {one if number == 1 else several or one + 's'}"
