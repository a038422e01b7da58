"""Reads and updates .env files without showing their secrets."""

from collections.abc import Iterable

from letsbe.plugin import Executor, Site, hookimpl
from letsbe_executor_env.executor import EnvExecutor

API_VERSION = (0, 1)


@hookimpl
def letsbe_executors(site: Site) -> Iterable[Executor]:
    """Register the executor."""
    return [EnvExecutor(site)]
