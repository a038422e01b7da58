"""Counts what is in a folder."""

from collections.abc import Iterable

from letsbe.plugin import Executor, Site, hookimpl
from letsbe_executor_sample.executor import SampleExecutor

API_VERSION = (0, 1)


@hookimpl
def letsbe_executors(site: Site) -> Iterable[Executor]:
    """Register the executor."""
    return [SampleExecutor(site)]
