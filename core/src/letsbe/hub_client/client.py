"""The client: one loop that keeps this server and its Hub in step.

Each round sends what waits, says how the server is, and fetches what is new. A round
begins when a heartbeat is due, when a call has begun to wait for a person, and when the
Hub says that there is news. Nothing here is needed for the server to work: without a
Hub everything waits in the database, and goes out when it is back.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx

from letsbe.errors import LetsBeError
from letsbe.home import Home
from letsbe.hub_client.applying import Configurator, reason_of
from letsbe.hub_client.approvals import ApprovalOutbox, Decides
from letsbe.hub_client.beating import Report, beat
from letsbe.hub_client.connection import HubConnection, read_key, write_key
from letsbe.hub_client.documents import merged
from letsbe.hub_client.intervals import Backoff
from letsbe.hub_client.state import HubState
from letsbe.hub_client.transport import HubApi, HubRefused, HubUnreachable
from letsbe.hub_client.usage import UsageOutbox
from letsbe.proxy.sharing import open_usage
from letsbe.redaction.pipeline import Pipeline
from letsbe.storage.audit import AuditLog
from letsbe.storage.database import Database
from letsbe.wrapper.approvals import Approvals

log = logging.getLogger(__name__)

KEY_DAYS = 30.0
"""How long a key is used before it is rotated."""

LOOK_SECONDS = 1.0
"""How often it is looked whether a call has begun to wait."""


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the client needs of the Safety Wrapper.

    Args:
        home: The home folder.
        database: Where everything is kept.
        approvals: The queue.
        dispatcher: Follows decisions.
        audit: The audit log.
        pipeline: Takes secrets out of what is sent.
        report: Says how the server is.
    """

    home: Home
    database: Database
    approvals: Approvals
    dispatcher: Decides
    audit: AuditLog
    pipeline: Pipeline
    report: Callable[[], Report]


class HubClient:
    """Keeps in touch with the Hub.

    Args:
        rooms: Whose server this is.
        connection: Where it is registered.
        transport: How to reach the Hub, for tests.
        backoff: The pauses, for tests.
    """

    def __init__(
        self,
        rooms: Rooms,
        connection: HubConnection,
        transport: httpx.AsyncBaseTransport | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        self._rooms = rooms
        self._connection = connection
        self._state = HubState(rooms.database)
        self._api = HubApi(
            connection.url, lambda: read_key(rooms.home), rooms.pipeline, transport
        )
        self._usage_database = open_usage(rooms.home)
        self._usage_state = HubState(self._usage_database)
        self._usage = UsageOutbox(self._usage_database, self._usage_state, self._api)
        self._approvals = ApprovalOutbox(
            rooms.approvals, rooms.dispatcher, self._state, self._api
        )
        self._configurator = Configurator(rooms.home, self._state)
        self._backoff = backoff or Backoff()
        # Made here, used on the event loop that runs them, whichever that is.
        self._wake = asyncio.Event()
        self._usage_sent = float("-inf")
        self._usage_seconds = 300.0
        self._wait_seconds = 25.0
        self._connected = asyncio.Event()

    @property
    def url(self) -> str:
        """The Hub's base address."""
        return self._connection.url

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep in touch for the length of a block; what goes wrong is logged."""
        self._recover()
        self._approvals.follow()
        tasks = [
            asyncio.create_task(self._guarded(each))
            for each in (self._beats, self._looks, self._waits)
        ]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            await self._approvals.finish()
            await self._api.close()
            self._usage_database.close()

    def _recover(self) -> None:
        try:
            if self._configurator.recover():
                log.warning("the last good configuration was put back")
        except LetsBeError as error:
            log.error("the last good configuration cannot be put back: %s", error)

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except Exception:
                log.exception("the Hub's client failed; it goes on in a minute")
                await asyncio.sleep(60)

    async def round(self) -> float:
        """Do everything once.

        Returns:
            Seconds until the next heartbeat is due.

        Raises:
            HubUnreachable: The Hub does not answer.
            HubRefused: It says no to this server as a whole.
        """
        await self._approvals.send()
        if time.monotonic() - self._usage_sent >= self._usage_seconds:
            await self._usage.send(time.time())
            self._usage_sent = time.monotonic()
        told = await self._api.post("heartbeat", await self._beat())
        await self._heed(told)
        await self._rotate()
        return float(told["heartbeatSeconds"])

    async def _beat(self) -> dict[str, Any]:
        applied, _ = self._configurator.applied()
        failed = self._configurator.failed()
        counts = self._approvals.waiting(), self._usage.waiting(time.time())
        head = await asyncio.to_thread(self._rooms.audit.head)
        report = self._rooms.report()
        if self._configurator.waits_for_restart():
            details = {**report.details, "restartNeeded": True}
            report = replace(report, details=details)
        server = self._connection.server_id
        return beat(server, report, applied, failed, head, counts)

    async def _heed(self, told: Mapping[str, Any]) -> None:
        self._usage_seconds = float(told["usageSeconds"])
        self._wait_seconds = float(told["waitSeconds"])
        if told["allowance"] != self._usage_state.get("allowance"):
            # Beside the usage, where the Secrets Proxy reads it.
            await self._usage_state.change({"allowance": told["allowance"]})
        if told["decisions"]:
            await self._approvals.fetch()
        await self._confirm()
        applied, _ = self._configurator.applied()
        failed = self._configurator.failed()
        newest = int(told["configVersion"])
        if newest != applied and (failed is None or failed[0] != newest):
            await self._configure()
        now = time.time()
        await self._state.change({"contact": {"at": now, "error": None}})

    async def _confirm(self) -> None:
        """Say that a version is in force whole, once its plugin set was loaded."""
        version = self._configurator.restart_for()
        if version is None or self._configurator.waits_for_restart():
            return
        await self._api.post("config", {"version": version, "state": "applied"})
        self._configurator.restarted()

    async def _configure(self) -> None:
        applied, document = self._configurator.applied()
        found = await self._api.get("config", {"since": applied} if applied else {})
        version = int(found["version"])
        whole = found["document"]
        if whole is None:
            whole = merged(document, found["delta"])
        if version == 0:
            return
        said: dict[str, Any] = {"version": version, "state": "applied"}
        try:
            await asyncio.to_thread(
                self._configurator.apply, version, whole, str(found["digest"])
            )
            log.info("configuration %d is in force", version)
            if self._configurator.waits_for_restart():
                log.warning("its plugin set takes effect at the next start")
                said["state"] = "restart"
        except LetsBeError as error:
            log.error("configuration %d cannot be applied: %s", version, error)
            said = {"version": version, "state": "failed", "error": reason_of(error)}
        await self._api.post("config", said)

    async def _rotate(self) -> None:
        since = self._state.get("key-since")
        if since is None:
            await self._state.change({"key-since": time.time()})
        elif time.time() - float(since) > KEY_DAYS * 86400:
            data = await self._api.post("rotate-key", {})
            write_key(self._rooms.home, str(data["apiKey"]))
            await self._state.change({"key-since": time.time()})

    async def _beats(self) -> None:
        while True:
            self._wake.clear()
            try:
                pause = self._backoff.succeeded(await self.round())
                self._connected.set()
            except (HubUnreachable, HubRefused) as error:
                self._connected.clear()
                pause = self._backoff.failed(getattr(error, "seconds", None))
                await self._note(error)
                await asyncio.sleep(pause)
                continue
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), pause)

    async def _note(self, error: LetsBeError) -> None:
        if self._backoff.failures == 1:
            log.warning("the Hub: %s; what is for it waits here", error.message)
        contact = self._state.get("contact") or {"at": None}
        await self._state.change({"contact": contact | {"error": error.message}})

    async def _looks(self) -> None:
        """Begin a round at once when a call waits, or one that waited has ended."""
        while True:
            await self._connected.wait()
            if self._approvals.waiting():
                self._wake.set()
            self._approvals.follow()
            await asyncio.sleep(LOOK_SECONDS)

    async def _waits(self) -> None:
        """Begin a round at once when the Hub has news, where the network allows it."""
        while True:
            await self._connected.wait()
            applied, _ = self._configurator.applied()
            failed = self._configurator.failed()
            known = max(applied, failed[0] if failed else 0)
            seconds = self._wait_seconds
            try:
                query = {"seconds": seconds, "configVersion": known}
                found = await self._api.get("wait", query, within=seconds + 15)
            except (HubUnreachable, HubRefused) as error:
                # By heartbeat alone, then; nothing is said, as that one will tell.
                await asyncio.sleep(max(getattr(error, "seconds", None) or 0, 30))
                continue
            if found["news"]:
                self._wake.set()
                await asyncio.sleep(LOOK_SECONDS)
