"""Resource limits of a program.

A limit belongs to a process, so it can be set neither by the thread that starts the
program (it would hold for the whole service) nor in between (the child shares our
memory until it is another program). So ``prlimit`` of util-linux, which every Debian
has, sets them and becomes the program.

That is one program more to start. A GREEN program, which runs no code of its caller's,
is limited from outside instead, some microseconds after it has begun: what it takes
from then on is limited, so is what it starts, and what it has started already is looked
for and given the same.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Sequence
from contextlib import suppress

from letsbe.policy.sandbox.settings import ResourceLimits

PRLIMIT = "/usr/bin/prlimit"


class Limits:
    """The limits of every program.

    Args:
        settings: The limits. One above what the service itself may use is lowered to
            it.
    """

    def __init__(self, settings: ResourceLimits) -> None:
        wanted = (
            ("--core", resource.RLIMIT_CORE, 0),
            ("--cpu", resource.RLIMIT_CPU, settings.cpu_seconds),
            ("--data", resource.RLIMIT_DATA, settings.memory),
            ("--nproc", resource.RLIMIT_NPROC, settings.processes),
            ("--fsize", resource.RLIMIT_FSIZE, settings.file_size),
            ("--nofile", resource.RLIMIT_NOFILE, settings.open_files),
        )
        self._most = {
            flag: (number, _lowered(most, resource.getrlimit(number)))
            for flag, number, most in wanted
            if most is not None
        }
        self.lacks_words = not os.access(PRLIMIT, os.X_OK)
        """Whether only what is limited from outside has limits."""

    def words(self) -> list[str]:
        """Return the words before a program's own path that start it within limits."""
        if self.lacks_words:
            return []
        return [PRLIMIT, *(f"{flag}={most}" for flag, (_, most) in self._most.items())]

    def apply(self, process: int) -> None:
        """Set the limits of a process that has just started, and of its children.

        Args:
            process: Its number; it has not been reaped.

        Raises:
            OSError: The kernel refused.
        """
        met, waiting = set[int](), [process]
        while waiting:
            number = waiting.pop()
            met.add(number)
            with suppress(ProcessLookupError):
                for limit, most in self._most.values():
                    resource.prlimit(number, limit, (most, most))
            # Only now: what it starts from here on has its limits.
            waiting += [child for child in _children(number) if child not in met]


def _lowered(most: int, current: Sequence[int]) -> int:
    hard = current[1]
    return most if hard == resource.RLIM_INFINITY else min(most, hard)


def _children(process: int) -> list[int]:
    # Not by a Path: it takes four more calls of the kernel, at every start.
    try:
        descriptor = os.open(f"/proc/{process}/task/{process}/children", os.O_RDONLY)
    except OSError:
        return []
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        return [int(number) for number in file.read().split()]
