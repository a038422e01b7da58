"""Never finishes observing."""

import threading

from letsbe.plugin import hookimpl

API_VERSION = (0, 1)


@hookimpl
def letsbe_executors() -> tuple[()]:
    return ()


@hookimpl
def letsbe_after_execute() -> None:
    threading.Event().wait(60)
