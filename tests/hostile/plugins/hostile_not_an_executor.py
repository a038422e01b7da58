"""Registers something that is not an executor."""

from letsbe.plugin import hookimpl

API_VERSION = (0, 1)


class Impostor:
    actions = ()

    def classify(self, call: object) -> None:
        """Judge nothing."""


@hookimpl
def letsbe_executors() -> list[Impostor]:
    return [Impostor()]
