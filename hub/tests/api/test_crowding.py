"""A crowd of servers: as many are served as are soon, the others told when to come."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from letsbe_hub.api.crowding import (
    FIRST_PACE,
    LONGEST,
    REQUESTS_EACH,
    WAIT,
    Crowding,
    Pace,
)
from letsbe_hub.api.envelope import Reply, answered

BEAT = "/api/v1/tenant/heartbeat"


class Held:
    """An application that answers once it may."""

    def __init__(self) -> None:
        self.may = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.may.wait()
        await answered(Reply(None))(scope, receive, send)


@pytest.mark.anyio
async def test_what_would_wait_for_long_is_told_when_to_come_again() -> None:
    held = Held()
    transport = httpx.ASGITransport(Crowding(held, most=4))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as http:
        inside = [asyncio.create_task(http.post(BEAT)) for _ in range(4)]
        others = [
            asyncio.create_task(http.get(path))
            for path in (WAIT, "/api/v1/admin/tenants", "/healthz")
        ]
        await asyncio.sleep(0.05)
        refused = await http.post(BEAT, content=b"x" * 10)
        assert refused.status_code == 503
        assert refused.json()["error"]["code"] == "OVERLOADED"
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.headers["connection"] == "close"
        held.may.set()
        done = await asyncio.gather(*inside, *others)
        assert {answer.status_code for answer in done} == {200}
        assert (await http.post(BEAT)).status_code == 200


@pytest.mark.anyio
async def test_one_that_breaks_leaves_its_place() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise ZeroDivisionError

    transport = httpx.ASGITransport(Crowding(broken, most=1))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as http:
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await http.post(BEAT)


def test_each_is_given_a_later_time_at_the_pace_of_the_node() -> None:
    pace = Pace()
    now = 100.0
    times = [pace.next_turn(now) for _ in range(1000)]
    assert times == sorted(times)
    assert times[0] == 1
    assert times[-1] == pytest.approx(1000 * REQUESTS_EACH / FIRST_PACE, abs=1)
    # A slower node spreads them further, and nobody is sent away for too long.
    for number in range(200):
        pace.served(crowded=True, now=now + number / 100)
    slower = [pace.next_turn(now + 60) for _ in range(10_000)]
    assert slower[999] > times[-1]
    assert max(slower) == LONGEST


def test_the_pace_of_a_quiet_node_says_nothing() -> None:
    pace = Pace()
    for second in range(1, 100):
        pace.served(crowded=False, now=float(second) * 1e6)
    pace.served(crowded=True, now=2e8)  # the first of a crowd, after a quiet hour
    assert pace.next_turn(2e8) == 1
    assert [pace.next_turn(2e8) for _ in range(999)][-1] == 3
