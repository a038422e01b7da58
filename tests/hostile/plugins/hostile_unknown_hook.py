"""Misspells a hook."""

from letsbe.plugin import hookimpl

API_VERSION = (0, 1)


@hookimpl
def letsbe_executors() -> tuple[()]:
    return ()


@hookimpl
def letsbe_befor_execute() -> str:
    return "no"
