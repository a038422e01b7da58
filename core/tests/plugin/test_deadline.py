"""A guarded call always comes back, whatever the function does."""

import contextvars
import threading
import time

import pytest

from letsbe.plugin._deadline import GuardedCallError, Raised, TooLate, within

CANARY = "canary-9c21"


def test_the_answer_comes_back() -> None:
    assert within(5, lambda: None) is None
    assert within(5, lambda: "answer") == "answer"


@pytest.mark.parametrize(
    "error", [ValueError, SystemExit, KeyboardInterrupt, GeneratorExit]
)
def test_whatever_is_raised_comes_back_without_its_text(
    error: type[BaseException],
) -> None:
    def fail() -> None:
        raise error(CANARY)

    with pytest.raises(Raised) as caught:
        within(5, fail)
    assert str(caught.value) == f"it raised {error.__name__}"
    assert isinstance(caught.value.error, error)
    assert caught.value.__suppress_context__


def test_a_type_whose_name_is_no_name_is_not_shown() -> None:
    strange = type(f"\x1b[31m{CANARY}", (Exception,), {})

    def fail() -> None:
        raise strange

    with pytest.raises(Raised, match="an unnamed type"):
        within(5, fail)


def test_a_call_that_never_returns_is_abandoned() -> None:
    release = threading.Event()
    began = time.monotonic()
    with pytest.raises(TooLate, match=r"did not return within 0\.1 seconds"):
        within(0.1, lambda: release.wait(60))
    assert time.monotonic() - began < 30
    left = [t for t in threading.enumerate() if t.name == "letsbe-plugin-call"]
    assert all(thread.daemon for thread in left)
    release.set()


def test_the_call_sees_the_callers_context() -> None:
    variable = contextvars.ContextVar("variable", default="none")
    variable.set("of the caller")
    assert within(5, variable.get) == "of the caller"


def test_a_system_without_threads_is_a_failure_like_any_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(thread: threading.Thread) -> None:
        message = "can't start new thread"
        raise RuntimeError(message)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with pytest.raises(Raised, match="it raised RuntimeError"):
        within(5, lambda: None)


def test_both_failures_are_one_kind() -> None:
    assert issubclass(TooLate, GuardedCallError)
    assert issubclass(Raised, GuardedCallError)
