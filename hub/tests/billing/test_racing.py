"""Two nodes at one moment: spots, charges and closes are each made once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import pytest
import sqlalchemy as sa

from hub.tests.billing.conftest import INCLUDED, Use
from letsbe.plugin import PaymentEvent, PaymentEventKind
from letsbe_hub.billing import founding
from letsbe_hub.billing.closing import sweep
from letsbe_hub.billing.payments import apply_events
from letsbe_hub.billing.rates import Rates
from letsbe_hub.billing.statements import history, verify
from letsbe_hub.storage.store import Store
from letsbe_hub.storage.tables.payments import billing_lines
from letsbe_hub.tenants.registry import NewTenant, create

pytestmark = pytest.mark.anyio
ACCOUNTS = 104
GIVEN = 90
"""Spots that are gone before the race for the last ones."""


@pytest.fixture
def nodes(store: Store, database_url: str) -> Iterator[tuple[Store, Store]]:
    """Two nodes, each with its own connections to one database."""
    other = Store(database_url)
    yield store, other
    other.close()


def at_once(works: Iterable[Callable[[], object]]) -> None:
    """Do all works at one moment; what one raises is raised."""
    failures: list[BaseException] = []
    listed = list(works)
    gate = threading.Barrier(len(listed))

    def run(work: Callable[[], object]) -> None:
        gate.wait()
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised below
            failures.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in listed]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def test_the_last_spots_are_given_out_once_by_two_nodes(
    nodes: tuple[Store, Store], rates: Rates
) -> None:
    def make(connection: sa.Connection) -> None:
        for n in range(ACCOUNTS):
            new = NewTenant(f"Shop {n}", f"order-{n}", "lite")
            made = create(connection, new, "cli")
            if n < GIVEN:
                founding.claim(connection, made, f"pay-{n}", time.time())

    nodes[0].write(make)
    now = int(time.time())

    def pay(node: Store, orders: Iterable[int]) -> None:
        for n in orders:
            # Told to both nodes, as a payment service may that got no answer.
            event = PaymentEvent(
                f"evt_{n}",
                PaymentEventKind.PAID,
                "invoice.paid",
                now,
                customer=f"cus_{n}",
                order=f"order-{n}",
            )
            node.write(lambda c, e=event: apply_events(c, "paying", [e], rates))  # type: ignore[misc] # bound at once

    orders = range(GIVEN, ACCOUNTS)
    at_once([lambda: pay(nodes[0], orders), lambda: pay(nodes[1], reversed(orders))])
    members = nodes[0].read(founding.members_listed)
    assert [row.number for row in members] == list(range(1, founding.SPOTS + 1))
    assert max(Counter(row.tenant_id for row in members).values()) == 1


async def test_a_period_is_charged_and_closed_once_by_two_nodes(
    nodes: tuple[Store, Store], rates: Rates, tenant: str, use: Use
) -> None:
    await use(9_000_500, model=INCLUDED)
    for moment in (time.time(), time.time() + 40 * 86_400):
        at_once(
            [lambda n=node: sweep(n, rates, now=moment) for node in nodes * 2]  # type: ignore[misc] # noqa: B023 - done within this turn
        )
    query = sa.select(sa.func.sum(billing_lines.c.quantity))
    assert nodes[0].read(lambda c: c.scalar(query)) == 1000
    closed = [
        row
        for row in nodes[0].read(lambda c: history(c, tenant))
        if row.state == "closed"
    ]
    assert len({row.starts_at for row in closed}) == len(closed) > 0
    for row in closed:
        assert nodes[1].read(lambda c, r=row: verify(c, r.id, rates))[0]  # type: ignore[misc] # bound at once
