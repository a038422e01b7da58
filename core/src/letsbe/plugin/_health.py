"""Asking providers whether they can work, without waiting for one that hangs."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import anyio

from letsbe.discovery.records import shown, type_name
from letsbe.plugin._deadline import GuardedCallError, within
from letsbe.plugin._protocols import Health

_GRACE = 0.5  # seconds for a check that was cancelled to clean up


@runtime_checkable
class Checkable(Protocol):
    """Any object that a plugin registered and that can be asked how it is."""

    async def check(self) -> Health:
        """Say whether it can work."""
        ...


async def ask(
    provider: Checkable,
    timeout: float,  # noqa: ASYNC109 - it also bounds a check that blocks
) -> Health:
    """Run a provider's ``check`` in a thread and event loop of its own.

    Cancellation ends a check that waits; abandoning its thread ends one that blocks.

    Args:
        provider: An executor, adapter, billing backend or redaction layer.
        timeout: Seconds that the check may take.

    Returns:
        Its answer, fit to be shown; unhealthy if it gave none.
    """

    async def check() -> object:
        with anyio.fail_after(timeout):
            return await provider.check()

    def wait() -> object:
        return within(timeout + _GRACE, lambda: anyio.run(check))

    try:
        health = await anyio.to_thread.run_sync(wait, abandon_on_cancel=True)
    except GuardedCallError as error:
        return Health(False, f"its health check failed: {error}")
    if not isinstance(health, Health) or not isinstance(health.message, str):
        given = type_name(health)
        return Health(False, f"its health check gave a {given} instead of a Health")
    message = shown(health.message, 200)
    if health.healthy is True:
        return Health(True, message)
    return Health(False, message or "it says that it is not healthy")
