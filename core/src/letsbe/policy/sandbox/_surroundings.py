"""Everything but the closed places, as a list that can be allowed.

Landlock only ever allows, and what is allowed for a folder holds for all below it. So
"everything but ``/home/agent/.letsbe``" is said by naming what lies in ``/``, in
``/home`` and in ``/home/agent``, without the folders on the way and the closed one.
"""

from __future__ import annotations

import os
import posixpath
import stat
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

_SETTLED = 0.1
"""Seconds after which a folder's time stamp tells two changes apart for certain."""

Stamp = tuple[tuple[int, int, int], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What was found around closed places; equal to no other.

    Args:
        around: The folders that hold a closed place somewhere below, ``/`` among them.
        free: All that lies in those folders and holds no closed place: no links.
        stamp: Changes when something appears in one of those folders, or goes.
        settled: Whether the stamp is old enough to tell every later change.
    """

    around: frozenset[str]
    free: tuple[str, ...]
    stamp: Stamp
    settled: bool

    def within(self, folder: str) -> tuple[str, ...]:
        """Return what is free of a folder: the folder itself, some of it, or nothing.

        Args:
            folder: An absolute, real path.
        """
        below = folder.rstrip("/") + "/"
        if folder in self.around:
            return tuple(path for path in self.free if path.startswith(below))
        if any(below.startswith(f"{path}/") for path in self.free):
            return (folder,)
        return ()


def closed_paths(places: Iterable[str | os.PathLike[str]]) -> frozenset[str]:
    """Return places by all their names: as written, and where links lead."""
    texts = [os.path.abspath(place) for place in places]  # noqa: PTH100 -- also for what is missing
    return frozenset(texts) | {os.path.realpath(text) for text in texts}


def folders_around(closed: Iterable[str]) -> frozenset[str]:
    """Return every folder above closed places, up to ``/``."""
    around = {"/"}
    for path in closed:
        folder = posixpath.dirname(path)
        while folder not in around:
            around.add(folder)
            folder = posixpath.dirname(folder)
    return frozenset(around)


def stamp_of(around: Iterable[str]) -> Stamp:
    """Return what changes when something appears in folders, or goes."""
    stamps = []
    for folder in sorted(around):
        try:
            status = Path(folder).stat()
        except OSError:
            stamps.append((0, 0, 0))
        else:
            stamps.append((status.st_dev, status.st_ino, status.st_mtime_ns))
    return tuple(stamps)


def survey(closed: frozenset[str]) -> Survey:
    """Look at everything around closed places.

    Args:
        closed: Absolute paths; one that does not exist yet is closed all the same.

    Returns:
        What may be allowed.
    """
    around = folders_around(closed)
    stamp = stamp_of(around)
    now = time.time_ns()
    settled = all(now - changed > _SETTLED * 1e9 for _, _, changed in stamp)
    free: list[str] = []
    for folder in sorted(around):
        if any(f"{folder}/".startswith(f"{path}/") for path in closed):
            continue  # a closed place in a closed place
        free.extend(path for path in _entries(folder) if path not in around | closed)
    return Survey(around, tuple(free), stamp, settled)


def kind_of(path: str) -> Literal["folder", "file"] | None:
    """Return what is at a path; ``None`` for a link, for nothing, if out of reach."""
    try:
        mode = Path(path).lstat().st_mode
    except OSError:
        return None
    if stat.S_ISLNK(mode):
        return None
    return "folder" if stat.S_ISDIR(mode) else "file"


def _entries(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.path for entry in entries if not entry.is_symlink())
    except OSError:
        return []  # what cannot be listed cannot be allowed, so it stays closed
