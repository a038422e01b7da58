"""Fails to observe, with a secret in its message."""

from letsbe.plugin import hookimpl

API_VERSION = (0, 1)
CANARY = "canary-7f3a-not-to-be-seen"


@hookimpl
def letsbe_executors() -> tuple[()]:
    return ()


@hookimpl
def letsbe_after_execute() -> None:
    raise RuntimeError(CANARY)


@hookimpl
def letsbe_usage() -> None:
    raise SystemExit(CANARY)
