"""Who may open a file: its owner, and one group at most."""

from __future__ import annotations

import os
import stat


def too_open(status: os.stat_result, group: int | None, most: int) -> bool:
    """Say whether a file or folder is open to more accounts than it should be.

    Args:
        status: Its state.
        group: The group that it is shared with; none if it is its owner's alone.
        most: The widest mode that it may have when it is shared.
    """
    shared = group is not None and status.st_gid == group
    allowed = most | 0o700 if shared else 0o700
    return bool(stat.S_IMODE(status.st_mode) & 0o777 & ~allowed)


def sharing_group(folder: os.stat_result) -> int | None:
    """Return the group that a folder is shared with; None if there is none."""
    return folder.st_gid if folder.st_mode & stat.S_IRWXG else None
