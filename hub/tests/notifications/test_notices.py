"""Notices reach people once, by the channels they chose, and late ones are told of."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa

from letsbe.plugin import (
    AddressGone,
    Delivered,
    Health,
    LetsBeError,
    Notice,
    Rejected,
    TryLater,
)
from letsbe_hub.accounts.people import NewPerson
from letsbe_hub.accounts.people import create as create_person
from letsbe_hub.notifications import preferences
from letsbe_hub.notifications.notices import Told, tell
from letsbe_hub.notifications.sending import Announcer, delay_p95
from letsbe_hub.notifications.templates import TEMPLATES
from letsbe_hub.storage.store import Store
from letsbe_hub.storage.tables.notices import deliveries, notice_addresses
from letsbe_hub.storage.tables.shared import outbox
from letsbe_hub.tenants.registry import NewTenant
from letsbe_hub.tenants.registry import create as create_tenant

pytestmark = pytest.mark.anyio

ALERT = {"percent": 80, "used": 8, "pool": 10, "choice": "pause"}
APPROVAL = {
    "approval": "apr_1",
    "agent": "main",
    "tool": "shell",
    "meaning": "Destroys something",
    "reason": "deletes {braces} stay as they are",
}


@dataclass
class Channel:
    """A notifier in memory; ``fails`` is consumed, one for each sending."""

    name: str
    sent: list[tuple[str, Notice]] = field(default_factory=list)
    fails: deque[LetsBeError | Exception] = field(default_factory=deque)
    became: dict[str, Delivered] = field(default_factory=dict)

    def check_address(self, address: str) -> str:
        return address

    async def send(self, address: str, notice: Notice) -> str | None:
        if self.fails:
            raise self.fails.popleft()
        self.sent.append((address, notice))
        return f"{self.name}-{len(self.sent)}"

    async def receipts(self, receipts: Sequence[str]) -> Mapping[str, Delivered]:
        return {r: self.became[r] for r in receipts if r in self.became}

    async def check(self) -> Health:
        return Health(healthy=True)


@dataclass
class House:
    """A tenant with an owner who has two channels, and a stranger."""

    store: Store
    tenant: str
    owner: str
    email: Channel
    push: Channel
    announcer: Announcer

    def tell(self, template: str, values: Mapping[str, object], key: str = "k") -> None:
        told = Told(key, template, values)
        self.store.write(lambda c: tell(c, told, tenant_id=self.tenant))

    async def deliver(self, ahead: float = 0.0) -> None:
        while await self.announcer.deliver(now=time.time() + ahead):
            ahead += 2_000 if ahead else 0

    def states(self) -> list[str]:
        query = sa.select(deliveries.c.state).order_by(deliveries.c.state)
        return list(self.store.read(lambda c: c.scalars(query).all()))


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def house(store: Store) -> House:
    def make(connection: sa.Connection) -> tuple[str, str]:
        tenant = create_tenant(connection, NewTenant("Shop", "o-1", "lite"), "cli")
        other = create_tenant(connection, NewTenant("Other", "o-2", "lite"), "cli")
        owner = NewPerson("owner@example.com", "O", "owner", tenants=(tenant,))
        id_ = create_person(connection, owner, "cli")
        stranger = NewPerson("other@example.com", "S", "owner", tenants=(other,))
        create_person(connection, stranger, "cli")
        create_person(connection, NewPerson("a@example.com", "A", "admin"), "cli")
        preferences.add_address(connection, id_, "push", "device-1")
        return tenant, id_

    tenant, owner = store.write(make)
    email, push = Channel("email"), Channel("push")
    announcer = Announcer(store, (email, push), "https://hub.example/")
    return House(store, tenant, owner, email, push, announcer)


def test_every_template_fills_in_what_it_needs() -> None:
    for name, template in TEMPLATES.items():
        values = dict.fromkeys(template.fields, "x{y}")
        notice = template.notice("k", values, "https://hub.example")
        assert template.category in preferences.CATEGORIES, name
        assert notice.url
        assert notice.url.startswith("https://hub.example/")
        assert "\n" not in notice.title


async def test_a_tenants_people_are_told_by_all_their_channels_once(
    house: House,
) -> None:
    for _ in range(3):
        house.tell("approval", APPROVAL, "approval:1")
        await house.deliver()
    assert [address for address, _ in house.email.sent] == ["owner@example.com"]
    ((address, notice),) = house.push.sent
    assert address == "device-1"
    assert notice.url == "https://hub.example/approvals/apr_1"
    assert notice.urgent
    assert "{braces}" in notice.body
    assert "main of Shop asks to use shell" in notice.body
    assert house.states() == ["sent", "sent"]


async def test_people_choose_what_they_are_told_and_how(house: House) -> None:
    wanted = {"usage": {"email": False}}
    house.store.write(lambda c: preferences.choose(c, house.owner, wanted, "x"))
    house.tell("pool_alert", ALERT)
    await house.deliver()
    assert (len(house.email.sent), len(house.push.sent)) == (0, 1)


async def test_staff_are_told_of_operations(house: House) -> None:
    told = Told("m", "meter_fault", {"what": "x"})
    house.store.write(lambda c: tell(c, told, staff=True))
    await house.deliver()
    assert [address for address, _ in house.email.sent] == ["a@example.com"]


async def test_a_channel_that_fails_is_tried_again_and_the_others_do_not_wait(
    house: House,
) -> None:
    house.push.fails.extend([TryLater("x"), RuntimeError("canary")])
    house.tell("pool_alert", ALERT)
    await house.deliver()
    assert (len(house.email.sent), len(house.push.sent)) == (1, 0)
    await house.deliver(ahead=2_000)
    assert len(house.push.sent) == 1
    assert len(house.email.sent) == 1
    rows = house.store.read(lambda c: c.execute(sa.select(outbox)).all())
    assert "canary" not in str(rows)


async def test_a_dead_address_is_forgotten(house: House) -> None:
    house.push.fails.append(AddressGone("x"))
    for key in ("1", "2"):
        house.tell("pool_alert", ALERT, key)
        await house.deliver()
    assert len(house.push.sent) == 0
    assert len(house.email.sent) == 2
    assert house.states() == ["gone", "sent", "sent"]


async def test_receipts_tell_later_of_dead_addresses(house: House) -> None:
    house.tell("pool_alert", ALERT)
    await house.deliver()
    house.push.became["push-1"] = Delivered.GONE
    house.email.became["email-1"] = Delivered.DELIVERED
    assert await house.announcer.ask_receipts() == 0  # too soon
    assert await house.announcer.ask_receipts(now=time.time() + 1_000) == 2
    assert house.states() == ["delivered", "gone"]
    gone = sa.select(notice_addresses.c.channel).where(
        notice_addresses.c.gone_at.is_not(None)
    )
    assert house.store.read(lambda c: c.scalars(gone).all()) == ["push"]


async def test_what_is_rejected_or_too_late_is_let_go(house: House) -> None:
    house.push.fails.append(Rejected("x"))
    house.tell("pool_alert", ALERT)
    await house.deliver()
    house.tell("approval", APPROVAL, "late")

    def age(connection: sa.Connection) -> None:
        rows = connection.execute(
            sa.select(outbox).where(outbox.c.state == "waiting")
        ).all()
        for row in rows:
            payload = {**row.payload, "at": time.time() - 2 * 86_400}
            connection.execute(
                sa.update(outbox).where(outbox.c.id == row.id).values(payload=payload)
            )

    house.store.write(age)
    await house.deliver()
    assert house.states() == ["expired", "expired", "failed", "sent"]


async def test_slow_approval_notices_raise_an_alarm_once_an_hour(house: House) -> None:
    now = time.time()
    assert await house.announcer.alarm_if_slow(now=now) is None
    house.tell("approval", APPROVAL)
    await house.deliver()
    assert (await house.announcer.alarm_if_slow(now=now) or 99) < 30

    def slow(connection: sa.Connection) -> None:
        late = deliveries.c.happened_at + 31
        connection.execute(sa.update(deliveries).values(sent_at=late))

    house.store.write(slow)
    assert house.store.read(lambda c: delay_p95(c, now)) == pytest.approx(31)
    for _ in range(2):
        await house.announcer.alarm_if_slow(now=now)
    await house.deliver()
    titles = [n.title for a, n in house.email.sent if a == "a@example.com"]
    assert titles == ["Approval notices are late"]


async def test_an_unsent_notice_counts_with_the_time_it_has_waited(
    house: House,
) -> None:
    house.push.fails.append(TryLater("x"))
    house.tell("approval", APPROVAL)
    await house.deliver()
    later = time.time() + 100
    assert (house.store.read(lambda c: delay_p95(c, later)) or 0) > 90


async def test_a_one_time_link_goes_by_letter_alone_and_does_not_stay(
    house: House,
) -> None:
    values = {"token": "canary-token", "minutes": 30}
    told = Told("p", "password_reset", values)
    house.store.write(lambda c: tell(c, told, person_id=house.owner))
    await house.deliver()
    assert house.push.sent == []
    ((_, notice),) = house.email.sent
    assert notice.url == "https://hub.example/password#canary-token"
    rows = house.store.read(lambda c: c.execute(sa.select(outbox)).all())
    assert "canary-token" not in str(rows)
