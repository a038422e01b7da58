"""Written for a later minor version."""

from letsbe.plugin import hookimpl

API_VERSION = (0, 99)


@hookimpl
def letsbe_executors() -> tuple[()]:
    return ()
