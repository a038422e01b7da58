"""A tenant with usage, and backends that fail as they are told to."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import sqlalchemy as sa

from letsbe.plugin import (
    BillingAccount,
    BillingAdjustment,
    BillingUnits,
    Health,
    Meter,
    PaymentEvent,
    Rejected,
    TryLater,
)
from letsbe_hub.billing.accrual import Accrual
from letsbe_hub.billing.rates import BillingSettings, Rates
from letsbe_hub.storage.store import Store
from letsbe_hub.storage.tables.tenants import tenants
from letsbe_hub.tenants.registry import NewTenant, create
from letsbe_hub.usage.buckets import Bucket, Counts
from letsbe_hub.usage.ingestion import Ingestion, Push

HOUR = 3600
INCLUDED = "deepseek/deepseek-v3.2"
PREMIUM = "vendor/large-1"


@dataclass
class Billed:
    """A billing backend in memory; ``fails`` is consumed, one for each sending.

    ``before`` fails before a line is taken, ``after`` once it is, ``no`` rejects.
    """

    name: str = "billed"
    remembers: int | None = 86_400
    accepts_back: int | None = None
    lines: list[BillingUnits] = field(default_factory=list)
    money: dict[str, int] = field(default_factory=dict)
    fails: deque[str] = field(default_factory=deque)
    asked: int = 0

    async def open_account(self, account: BillingAccount) -> str:
        return f"cus_{account.id}"

    async def record(self, units: BillingUnits) -> None:
        fault = self.fails.popleft() if self.fails else ""
        if fault == "before":
            raise TryLater("before")
        if fault == "no":
            raise Rejected("no")
        now = time.time()
        known = any(line.key == units.key for line in self.lines)
        if not known or self.forgotten(now):
            self.lines.append(units)
        if fault == "after":
            raise TryLater("after")
        if fault == "raise":
            raise RuntimeError("canary")

    def forgotten(self, now: float) -> bool:
        return self.remembers == 0

    async def recorded(
        self, customer: str, meter: Meter, start: int, end: int
    ) -> int | None:
        self.asked += 1
        return sum(
            line.quantity
            for line in self.lines
            if (line.customer, line.meter) == (customer, meter)
            and start <= line.at < end
        )

    async def adjust(self, adjustment: BillingAdjustment) -> None:
        self.money[adjustment.key] = adjustment.amount

    async def check(self) -> Health:
        return Health(healthy=True)

    def total(self, meter: Meter) -> int:
        return sum(line.quantity for line in self.lines if line.meter is meter)


@dataclass
class Paying(Billed):
    """One that takes payments, and is told what its webhooks tell."""

    name: str = "paying"
    told: Sequence[PaymentEvent] = ()

    async def open_checkout(self, request: Any) -> Any:
        raise Rejected("not here")

    async def open_portal(self, customer: str, return_url: str) -> str:
        return f"https://portal.example/{customer}"

    async def read_webhook(
        self, body: bytes, headers: Mapping[str, str]
    ) -> Sequence[PaymentEvent]:
        return self.told


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def rates() -> Rates:
    return Rates(BillingSettings(backend="billed", at_limit="overage"))


@pytest.fixture
def tenant(store: Store) -> str:
    def make(connection: sa.Connection) -> str:
        made = create(connection, NewTenant("Shop", "ord-1", "lite"), "cli")
        ago = time.time() - 10 * 24 * HOUR
        connection.execute(sa.update(tenants).values(created_at=ago))
        return made

    return store.write(make)


Use = Callable[..., Coroutine[Any, Any, None]]


@pytest.fixture
def use(store: Store, rates: Rates, tenant: str) -> Use:
    """Push one bucket of usage, through the usage room."""
    usage = Ingestion(store)
    usage.observe(Accrual(rates))

    async def push(
        tokens: int,
        *,
        revision: int = 1,
        model: str = INCLUDED,
        cost: int = 0,
        ago: int = 1,
        whose: str = tenant,
    ) -> None:
        hour = (int(time.time()) // HOUR - ago) * HOUR
        counts = Counts(input_tokens=tokens, cost_micros=cost, requests=1)
        bucket = Bucket(hour, "main", model, revision, counts)
        await usage.take(Push(whose, [bucket]))

    return push
