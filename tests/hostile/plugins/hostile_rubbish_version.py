"""Declares a version that is none."""

from letsbe.plugin import hookimpl

API_VERSION = "0.1"


@hookimpl
def letsbe_executors() -> tuple[()]:
    return ()
