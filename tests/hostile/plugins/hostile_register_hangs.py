"""Never finishes its registration."""

import threading

from letsbe.plugin import hookimpl

API_VERSION = (0, 1)


@hookimpl
def letsbe_executors() -> tuple[()]:
    threading.Event().wait(60)
    return ()
