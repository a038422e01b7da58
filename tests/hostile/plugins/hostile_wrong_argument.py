"""Asks a hook for an argument that there is not."""

from letsbe.plugin import hookimpl

API_VERSION = (0, 1)


@hookimpl
def letsbe_executors(vault: object) -> tuple[()]:
    return ()
