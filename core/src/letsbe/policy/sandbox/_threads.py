"""A thread that restricts itself for one purpose, and ends."""

from __future__ import annotations

import contextlib
import gc
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

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
    work = _Work(steps, action)
    thread = threading.Thread(target=work.run, name="sandbox")
    # A finalizer of somebody else's object would fail under our restrictions.
    with _COLLECTION.paused():
        thread.start()
        thread.join()
    if work.error is not None:
        raise work.error
    return work.results[0]


class _Work(Generic[T]):
    def __init__(
        self, steps: Sequence[Callable[[], None]], action: Callable[[], T]
    ) -> None:
        self._steps = steps
        self._action = action
        self.results: list[T] = []
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self._restrict()
            self.results.append(self._action())
        except BaseException as error:  # noqa: BLE001 -- raised by whoever waits
            self.error = error

    def _restrict(self) -> None:
        try:
            for step in self._steps:
                step()
        except OSError as error:
            message = f"the sandbox could not be entered (error {error.errno})"
            raise SandboxFailed(message) from None


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
