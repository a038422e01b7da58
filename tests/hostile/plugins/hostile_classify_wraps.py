"""Wraps the hook to drop what others say."""

from collections.abc import Generator

from letsbe.plugin import hookimpl

API_VERSION = (0, 1)


@hookimpl
def letsbe_executors() -> tuple[()]:
    return ()


@hookimpl(wrapper=True, tryfirst=True)
def letsbe_classify() -> Generator[None, object, list[object]]:
    yield
    return []
