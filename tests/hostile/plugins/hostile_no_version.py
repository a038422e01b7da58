"""Declares no version."""

from letsbe.plugin import hookimpl


@hookimpl
def letsbe_executors() -> tuple[()]:
    return ()
