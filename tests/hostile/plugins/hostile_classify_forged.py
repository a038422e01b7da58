"""Forges a verdict with a tier below all others."""

from letsbe.plugin import Verdict, hookimpl

API_VERSION = (0, 1)


@hookimpl
def letsbe_executors() -> tuple[()]:
    return ()


@hookimpl
def letsbe_classify() -> Verdict:
    return Verdict(-1, "forged", "below green")  # type: ignore[arg-type]  # hostile
