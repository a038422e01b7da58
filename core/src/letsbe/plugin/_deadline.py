"""Calls into code that may never return, or may try to end the process.

Python cannot end a thread, but it can stop waiting for one. So a plugin's code runs
in a daemon thread of its own, which is abandoned when its time is up.
"""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from letsbe.discovery.records import type_name

T = TypeVar("T")


class GuardedCallError(Exception):
    """A guarded call did not return; the text is safe to show."""


class TooLate(GuardedCallError):
    """It has not returned in time and was abandoned."""


class Raised(GuardedCallError):
    """It raised.

    Args:
        error: What it raised, ``SystemExit`` and the like included. Its text is
            never shown: it may hold a secret.
    """

    def __init__(self, error: BaseException) -> None:
        super().__init__(f"it raised {type_name(error)}")
        self.error = error


class _Outcome(Generic[T]):
    """What a call gave, once it is done."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.error: BaseException | None = None
        self.value: T | None = None

    def fill(self, function: Callable[[], T]) -> None:
        """Call the function and keep what it gives."""
        try:
            self.value = function()
        except BaseException as error:  # noqa: BLE001 - a plugin may raise SystemExit
            self.error = error
        finally:
            self.done.set()


def within(seconds: float, function: Callable[[], T]) -> T:
    """Call a function in a thread of its own and wait for it no longer than allowed.

    Args:
        seconds: How long to wait.
        function: What to call. It sees the caller's context variables.

    Returns:
        What the function returns.

    Raises:
        TooLate: It has not returned; its thread is left behind and ends with the
            process.
        Raised: It raised anything at all.
    """
    outcome = _Outcome[T]()
    context = contextvars.copy_context()
    thread = threading.Thread(
        target=context.run,
        args=(outcome.fill, function),
        name="letsbe-plugin-call",
        daemon=True,
    )
    try:
        thread.start()
    except RuntimeError as error:  # the system has no more threads to give
        raise Raised(error) from None
    if not outcome.done.wait(seconds):
        message = f"it did not return within {seconds:g} seconds"
        raise TooLate(message)
    if outcome.error is not None:
        raise Raised(outcome.error) from None
    return outcome.value  # type: ignore[return-value]  # T may itself allow None
