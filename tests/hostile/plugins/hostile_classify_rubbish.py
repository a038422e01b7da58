"""Answers a judgement that is none."""

from letsbe.plugin import hookimpl

API_VERSION = (0, 1)
CANARY = "canary-7f3a-not-to-be-seen"


@hookimpl
def letsbe_executors() -> tuple[()]:
    return ()


@hookimpl
def letsbe_classify() -> str:
    return CANARY
