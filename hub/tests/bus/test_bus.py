"""Messages reach whoever listens, on this node and the next."""

from __future__ import annotations

import asyncio

import pytest

from letsbe.errors import ConfigurationError
from letsbe_hub.bus import LocalBus, NatsBus, open_bus
from letsbe_hub.errors import BusError
from letsbe_hub.testing import ProgramMissing, nats_server


def test_a_listener_hears_what_concerns_it() -> None:
    async def run() -> None:
        bus = LocalBus()
        await bus.start()
        with bus.subscribed("a") as one, bus.subscribed("a") as other:
            await bus.publish("b", "nothing")
            await bus.publish("a", "news")
            assert await one.next() == await other.next() == "news"
            await asyncio.to_thread(bus.publish_soon, "a", "from a thread")
            assert await one.next() == "from a thread"
        await bus.publish("a", "nobody is there")
        assert bus._listeners == {}

    asyncio.run(run())


def test_a_slow_listener_loses_the_oldest() -> None:
    async def run() -> None:
        bus = LocalBus()
        await bus.start()
        with bus.subscribed("a") as subscription:
            for number in range(1000):
                await bus.publish("a", str(number))
            assert await subscription.next() == "936"

    asyncio.run(run())


def test_two_nodes_hear_each_other(nats: str) -> None:
    async def run() -> None:
        nodes = [NatsBus(nats), NatsBus(nats)]
        for node in nodes:
            await node.start()
            assert node.healthy
        await asyncio.sleep(0.2)
        with (
            nodes[1].subscribed("tenant.x") as far,
            nodes[0].subscribed("tenant.x") as near,
        ):
            await nodes[0].publish("tenant.x", "news")
            async with asyncio.timeout(5):
                assert await far.next() == await near.next() == "news"
        for node in nodes:
            await node.close()

    asyncio.run(run())


def test_without_nats_this_node_is_still_told() -> None:
    async def run() -> None:
        with nats_server() as url:
            bus = NatsBus(url)
            await bus.start()
        async with asyncio.timeout(10):
            while bus.healthy:
                await asyncio.sleep(0.05)
        with bus.subscribed("a") as subscription:
            await bus.publish("a", "news")
            assert await subscription.next() == "news"
        await bus.close()

    try:
        asyncio.run(run())
    except ProgramMissing as error:
        pytest.skip(str(error))


def test_a_bus_that_is_not_there_is_said_so() -> None:
    async def run() -> None:
        bus = open_bus("nats://127.0.0.1:1")
        with pytest.raises(BusError, match="NATS"):
            await bus.start()

    asyncio.run(run())


@pytest.mark.parametrize("url", ["", "redis://x", "nats", "http://x"])
def test_another_bus_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        open_bus(url)
