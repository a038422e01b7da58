"""Registers an object whose properties raise."""

from letsbe.plugin import hookimpl

API_VERSION = (0, 1)
CANARY = "canary-7f3a-not-to-be-seen"


class Trap:
    @property
    def actions(self) -> tuple[()]:
        raise RuntimeError(CANARY)

    def __getattr__(self, name: str) -> object:
        raise RuntimeError(CANARY)


@hookimpl
def letsbe_executors() -> list[Trap]:
    return [Trap()]
