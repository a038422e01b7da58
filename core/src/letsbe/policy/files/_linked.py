"""Second names of files: which files in a folder have names elsewhere."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterable

from letsbe.policy.files._walk import Identity, identity

MOST = 200_000
"""The most entries that are looked at."""


def linked_files(paths: Iterable[str]) -> frozenset[Identity] | None:
    """Find the files with more than one name, in folders and all below them.

    Args:
        paths: Files and folders; what is not there has none.

    Returns:
        What they are recognised by; ``None`` if there is too much to look at.
    """
    found: set[Identity] = set()
    waiting, seen = list(paths), 0
    while waiting:
        path = waiting.pop()
        with contextlib.suppress(OSError):
            status = os.lstat(path)
            if stat.S_ISDIR(status.st_mode):
                with os.scandir(path) as entries:
                    waiting += [entry.path for entry in entries]
            elif stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
                found.add(identity(status))
        seen += 1
        if seen > MOST:
            return None
    return frozenset(found)
