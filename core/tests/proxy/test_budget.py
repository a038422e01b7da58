"""Memory is shared out in order, and nobody's share is lost."""

from __future__ import annotations

import anyio
import pytest

from letsbe.proxy.bodies import Budget, memory_for

pytestmark = pytest.mark.anyio


async def test_who_asks_for_too_much_waits_its_turn() -> None:
    budget, order = Budget(100), list[str]()

    async def use(name: str, size: int) -> None:
        lease = await budget.take(size)
        order.append(name)
        await anyio.sleep(0.01)
        lease.end()
        lease.end()

    async with anyio.create_task_group() as tasks:
        for name, size in (("a", 60), ("b", 60), ("c", 10), ("d", 1000)):
            tasks.start_soon(use, name, size)
            await anyio.sleep(0)
    assert order == ["a", "b", "c", "d"]
    (await budget.take(100)).end()


async def test_who_gives_up_waiting_lets_the_next_go_on() -> None:
    budget = Budget(100)
    first = await budget.take(60)
    with anyio.move_on_after(0.01):
        await budget.take(90)
    second = await budget.take(40)
    first.end()
    second.end()
    with anyio.fail_after(1):
        (await budget.take(100)).end()


def test_memory_is_what_the_body_may_take() -> None:
    length = [(b"content-length", b"1000")]
    assert memory_for(length, packed=False, limit=5000) == 1000
    assert memory_for(length, packed=True, limit=5_000_000) == 100_000 + 1024 * 1024
    assert memory_for(length, packed=True, limit=5000) == 5000
    assert memory_for([], packed=False, limit=5000) == 0
    assert memory_for([(b"transfer-encoding", b"chunked")], False, 5000) == 5000
