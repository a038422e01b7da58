"""Many small writes in one transaction: what makes heartbeats and usage cheap.

Each caller waits until its own write is committed. Meanwhile others queue up, and all
of them share the next transaction. What a batch does must be safe to do twice: a
connection that is lost at the very end does not tell whether it was committed.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

import sqlalchemy as sa

from letsbe_hub.errors import LetsBeError, StorageUnavailable

Job = TypeVar("Job")
Answer = TypeVar("Answer")
T = TypeVar("T")


class Run(Protocol):
    """Runs a transaction."""

    def __call__(self, change: Callable[[sa.Connection], T], /) -> T:
        """Run it and return what it returns."""
        ...


BATCH = 512
"""The most writes of one transaction, so that nobody waits for an endless one."""


class GroupCommit(Generic[Job, Answer]):
    """A queue of writes and the thread that works it off.

    Args:
        run: Runs a transaction: :meth:`Store.write`, or :meth:`Store.read` if all that
            is done is to look.
        apply: Makes a batch of writes and returns the answer to each, in order; an
            answer that is an error is raised where the write came from.
        name: The thread's name.
        batch: The most writes of one transaction.
    """

    def __init__(
        self,
        run: Run,
        apply: Callable[[sa.Connection, Sequence[Job]], Sequence[Answer | LetsBeError]],
        name: str,
        batch: int = BATCH,
    ) -> None:
        self._run = run
        self._apply = apply
        self._batch = batch
        self._waiting: list[tuple[Job, asyncio.Future[Answer]]] = []
        self._change = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._started = False

    async def submit(self, job: Job) -> Answer:
        """Queue a write and wait until it is committed.

        Returns:
            Its answer.

        Raises:
            StorageUnavailable: It is not known to be stored: send it again.
            LetsBeError: It was refused.
        """
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        with self._change:
            if self._closed:
                raise StorageUnavailable("the Hub is stopping: try again in a moment")
            if not self._started:
                self._started = True
                self._thread.start()
            self._waiting.append((job, future))
            if len(self._waiting) == 1:
                self._change.notify()
        return await future

    def close(self) -> None:
        """Commit what is queued, then stop. More than once does no harm."""
        with self._change:
            self._closed = True
            self._change.notify()
        if self._started:
            self._thread.join()

    def _work(self) -> None:
        while batch := self._take():
            jobs = [job for job, _ in batch]
            _settle(batch, self._answers(jobs))

    def _take(self) -> list[tuple[Job, asyncio.Future[Answer]]]:
        with self._change:
            while not self._waiting and not self._closed:
                self._change.wait()
            taken = self._waiting[: self._batch]
            del self._waiting[: self._batch]
            return taken

    def _answers(self, jobs: Sequence[Job]) -> Sequence[Answer | BaseException]:
        try:
            return self._commit(jobs)
        except BaseException as error:  # noqa: BLE001 - the callers get it
            if len(jobs) == 1 or isinstance(error, StorageUnavailable):
                return [error] * len(jobs)
        # One that the database refuses must not take the others with it.
        return [answer for job in jobs for answer in self._answers([job])]

    def _commit(self, jobs: Sequence[Job]) -> Sequence[Answer | LetsBeError]:
        def change(connection: sa.Connection) -> Sequence[Answer | LetsBeError]:
            return self._apply(connection, jobs)

        try:
            return self._run(change)
        except StorageUnavailable:
            # A server that was restarted has closed the connections of the pool.
            return self._run(change)


def _settle(
    batch: Sequence[tuple[Job, asyncio.Future[Answer]]],
    answers: Sequence[Answer | BaseException],
) -> None:
    """Wake the callers: once per event loop and batch, not once per caller."""
    loops: dict[
        asyncio.AbstractEventLoop,
        list[tuple[asyncio.Future[Answer], Answer | BaseException]],
    ] = {}
    for (_, future), answer in zip(batch, answers, strict=True):
        loops.setdefault(future.get_loop(), []).append((future, answer))
    for loop, pairs in loops.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_tell, pairs)


def _tell(
    pairs: Sequence[tuple[asyncio.Future[Answer], Answer | BaseException]],
) -> None:
    for future, answer in pairs:
        if future.done():
            continue  # the caller has gone
        if isinstance(answer, BaseException):
            future.set_exception(answer)
        else:
            future.set_result(answer)
