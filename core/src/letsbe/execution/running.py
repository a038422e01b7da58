"""One command line at work: output captured, the deadline kept, nothing left behind.

All of it happens in the thread that calls :meth:`Run.pipeline`; other threads may only
ask the run to end, which wakes that thread through an event descriptor.
"""

from __future__ import annotations

import os
import selectors
import signal
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from letsbe.execution.processes import Group, Program
from letsbe.policy.sandbox import Sandbox

CHUNK = 65_536
"""Bytes read at once: what a pipe holds on Linux."""
GRACE = 0.2
"""Seconds between SIGTERM and SIGKILL."""
DRAIN = 0.1
"""Seconds that output may still come after the programs themselves have ended."""


@dataclass(slots=True)
class Captured:
    """What a stream gave, up to a limit.

    Args:
        limit: The most bytes kept.
    """

    limit: int
    data: bytearray = field(default_factory=bytearray, repr=False)
    cut: bool = False

    def take(self, data: bytes) -> None:
        """Keep what there is room for, and remember if there was more."""
        room = self.limit - len(self.data)
        self.data += data[:room]
        self.cut |= len(data) > room


class Run:
    """The processes of one command line.

    Args:
        out_limit: The most bytes kept of the output.
        error_limit: The most bytes kept of the error output.
        deadline: The moment of ``time.monotonic`` at which it is ended.
        sandbox: What holds each program to its access; ``None`` if nothing does.
    """

    def __init__(
        self,
        out_limit: int,
        error_limit: int,
        deadline: float,
        sandbox: Sandbox | None = None,
    ) -> None:
        self.stdout = Captured(out_limit)
        self.stderr = Captured(error_limit)
        self.ended = False
        """Whether it was ended before it was done."""
        self.deadline = deadline
        self._sandbox = sandbox
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)

    def end(self) -> None:
        """Ask the run to end; from any thread, any number of times."""
        os.eventfd_write(self._wake, 1)

    def close(self) -> None:
        """Free what it holds, once no thread uses it any more."""
        os.close(self._wake)

    def pipeline(self, programs: Sequence[Program], cwd: str) -> list[int]:
        """Run programs connected by pipes until all have ended.

        Args:
            programs: At least one.
            cwd: The folder they start in.

        Returns:
            Their exit codes.

        Raises:
            NotStarted: One could not be started; the others have been ended.
        """
        with ExitStack() as stack:
            readers, writers = zip(*(os.pipe2(os.O_CLOEXEC) for _ in "oe"), strict=True)
            for reader in readers:
                stack.callback(os.close, reader)
            group = Group(writers[0], writers[1], self._sandbox)
            try:
                try:
                    group.start(programs, cwd)
                finally:
                    for writer in writers:
                        os.close(writer)
                _Loop(self, group, readers, self._wake).run()
            finally:
                codes = group.finish(ended=self.ended)
        return codes


class _Loop:
    """Waits for output, exits, the deadline and requests to end."""

    def __init__(
        self, run: Run, group: Group, readers: Sequence[int], wake: int
    ) -> None:
        self._run = run
        self._group = group
        self._until = run.deadline
        self._streams = dict(zip(readers, (run.stdout, run.stderr), strict=True))
        self._running = set(group.descriptors)
        self._signals = [signal.SIGTERM, signal.SIGKILL]
        # A handful of descriptors for one short run: epoll would take a call of the
        # kernel for each of them, and each lets another thread of Python go first.
        self._selector = selectors.PollSelector()
        for descriptor in (*readers, *group.descriptors, wake):
            self._selector.register(descriptor, selectors.EVENT_READ)

    def run(self) -> None:
        """Return when all is done, or when nothing more can be done."""
        with self._selector:
            while self._running or self._streams:
                left = self._until - time.monotonic()
                if left > 0:
                    for key, _ in self._selector.select(left):
                        self._happened(key.fd)
                elif not self._end():
                    return

    def _end(self) -> bool:
        """Take the next step of ending; False if there is none left."""
        if not self._running:
            return False  # only what the programs left behind holds the pipes open
        if not self._signals:
            return False
        self._run.ended = True
        self._group.send(self._signals.pop(0))
        self._until = time.monotonic() + GRACE
        return True

    def _happened(self, descriptor: int) -> None:
        if descriptor in self._streams:
            data = os.read(descriptor, CHUNK)
            if data:
                self._streams[descriptor].take(data)
                return
            del self._streams[descriptor]
        elif descriptor in self._running:
            self._running.discard(descriptor)
            if not self._running:
                self._until = min(self._until, time.monotonic() + DRAIN)
        else:
            self._until = 0.0
        self._selector.unregister(descriptor)
