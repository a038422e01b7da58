"""Two nodes of the Hub on PostgreSQL and NATS; one is killed in the middle."""

from __future__ import annotations

import asyncio
import itertools
import random
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from letsbe_hub.api.principals import token_hash
from letsbe_hub.bus import NatsBus, tenant_topic
from letsbe_hub.storage.schema import migrate
from letsbe_hub.storage.store import Store
from letsbe_hub.tenants.registration import Server, issue_token, register
from letsbe_hub.tenants.registry import NewTenant, create
from letsbe_hub.testing import ProgramMissing, nats_server, postgresql
from letsbe_hub.usage.totals import total
from tests.hub.processes import HubProcess, hub

HOUR = int(time.time()) // 3600 * 3600 - 3600
TENANTS = 6
REVISIONS = 30


@pytest.fixture
def nodes(tmp_path: Path) -> Iterator[tuple[Store, str, list[HubProcess]]]:
    with ExitStack() as running:
        try:
            server = running.enter_context(postgresql(durable=True))
            bus = running.enter_context(nats_server())
        except ProgramMissing as error:
            pytest.skip(str(error))
        url = server.create("hub")
        store = Store(url)
        running.callback(store.close)
        migrate(store)
        both = []
        for name in "ab":
            (tmp_path / name).mkdir()
            argv = ("--database", url, "--bus", bus)
            both.append(running.enter_context(hub(tmp_path / name, *argv)))
        yield store, bus, both


def registered(store: Store) -> tuple[str, dict[str, str]]:
    """Make a tenant with a key."""
    order = secrets.token_hex(6)
    tenant = store.write(lambda c: create(c, NewTenant("x", order, "lite"), "cli"))
    token, _ = store.write(lambda c: issue_token(c, tenant, 10, "cli"))
    server = Server(order, "srv")
    done = store.write(lambda c: register(c, token_hash(token), server))
    return tenant, {"authorization": f"Bearer {done.key}"}


class Balancer:
    """Sends to either node; what fails at one goes to the other, as servers do."""

    def __init__(self, nodes: list[HubProcess]) -> None:
        self._clients = [
            httpx.AsyncClient(base_url=f"{node.url}/api/v1/tenant/", timeout=20)
            for node in nodes
        ]
        self.failures = 0

    async def post(
        self, path: str, headers: dict[str, str], body: dict[str, Any]
    ) -> httpx.Response:
        start = random.randrange(2)
        for number in itertools.count(start):
            try:
                answer = await self._clients[number % 2].post(
                    path, headers=headers, json=body
                )
            except httpx.HTTPError:
                self.failures += 1
                assert number < start + 20
                continue
            if answer.status_code < 500:
                return answer
            await asyncio.sleep(0.1)
        raise AssertionError

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()


def push(revision: int) -> dict[str, Any]:
    bucket = {"hour": HOUR, "agentId": "main", "model": "m", "revision": revision}
    return {"buckets": [bucket | {"inputTokens": revision * 10}]}


def test_a_node_that_dies_loses_nothing_and_doubles_nothing(
    nodes: tuple[Store, str, list[HubProcess]],
) -> None:
    store, _, both = nodes
    tenants = [registered(store) for _ in range(TENANTS)]
    killed = asyncio.Event()

    async def tenant(balancer: Balancer, headers: dict[str, str]) -> None:
        beat = {"serverId": "srv", "status": "operational", "configVersion": 0}
        for revision in range(1, REVISIONS + 1):
            if revision == REVISIONS // 2:
                killed.set()
            answer = await balancer.post("usage", headers, push(revision))
            assert answer.status_code == 200, answer.text
            answer = await balancer.post("heartbeat", headers, beat)
            assert answer.status_code == 200, answer.text

    async def run() -> int:
        balancer = Balancer(both)

        async def kill() -> None:
            await killed.wait()
            await asyncio.to_thread(both[0].server.kill)

        work = [tenant(balancer, headers) for _, headers in tenants]
        await asyncio.gather(kill(), *work)
        await balancer.close()
        return balancer.failures

    assert asyncio.run(run()) > 0
    for name, _ in tenants:
        found = store.read(lambda c, t=name: total(c, t, 0, 1e11))  # type: ignore[misc] # mypy does not infer the default's type
        assert found.input_tokens == REVISIONS * 10


def test_news_of_one_node_wakes_who_waits_at_the_other(
    nodes: tuple[Store, str, list[HubProcess]],
) -> None:
    store, bus, both = nodes
    tenant, headers = registered(store)

    async def run() -> None:
        third = NatsBus(bus)
        await third.start()

        async def wait(node: HubProcess) -> float:
            began = time.monotonic()
            async with httpx.AsyncClient(timeout=40) as http:
                answer = await http.get(
                    f"{node.url}/api/v1/tenant/wait",
                    headers=headers,
                    params={"seconds": 30},
                )
            assert answer.json()["data"] == {"news": ["decision"]}
            return time.monotonic() - began

        waits = [asyncio.create_task(wait(node)) for node in both]
        await asyncio.sleep(2)
        await third.publish(tenant_topic(tenant), "decision")
        assert max(await asyncio.gather(*waits)) < 20
        await third.close()

    asyncio.run(run())
