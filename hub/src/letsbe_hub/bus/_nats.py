"""The bus between several nodes: NATS, with one subscription per node."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

import nats.errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from letsbe_hub.bus._local import LocalBus, Subscription
from letsbe_hub.errors import BusError

log = logging.getLogger(__name__)

PREFIX = "letsbe.hub."
CONNECT_SECONDS = 2
RECONNECT_SECONDS = 1


class NatsBus:
    """Tells every node; while NATS is away, this node alone.

    Args:
        url: ``nats://HOST:PORT``; several, with commas between.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._client = Client()
        self._local = LocalBus()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Connect, and listen to all topics for this node.

        Raises:
            BusError: No server answers.
        """
        self._loop = asyncio.get_running_loop()
        await self._local.start()
        try:
            # The library would look for a server for ever: right later, wrong at first.
            async with asyncio.timeout(2 * CONNECT_SECONDS):
                await self._connect()
            await self._client.subscribe(f"{PREFIX}>", cb=self._on_message)
        except (OSError, nats.errors.Error, TimeoutError):
            await self._client.close()
            raise BusError(
                "no NATS server answers at the bus's address: check that it runs"
            ) from None

    async def _connect(self) -> None:
        await self._client.connect(
            self._url.split(","),
            connect_timeout=CONNECT_SECONDS,
            reconnect_time_wait=RECONNECT_SECONDS,
            max_reconnect_attempts=-1,
            error_cb=_on_error,
            disconnected_cb=_on_disconnect,
            reconnected_cb=_on_reconnect,
            name="letsbe-hub",
        )

    @property
    def healthy(self) -> bool:
        """Whether NATS is connected."""
        return bool(self._client.is_connected)

    async def publish(self, topic: str, message: str) -> None:
        """Tell every node."""
        if not self.healthy:
            self._local.deliver(topic, message)
            return
        try:
            # What this node publishes comes back to it by its own subscription.
            await self._client.publish(PREFIX + topic, message.encode())
        except (nats.errors.Error, OSError):
            self._local.deliver(topic, message)

    def publish_soon(self, topic: str, message: str) -> None:
        """Tell every node, from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._publish_soon, topic, message)

    def _publish_soon(self, topic: str, message: str) -> None:
        task = asyncio.get_running_loop().create_task(self.publish(topic, message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @contextmanager
    def subscribed(self, topic: str) -> Iterator[Subscription]:
        """Listen to a topic for the length of a block."""
        with self._local.subscribed(topic) as subscription:
            yield subscription

    async def close(self) -> None:
        """Send what waits, then disconnect."""
        try:
            await self._client.drain()
        except (nats.errors.Error, OSError):
            await self._client.close()

    async def _on_message(self, message: Msg) -> None:
        topic = message.subject.removeprefix(PREFIX)
        self._local.deliver(topic, message.data.decode("utf-8", "replace"))


async def _on_error(error: Exception) -> None:
    log.warning("the bus has trouble: %s", type(error).__name__)


async def _on_disconnect() -> None:
    log.warning("the bus is down: tenants hear of news at their next heartbeat")


async def _on_reconnect() -> None:
    log.info("the bus is back")
