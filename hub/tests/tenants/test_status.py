"""How a server is, by what it says and by its silence; and when someone is alarmed."""

from __future__ import annotations

import time
from itertools import count

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from hub.tests.site import Site
from letsbe_hub.settings import TenantSettings
from letsbe_hub.storage.store import Store
from letsbe_hub.storage.tables.shared import acts
from letsbe_hub.storage.tables.tenants import server_connections as servers
from letsbe_hub.storage.tables.tenants import tenants
from letsbe_hub.tenants.registry import NewTenant, create
from letsbe_hub.tenants.status import AT_ONCE, Judged, Known, Watch, judge

SETTINGS = TenantSettings()
BEAT = SETTINGS.heartbeat_seconds


@pytest.mark.parametrize(
    ("silent", "reported", "status"),
    [
        (0, "operational", "operational"),
        (1.9, "degraded", "degraded"),
        (2.1, "operational", "late"),
        (4.9, "updating", "late"),
        (5.1, "operational", "disconnected"),
    ],
)
def test_silence_makes_late_and_then_disconnected(
    silent: float, reported: str, status: str
) -> None:
    known = Known(0, 10_000, reported, reported, 0, None)
    at = 10_000 + silent * BEAT
    assert judge(known, at, SETTINGS, up_since=0).status == status


def test_the_hubs_own_silence_alarms_nobody() -> None:
    known = Known(0, 100, "operational", "operational", 0, None)
    judged = judge(known, 100_010, SETTINGS, up_since=100_000)
    assert judged == Judged("operational", False)


def test_a_server_that_never_beat_is_being_provisioned() -> None:
    known = Known(1000, 1000, "operational", "provisioning", 1000, None)
    assert judge(known, 1010, SETTINGS, up_since=0).status == "provisioning"


@given(
    st.lists(st.tuples(st.booleans(), st.floats(1, 4 * BEAT)), min_size=1, max_size=60)
)
def test_alarms_do_not_flutter(steps: list[tuple[bool, float]]) -> None:
    # Whatever comes and goes: an alarm begins only after a long silence, and ends
    # only after the server has been back for a while.
    now = seen = since = 10_000.0
    status, alarmed_at = "operational", None
    for beats, pause in steps:
        now += pause
        if beats:
            seen = now
        known = Known(0, seen, "operational", status, since, alarmed_at)
        judged = judge(known, now, SETTINGS, up_since=0)
        if judged.status != status:
            status, since = judged.status, now
        if judged.alarm and alarmed_at is None:
            assert now - seen >= BEAT * (SETTINGS.disconnected_after + 5) - 1e-6
            alarmed_at = now
        elif not judged.alarm and alarmed_at is not None:
            assert status not in ("late", "disconnected")
            alarmed_at = None


def test_the_watch_writes_down_what_changed(site: Site) -> None:
    tenant = site.tenant()
    heard: list[tuple[str, bool]] = []
    watch: Watch = site.hub.watch
    watch.alarms.append(lambda _, who, alarm: heard.append((who, alarm)))
    now = time.time()

    def status() -> str:
        query = sa.select(servers.c.status).where(servers.c.tenant_id == tenant.id)
        return str(site.hub.store.read(lambda c: c.scalar(query)))

    assert watch.look(now + 1) == 0
    assert watch.look(now + 3 * BEAT) == 1
    assert status() == "late"
    watch.look(now + 6 * BEAT)
    assert (status(), heard) == ("disconnected", [])
    assert watch.look(now + 12 * BEAT) == 1
    assert watch.look(now + 13 * BEAT) == 0
    assert heard == [(tenant.id, True)]
    metrics = site.http.get("/metrics").text
    assert 'letsbe_hub_servers{status="disconnected"} 1.0' in metrics
    back = sa.update(servers).values(last_seen_at=now + 13 * BEAT)
    site.hub.store.write(lambda c: c.execute(back))
    watch.look(now + 13 * BEAT)
    assert status() == "operational"
    for beats in (14, 15):
        site.hub.store.write(
            lambda c, n=beats: c.execute(  # type: ignore[misc] # mypy does not infer the default's type
                sa.update(servers).values(last_seen_at=now + n * BEAT)
            )
        )
        watch.look(now + beats * BEAT)
    assert heard == [(tenant.id, True)]
    site.hub.store.write(
        lambda c: c.execute(sa.update(servers).values(last_seen_at=now + 17 * BEAT))
    )
    watch.look(now + 17 * BEAT)
    assert heard == [(tenant.id, True), (tenant.id, False)]
    query = sa.select(acts.c.act).where(acts.c.actor == "hub").order_by(acts.c.id)
    acted = site.hub.store.read(lambda c: c.scalars(query).all())
    assert acted == ["server.alarm", "server.calm"]


def test_thousands_are_judged_in_small_transactions(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, many = time.time(), 2 * AT_ONCE + 1

    def fill(connection: sa.Connection) -> None:
        for number in range(many):
            made = create(
                connection, NewTenant(f"t{number}", f"o{number}", "lite"), "staff:x"
            )
            connection.execute(
                sa.insert(servers).values(
                    tenant_id=made,
                    server_id="srv",
                    reported_status="operational",
                    registered_at=now - 100,
                    last_seen_at=now,
                    status="operational",
                    status_since=now,
                )
            )
        connection.execute(sa.update(tenants).values(state="active"))

    store.write(fill)
    watch = Watch(store, SETTINGS)
    writes, write = count(1), store.write
    monkeypatch.setattr(store, "write", lambda c: next(writes) and write(c))
    assert watch.look(now + 3 * BEAT) == many
    assert next(writes) == 4  # three were made
    statuses = store.read(lambda c: c.scalars(sa.select(servers.c.status)).all())
    assert statuses == ["late"] * many
    assert watch.look(now + 3 * BEAT) == 0
