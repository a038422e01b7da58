"""What a run leaves behind when it is ended: found wherever it went, and ended too.

Ending a process group does not reach what has left it by ``setsid``. Everything that a
run starts inherits a mark in its environment, which stays readable whatever becomes of
its parents; what has cleared its environment is found as long as its ancestors live.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import time
from collections.abc import Iterable
from pathlib import Path

MARK = "LETSBE_RUN"
"""The variable that every program of a run has."""
_SECONDS = 2.0
"""How long a run that starts ever new processes is followed."""


class Leftovers:
    """The processes of one run, beyond its groups."""

    def __init__(self) -> None:
        self.mark = secrets.token_hex(16)
        """The value of :data:`MARK` for this run's programs."""
        self._sign = f"{MARK}={self.mark}\0".encode()
        self._seen: dict[int, int] = {}

    def note(self, roots: Iterable[int]) -> None:
        """Remember all that descends from processes, before they are ended.

        Args:
            roots: Processes that have not been reaped.
        """
        waiting = list(roots)
        while waiting:
            for child in _children(waiting.pop()):
                if child not in self._seen:
                    with contextlib.suppress(OSError):
                        self._seen[child] = os.pidfd_open(child)
                    waiting.append(child)

    def end(self) -> None:
        """Kill what was noted, and whatever has the mark, until there is no more."""
        for descriptor in self._seen.values():
            _kill(descriptor)
            os.close(descriptor)
        self._seen.clear()
        until = time.monotonic() + _SECONDS
        while self._kill_marked() and time.monotonic() < until:
            time.sleep(0.005)

    def _kill_marked(self) -> bool:
        found = False
        for entry in os.scandir("/proc"):
            if entry.name.isdecimal() and self._has_mark(entry.path):
                found |= self._kill(int(entry.name))
        return found

    def _kill(self, number: int) -> bool:
        try:
            descriptor = os.pidfd_open(number)
        except OSError:
            return False
        try:
            # Looked at again: until it was open, the number could become another's.
            return self._has_mark(f"/proc/{number}") and _kill(descriptor)
        finally:
            os.close(descriptor)

    def _has_mark(self, folder: str) -> bool:
        try:
            environment = Path(folder, "environ").read_bytes()
        except OSError:
            return False
        return self._sign in environment


def _kill(descriptor: int) -> bool:
    try:
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    except OSError:
        return False
    return True


def _children(process: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{process}/task"):  # noqa: PTH208 -- names are all that is needed
            path = Path(f"/proc/{process}/task/{thread}/children")
            found += map(int, path.read_bytes().split())
    return found
