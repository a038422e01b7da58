"""Listing folders, and describing what is in them."""

from __future__ import annotations

import contextlib
import datetime as dt
import grp
import os
import pwd
import stat
from collections.abc import Callable, Generator
from itertools import islice
from typing import Any

from letsbe.plugin import Confinement, Place
from letsbe_executor_file.arguments import ListArguments

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_MOST_NAMES = 100_000
"""More names than this in one folder are not sorted: they are cut."""

_Entries = Generator[dict[str, Any], None, None]

_KINDS = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "folder",
    stat.S_IFLNK: "link",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
    stat.S_IFBLK: "device",
    stat.S_IFCHR: "device",
}


def list_folder(
    place: Place, arguments: ListArguments, confinement: Confinement
) -> dict[str, Any]:
    """List a folder, its own entries and those of folders below it.

    Args:
        place: The folder.
        arguments: How deep, and how much.
        confinement: Says what is closed to agents; that is left out.

    Returns:
        The real ``path``, ``entries`` in the order of their paths, each with its
        ``path`` below the folder, ``type``, ``size`` and ``modified``, and whether
        the list is ``truncated``. A link is shown with its ``target`` and not
        followed.
    """
    folder = place.open_folder()
    listing = _Listing(arguments.depth, confinement.closed())
    found = listing.walk(folder, place.path, "", 1)
    entries = list(islice(found, arguments.limit + 1))
    found.close()  # gives the descriptors back
    return {
        "path": place.path,
        "entries": entries[: arguments.limit],
        "truncated": listing.cut or len(entries) > arguments.limit,
    }


class _Listing:
    def __init__(
        self, depth: int, is_closed: Callable[[os.stat_result, str], bool]
    ) -> None:
        self._depth = depth
        self._is_closed = is_closed
        self.cut = False

    def walk(self, folder: int, path: str, below: str, level: int) -> _Entries:
        """Yield the entries of a folder that is open; closes it."""
        try:
            for name in self._names(folder):
                try:
                    status = os.stat(name, dir_fd=folder, follow_symlinks=False)
                except OSError:
                    continue  # gone since the names were read
                whole = f"{path.rstrip('/')}/{name}"
                if self._is_closed(status, whole):
                    continue
                yield _entry(folder, name, below + name, status)
                if stat.S_ISDIR(status.st_mode) and level < self._depth:
                    yield from self._into(folder, name, whole, below, level)
        finally:
            os.close(folder)

    def _into(
        self, folder: int, name: str, whole: str, below: str, level: int
    ) -> _Entries:
        with contextlib.suppress(OSError):  # closed to this account, or gone
            child = os.open(name, _FOLDER, dir_fd=folder)
            if self._is_closed(os.fstat(child), whole):
                os.close(child)
                return
            yield from self.walk(child, whole, f"{below}{name}/", level + 1)

    def _names(self, folder: int) -> list[str]:
        with os.scandir(folder) as found:
            names = [entry.name for entry in islice(found, _MOST_NAMES + 1)]
        if len(names) > _MOST_NAMES:
            self.cut = True
            names.pop()
        return sorted(names)


def describe(place: Place) -> dict[str, Any]:
    """Describe what is at a place.

    Returns:
        The real ``path`` and whether it ``exists``; if so its ``type``, ``size``,
        ``modified``, ``mode`` (octal), ``owner``, ``group`` and number of ``links``.
    """
    status = place.status
    if status is None:
        return {"path": place.path, "exists": False}
    return {
        "path": place.path,
        "exists": True,
        **_facts(status),
        "mode": f"{stat.S_IMODE(status.st_mode):04o}",
        "owner": _owner(status.st_uid),
        "group": _group(status.st_gid),
        "links": status.st_nlink,
    }


def _entry(folder: int, name: str, path: str, status: os.stat_result) -> dict[str, Any]:
    entry = {"path": _shown(path), **_facts(status)}
    if stat.S_ISLNK(status.st_mode):
        with contextlib.suppress(OSError):
            entry["target"] = _shown(os.readlink(name, dir_fd=folder))
    return entry


def _facts(status: os.stat_result) -> dict[str, Any]:
    moment = dt.datetime.fromtimestamp(status.st_mtime, dt.UTC)
    return {
        "type": _KINDS.get(stat.S_IFMT(status.st_mode), "other"),
        "size": status.st_size,
        "modified": moment.isoformat(timespec="seconds").replace("+00:00", "Z"),
    }


def _shown(name: str) -> str:
    """Return a name as text: bytes that are not UTF-8 as ``\\xNN``."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _owner(number: int) -> str:
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


def _group(number: int) -> str:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return str(number)
