"""A Hub to be measured, with or without storage."""

from __future__ import annotations

import asyncio
import sys
import time

from letsbe.footprint import give_back
from letsbe.listening import bind, run
from letsbe.plugin._facade import Plugins
from letsbe_hub.api.app import make_app
from letsbe_hub.bus import LocalBus
from letsbe_hub.opening import Hub, assemble
from letsbe_hub.server import KEEP_ALIVE, SWITCH_SECONDS, running
from letsbe_hub.settings import Settings
from letsbe_hub.storage.store import Store
from letsbe_hub.tenants.heartbeats import Beat, Told
from letsbe_hub.tenants.keys import Known
from letsbe_hub.usage.ingestion import Push, Taken


class NoKeys:
    """Knows every key, without looking."""

    async def submit(self, hashed: str) -> Known:
        await asyncio.sleep(0)
        return Known(f"ten_{hashed[:8]}", "active", confirmed=True)

    def close(self) -> None: ...


class NoHeartbeats:
    """Answers as the real ones do, and keeps nothing."""

    async def take(self, _: Beat) -> Told:
        await asyncio.sleep(0)
        return Told(0, 0, None)

    def check(self) -> None: ...

    def close(self) -> None: ...


class NoUsage:
    async def take(self, push: Push) -> Taken:
        await asyncio.sleep(0)
        return Taken(len(push.buckets), 0)

    def check(self) -> None: ...

    def close(self) -> None: ...


def without_storage(hub: Hub) -> None:
    """Take the database away from the hot paths; all else stays what it is."""
    hub.keys._lookups = NoKeys()  # type: ignore[assignment]  # noqa: SLF001 - stands in for it
    object.__setattr__(hub, "heartbeats", NoHeartbeats())
    object.__setattr__(hub, "usage", NoUsage())


def main(url: str, kind: str) -> None:
    sys.setswitchinterval(SWITCH_SECONDS)
    store = Store(url)
    hub = assemble(
        Settings(), Plugins((), hook_timeout=2.0), store, LocalBus(), bytes(32)
    )
    if kind == "bare":
        without_storage(hub)
    give_back()
    app = make_app(hub, lambda: running(hub))
    with bind("127.0.0.1", 0) as listener:
        run(
            app,
            listener,
            lambda address: print(address, time.time(), flush=True),
            hub.news.release,
            loop="uvloop",
            http="httptools",
            ws="none",
            timeout_keep_alive=KEEP_ALIVE,
        )
    hub.close()
    store.close()
