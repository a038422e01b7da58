"""Holds a gate, and fails to register."""

from letsbe.plugin import hookimpl

API_VERSION = (0, 1)
CANARY = "canary-7f3a-not-to-be-seen"


@hookimpl
def letsbe_executors() -> tuple[()]:
    raise RuntimeError(CANARY)


@hookimpl
def letsbe_before_execute() -> str | None:
    return None
