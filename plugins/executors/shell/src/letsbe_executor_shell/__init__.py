"""Runs classified command lines without a shell."""

from __future__ import annotations

from letsbe.plugin import Executor, Site, hookimpl
from letsbe_executor_shell.executor import ShellExecutor

API_VERSION = (0, 1)


@hookimpl
def letsbe_executors(site: Site) -> list[Executor]:
    """Register the executor of the action ``shell``."""
    return [ShellExecutor(site)]
