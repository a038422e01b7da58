"""Keeps its hooks in an object, of a class that an entry point may name by mistake."""

from letsbe.plugin import hookimpl

API_VERSION = (0, 1)


class Plugin:
    @hookimpl
    def letsbe_executors(self) -> tuple[()]:
        return ()


plugin = Plugin()
