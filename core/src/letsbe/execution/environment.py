"""What every program gets of the machine, and where programs are found."""

from __future__ import annotations

import os
import pwd

from letsbe.policy.rules import PROGRAM_FOLDERS


def clean_environment() -> dict[str, str]:
    """Return the variables that every program gets, and the only ones of ours."""
    try:
        user = pwd.getpwuid(os.geteuid())
        name, home = user.pw_name, user.pw_dir
    except KeyError:
        name, home = str(os.geteuid()), "/nonexistent"
    zone = os.environ.get("TZ")
    return {
        "PATH": ":".join(PROGRAM_FOLDERS),
        "HOME": home,
        "USER": name,
        "LOGNAME": name,
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        **({"TZ": zone} if zone else {}),
    }


def find_program(name: str) -> str | None:
    """Return a program's absolute path from the fixed folders.

    Args:
        name: The program's name, or a path, which is returned if it can be run.
    """
    if "/" in name:
        return name if os.access(name, os.X_OK) else None
    for folder in PROGRAM_FOLDERS:
        path = f"{folder}/{name}"
        if os.access(path, os.X_OK):
            return path
    return None
