"""Runs docker and docker compose commands that were understood, without a shell."""

from __future__ import annotations

from letsbe.plugin import Executor, Site, hookimpl
from letsbe_executor_docker.executor import DockerExecutor

API_VERSION = (0, 1)


@hookimpl
def letsbe_executors(site: Site) -> list[Executor]:
    """Register the executor of the action ``docker``."""
    return [DockerExecutor(site)]
