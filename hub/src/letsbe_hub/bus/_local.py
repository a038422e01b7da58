"""The bus of a node that is alone, and the last step of every other one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

MOST_WAITING = 64
"""Messages that wait for one subscriber; older ones are dropped, as all are hints."""


def tenant_topic(tenant_id: str) -> str:
    """Return the topic of what concerns one tenant's server."""
    return f"tenant.{tenant_id}"


class Subscription:
    """What one listener has not heard yet."""

    def __init__(self) -> None:
        self._messages: deque[str] = deque(maxlen=MOST_WAITING)
        self._arrived = asyncio.Event()

    def put(self, message: str) -> None:
        """Add a message."""
        self._messages.append(message)
        self._arrived.set()

    async def next(self) -> str:
        """Wait for a message."""
        while not self._messages:
            self._arrived.clear()
            await self._arrived.wait()
        return self._messages.popleft()


class Bus(Protocol):
    """Publishes messages to whoever listens now, on any node."""

    async def start(self) -> None:
        """Begin, on the event loop that listeners are on.

        Raises:
            BusError: The other nodes cannot be reached.
        """
        ...

    async def publish(self, topic: str, message: str) -> None:
        """Tell everyone who listens; nobody need listen, and nothing is kept."""
        ...

    def publish_soon(self, topic: str, message: str) -> None:
        """As :meth:`publish`, from any thread and without waiting."""
        ...

    def subscribed(self, topic: str) -> AbstractContextManager[Subscription]:
        """Listen to a topic for the length of a block."""
        ...

    @property
    def healthy(self) -> bool:
        """Whether messages reach the other nodes."""
        ...

    async def close(self) -> None:
        """Stop."""
        ...


class LocalBus:
    """Tells listeners of this process, on one event loop."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listeners: dict[str, set[Subscription]] = {}

    @property
    def healthy(self) -> bool:
        """Always, as there is no other node."""
        return True

    async def start(self) -> None:
        """Begin, on the event loop that listeners are on."""
        self._loop = asyncio.get_running_loop()

    async def publish(self, topic: str, message: str) -> None:
        """Tell everyone who listens."""
        self.deliver(topic, message)

    def publish_soon(self, topic: str, message: str) -> None:
        """Tell everyone, from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self.deliver, topic, message)

    def deliver(self, topic: str, message: str) -> None:
        """Hand a message to the listeners of this process."""
        for subscription in self._listeners.get(topic, ()):
            subscription.put(message)

    @contextmanager
    def subscribed(self, topic: str) -> Iterator[Subscription]:
        """Listen to a topic for the length of a block."""
        subscription = Subscription()
        self._listeners.setdefault(topic, set()).add(subscription)
        try:
            yield subscription
        finally:
            others = self._listeners[topic]
            others.discard(subscription)
            if not others:
                del self._listeners[topic]

    async def close(self) -> None:
        """Nothing is left to do."""
