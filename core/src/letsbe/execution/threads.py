"""Waiting for programs without blocking the event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import anyio

from letsbe.errors import DeadlineExceeded, LetsBeError
from letsbe.execution.captures import MARGIN
from letsbe.execution.running import Run
from letsbe.policy.sandbox import Sandbox

THREADS = 64
"""The most runs at work at once; the core's own limit is lower."""


class ProgramThreads:
    """Runs of one executor, each in a thread of its own.

    Args:
        output_limit: The most bytes that a call may return; error output gets a
            quarter of it.
        sandbox: What holds each program to its access; ``None`` if nothing does.
    """

    def __init__(self, output_limit: int, sandbox: Sandbox | None = None) -> None:
        self._limit = output_limit
        self._sandbox = sandbox
        self._threads = ThreadPoolExecutor(THREADS, "letsbe-programs")

    async def work(
        self,
        task: Callable[[Run], LetsBeError | None],
        *,
        deadline: float,
        seconds: float | None = None,
    ) -> Run:
        """Do a task whose programs all run in one :class:`Run`.

        When the caller is cancelled, the run is ended first: nothing is left behind.

        Args:
            task: Starts programs and waits for them; returns what went wrong.
            deadline: Seconds until the call has to be over.
            seconds: The seconds that the caller asked for, if it did.

        Returns:
            The run, ended; its ``ended`` says whether time was up.

        Raises:
            DeadlineExceeded: The call's deadline, not the caller's, ended it.
            LetsBeError: What the task returned.
        """
        limit, last = self._limit, deadline if seconds is None else seconds
        end = time.monotonic() + min(last, deadline)
        run = Run(limit * 3 // 4 + MARGIN, limit // 4 + MARGIN, end, self._sandbox)
        try:
            failure = await _outcome(self._threads.submit(task, run), run)
        finally:
            run.close()
        if failure:
            raise failure
        if run.ended and (seconds is None or seconds > deadline):
            raise DeadlineExceeded("the command was ended at the call's deadline")
        return run


async def _outcome(work: Future[LetsBeError | None], run: Run) -> LetsBeError | None:
    """Wait for a thread; when cancelled, until it has ended all that it started."""
    try:
        return await asyncio.wrap_future(work)
    except asyncio.CancelledError:
        run.end()
        # Cancelled before its turn, it never starts.
        if not work.cancelled():
            with anyio.CancelScope(shield=True):
                await asyncio.wrap_future(work)
        raise
