"""Resource limits, set before a program's first instruction.

A limit belongs to a process, so it can be set neither by the thread that starts the
program (it would hold for the whole service) nor in between (the child shares our
memory until it is another program) nor afterwards without a race. So ``prlimit`` of
util-linux, which every Debian has, sets them and becomes the program.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Sequence

from letsbe.policy.sandbox.settings import ResourceLimits

PRLIMIT = "/usr/bin/prlimit"


def limiting_words(limits: ResourceLimits) -> tuple[str, ...] | None:
    """Return the words that start a program within limits.

    Args:
        limits: The limits. One above what the service itself may use is lowered to it.

    Returns:
        The words to put before the program's own path; ``None`` if ``prlimit`` is not
        installed, so that there are no limits.
    """
    if not os.access(PRLIMIT, os.X_OK):
        return None
    wanted = (
        ("--cpu", resource.RLIMIT_CPU, limits.cpu_seconds),
        ("--data", resource.RLIMIT_DATA, limits.memory),
        ("--nproc", resource.RLIMIT_NPROC, limits.processes),
        ("--fsize", resource.RLIMIT_FSIZE, limits.file_size),
        ("--nofile", resource.RLIMIT_NOFILE, limits.open_files),
    )
    flags = [
        f"{flag}={_lowered(most, resource.getrlimit(number))}"
        for flag, number, most in wanted
        if most is not None
    ]
    return (PRLIMIT, "--core=0", *flags) if flags else ()


def _lowered(most: int, current: Sequence[int]) -> int:
    hard = current[1]
    return most if hard == resource.RLIM_INFINITY else min(most, hard)
