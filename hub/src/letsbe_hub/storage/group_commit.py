"""Many small writes in one transaction: what makes heartbeats and usage cheap.

Each caller waits until its own write is committed. Meanwhile others queue up, and all
of them share the next transaction. What a batch does must be safe to do twice: a
connection that is lost at the very end does not tell whether it was committed.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import Generic, Protocol, TypeAlias, TypeVar

import sqlalchemy as sa

from letsbe_hub.errors import LetsBeError, Overloaded, StorageUnavailable

Job = TypeVar("Job")
Answer = TypeVar("Answer")
T = TypeVar("T")


Waiting: TypeAlias = tuple[Job, "asyncio.Future[Answer]"]
"""A write and the caller that waits for it."""


class Run(Protocol):
    """Runs a transaction."""

    def __call__(self, change: Callable[[sa.Connection], T], /) -> T:
        """Run it and return what it returns."""
        ...


BATCH = 512
"""The most writes of one transaction, so that nobody waits for an endless one."""
MOST_WAITING = 4096
"""The most writes that may wait: about a second's. More would only take memory and be
answered later each; their callers are told when to come again."""


class GroupCommit(Generic[Job, Answer]):
    """A queue of writes and the threads that work it off.

    Args:
        runs: Run a transaction, by a thread each: :class:`KeptWriter`, or
            :meth:`Store.read` if all that is done is to look.
        apply: Makes a batch of writes and returns the answer to each, in order; an
            answer that is an error is raised where the write came from.
        name: The threads' name.
        batch: The most writes of one transaction.
        waiting: The most that may wait for one.
    """

    def __init__(
        self,
        runs: Sequence[Run],
        apply: Callable[[sa.Connection, Sequence[Job]], Sequence[Answer | LetsBeError]],
        name: str,
        batch: int = BATCH,
        waiting: int = MOST_WAITING,
    ) -> None:
        self._apply = apply
        self._batch = batch
        self._most = waiting
        # A thread holds no lock of ours while it waits for the interpreter's, so that
        # the event loop never waits for both.
        self._waiting: SimpleQueue[Waiting[Job, Answer] | None] = SimpleQueue()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, args=(run,), name=name, daemon=True)
            for run in runs
        ]
        self._lock = threading.Lock()  # so that nothing is queued behind the end
        self._started = False

    async def submit(self, job: Job) -> Answer:
        """Queue a write and wait until it is committed.

        Returns:
            Its answer.

        Raises:
            Overloaded: Too many wait; it was not queued.
            StorageUnavailable: It is not known to be stored: send it again.
            LetsBeError: It was refused.
        """
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        with self._lock:
            if self._closed:
                raise StorageUnavailable("the Hub is stopping: try again in a moment")
            self.check()
            if not self._started:
                self._started = True
                for thread in self._threads:
                    thread.start()
            self._waiting.put((job, future))
        return await future

    def check(self) -> None:
        """Make sure that there is room, before work is put into what would be refused.

        Raises:
            Overloaded: There is none.
        """
        if self._waiting.qsize() >= self._most:
            raise Overloaded

    def close(self) -> None:
        """Commit what is queued, then stop. More than once does no harm."""
        with self._lock:
            if not self._closed:
                self._closed = True
                for _ in self._threads:
                    self._waiting.put(None)
        if self._started:
            for thread in self._threads:
                thread.join()

    def _work(self, run: Run) -> None:
        ended = False
        while not ended:
            batch, ended = self._take()
            if batch:
                _settle(batch, self._answers(run, [job for job, _ in batch]))

    def _take(self) -> tuple[list[Waiting[Job, Answer]], bool]:
        """Return a thread's next batch, and whether it is its last one."""
        taken: list[Waiting[Job, Answer]] = []
        try:
            one = self._waiting.get()
            while one is not None:
                taken.append(one)
                if len(taken) == self._batch:
                    return taken, False
                one = self._waiting.get_nowait()
        except Empty:
            return taken, False
        return taken, True

    def _answers(
        self, run: Run, jobs: Sequence[Job]
    ) -> Sequence[Answer | BaseException]:
        try:
            return self._commit(run, jobs)
        except BaseException as error:  # noqa: BLE001 - the callers get it
            if len(jobs) == 1 or isinstance(error, StorageUnavailable):
                return [error] * len(jobs)
        # One that the database refuses must not take the others with it.
        return [answer for job in jobs for answer in self._answers(run, [job])]

    def _commit(self, run: Run, jobs: Sequence[Job]) -> Sequence[Answer | LetsBeError]:
        def change(connection: sa.Connection) -> Sequence[Answer | LetsBeError]:
            return self._apply(connection, jobs)

        try:
            return run(change)
        except StorageUnavailable:
            # A server that was restarted has closed the connections of the pool.
            return run(change)


def _settle(
    batch: Sequence[Waiting[Job, Answer]],
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
