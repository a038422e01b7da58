"""What a Hub does by itself: deliver, charge, close, tell, judge, and watch its pace.

Every node does all of it; the database sees to it that nothing is done twice.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable

import anyio
from anyio import to_thread

from letsbe_hub.approvals.decisions import expire
from letsbe_hub.billing.closing import renew_due, sweep
from letsbe_hub.billing.dunning import pause_unpaid
from letsbe_hub.errors import LetsBeError
from letsbe_hub.opening import Hub

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""How often an outbox is looked at that was empty."""
RENEW_SECONDS = 60.0
"""How long a tenant may wait for the word on a new period."""
RECEIPT_SECONDS = 300.0
ALARM_SECONDS = 60.0
EXPIRY_SECONDS = 15.0
_FAILED_SECONDS = 10.0


Chore = Callable[[], Awaitable[float]]
"""Does something, and says after how many seconds to do it again."""


async def do_chores(hub: Hub) -> None:
    """Do them until cancelled."""
    async with anyio.create_task_group() as tasks:
        for chore in (*_by_time(hub), *_of_the_outboxes(hub), *_watching(hub)):
            tasks.start_soon(_repeat, chore)


def _by_time(hub: Hub) -> tuple[Chore, ...]:
    """Return what time alone brings about, which waits for a clock that is right."""
    charging = hub.settings.billing.charge_minutes * 60

    async def timely() -> bool:
        return await to_thread.run_sync(hub.clock.believed)

    async def charge() -> float:
        if not await timely():
            return RENEW_SECONDS
        await to_thread.run_sync(sweep, hub.store, hub.rates)
        return charging * random.uniform(0.9, 1.1)  # noqa: S311 - nodes take turns

    async def renew() -> float:
        if await timely():
            await to_thread.run_sync(renew_due, hub.store, hub.rates)
            await to_thread.run_sync(pause_unpaid, hub.store, hub.rates)
        return RENEW_SECONDS

    async def close_late() -> float:
        if await timely():
            await hub.store.write_async(expire)
        return EXPIRY_SECONDS

    return renew, charge, close_late


def _of_the_outboxes(hub: Hub) -> tuple[Chore, ...]:
    async def deliver() -> float:
        return 0.0 if await hub.courier.deliver() else LOOK_SECONDS

    async def announce() -> float:
        return 0.0 if await hub.announcer.deliver() else LOOK_SECONDS

    return deliver, announce


def _watching(hub: Hub) -> tuple[Chore, ...]:
    async def ask() -> float:
        await hub.announcer.ask_receipts()
        return RECEIPT_SECONDS

    async def watch() -> float:
        await hub.announcer.alarm_if_slow()
        return ALARM_SECONDS

    async def judge() -> float:
        await to_thread.run_sync(hub.watch.look)
        return hub.settings.tenants.heartbeat_seconds / 4

    return ask, watch, judge


async def _repeat(chore: Chore) -> None:
    while True:
        try:
            pause = await chore()
        except LetsBeError as error:
            log.warning("%s: %s", chore.__name__, error.message)
            pause = _FAILED_SECONDS
        except Exception as error:
            log.error("%s failed", chore.__name__, exc_info=error)
            pause = _FAILED_SECONDS
        await anyio.sleep(pause)
