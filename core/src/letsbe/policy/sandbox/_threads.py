"""Threads that restrict themselves: for one purpose, or for all starts of one kind."""

from __future__ import annotations

import contextlib
import gc
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class SandboxFailed(Exception):
    """The program was not started, because it could not be kept in."""


def in_thread(steps: Sequence[Callable[[], None]], action: Callable[[], T]) -> T:
    """Take steps that cannot be taken back, then act, in a thread of their own.

    Args:
        steps: What restricts the thread.
        action: What is done under the restrictions.

    Returns:
        What the action returned.

    Raises:
        SandboxFailed: A step failed; the action was not begun.
        BaseException: What the action raised.
    """
    work = _Work(action, steps)
    thread = threading.Thread(target=work.run, name="sandbox")
    # A finalizer of somebody else's object would fail under our restrictions.
    with _COLLECTION.paused():
        thread.start()
        thread.join()
    return work.result()


class _Work(Generic[T]):
    def __init__(
        self, action: Callable[[], T], steps: Sequence[Callable[[], None]] = ()
    ) -> None:
        self._steps = steps
        self._action = action
        self._results: list[T] = []
        self._error: BaseException | None = None

    def result(self) -> T:
        if self._error is not None:
            raise self._error
        return self._results[0]

    def run(self) -> None:
        try:
            self._restrict()
            self._results.append(self._action())
        except BaseException as error:  # noqa: BLE001 -- raised by whoever waits
            self._error = error

    def _restrict(self) -> None:
        try:
            for step in self._steps:
                step()
        except OSError as error:
            message = f"the sandbox could not be entered (error {error.errno})"
            raise SandboxFailed(message) from None


class RestrictedThread:
    """A thread that has restricted itself once, and acts for others from then on.

    Args:
        steps: What restricts it.

    Raises:
        SandboxFailed: A step failed; the thread has ended.
    """

    def __init__(self, steps: Sequence[Callable[[], None]]) -> None:
        self._queue: SimpleQueue[tuple[_Work[Any], threading.Lock] | None] = (
            SimpleQueue()
        )
        threading.Thread(target=self._serve, name="sandbox", daemon=True).start()
        try:
            self._do(_Work(lambda: None, steps))
        except BaseException:
            self.stop()
            raise

    def act(self, action: Callable[[], T]) -> T:
        """Do something under the restrictions, and return what it returns."""
        return self._do(_Work(action))

    def stop(self) -> None:
        """End the thread, once it has nothing to do."""
        self._queue.put(None)

    def _do(self, work: _Work[T]) -> T:
        done = threading.Lock()
        done.acquire()
        # A finalizer of somebody else's object would fail under the restrictions.
        with _COLLECTION.paused():
            self._queue.put((work, done))
            done.acquire()
        return work.result()

    def _serve(self) -> None:
        while (job := self._queue.get()) is not None:
            work, done = job
            work.run()
            # Nothing of it may end its life here.
            del job, work
            done.release()


class RestrictedThreads:
    """Keeps threads between the starts that they are for.

    Restricting a thread costs a millisecond, most of it for the kernel to compile the
    filter; a thread that is restricted already has paid.

    Args:
        most: How many idle threads are kept.
    """

    def __init__(self, most: int = 8) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._idle: OrderedDict[Hashable, list[RestrictedThread]] = OrderedDict()
        self._closed = False

    def act(
        self,
        kind: Hashable,
        make: Callable[[], RestrictedThread],
        action: Callable[[], T],
    ) -> T:
        """Act in a thread of a kind, a new one if none is idle.

        Args:
            kind: Stands for the restrictions; threads of other kinds are never used.
            make: Makes a thread of this kind.
            action: What is done in it.

        Raises:
            SandboxFailed: No thread could be restricted; the action was not begun.
            BaseException: What the action raised.
        """
        thread = self._take(kind) or make()
        try:
            return thread.act(action)
        finally:
            self._give_back(kind, thread)

    def close(self) -> None:
        """End all threads, now or when they come back."""
        with self._lock:
            self._closed = True
            threads = [thread for kept in self._idle.values() for thread in kept]
            self._idle.clear()
        for thread in threads:
            thread.stop()

    def _take(self, kind: Hashable) -> RestrictedThread | None:
        with self._lock:
            kept = self._idle.get(kind)
            return kept.pop() if kept else None

    def _give_back(self, kind: Hashable, thread: RestrictedThread) -> None:
        stopped = []
        with self._lock:
            self._idle.setdefault(kind, []).append(thread)
            self._idle.move_to_end(kind)
            room = 0 if self._closed else self._most
            while sum(map(len, self._idle.values())) > room:
                oldest = next(iter(self._idle))
                kept = self._idle[oldest]
                if kept:
                    stopped.append(kept.pop())
                if not kept:
                    del self._idle[oldest]
        for each in stopped:
            each.stop()


class _Collection:
    """Keeps garbage from being collected while some thread is restricted."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._was_on = False

    @contextlib.contextmanager
    def paused(self) -> Iterator[None]:
        with self._lock:
            if self._users == 0:
                self._was_on = gc.isenabled()
                gc.disable()
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if self._users == 0 and self._was_on:
                    gc.enable()


_COLLECTION = _Collection()
