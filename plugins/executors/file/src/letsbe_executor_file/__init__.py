"""Reads, writes and lists files inside the allowed folders."""

from collections.abc import Iterable

from letsbe.plugin import Executor, Site, hookimpl
from letsbe_executor_file.executor import FileExecutor

API_VERSION = (0, 1)


@hookimpl
def letsbe_executors(site: Site) -> Iterable[Executor]:
    """Register the executor."""
    return [FileExecutor(site)]
