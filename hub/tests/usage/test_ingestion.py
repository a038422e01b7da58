"""Usage is taken in exactly once in effect, whatever comes in whatever order."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hub.tests.site import People, Site, Tenant
from letsbe_hub.errors import UsageConflict
from letsbe_hub.storage.store import Store
from letsbe_hub.storage.tables.billing import billing_periods
from letsbe_hub.tenants.registry import NewTenant, create
from letsbe_hub.usage.buckets import NOTHING, Bucket, Counts
from letsbe_hub.usage.ingestion import Change, Ingestion, Push, Taken
from letsbe_hub.usage.totals import grouped, total

PATH = "/api/v1/tenant/usage"
HOUR = int(time.time()) // 3600 * 3600 - 7200


def body(**more: Any) -> dict[str, Any]:
    bucket = {"hour": HOUR, "agentId": "main", "model": "deepseek/v3", "revision": 1}
    return {"buckets": [bucket | {"inputTokens": 100, "requests": 1} | more]}


def push(site: Site, tenant: Tenant, said: dict[str, Any]) -> Any:
    return site.http.post(PATH, headers=tenant.headers, json=said)


def sum_of(site: Site, tenant: Tenant) -> int:
    return site.hub.store.read(lambda c: total(c, tenant.id, 0, 1e11)).input_tokens


def test_a_push_is_stored_and_a_replay_changes_nothing(site: Site) -> None:
    tenant = site.tenant()
    first = push(site, tenant, body())
    assert first.json()["data"] == {"stored": 1, "unchanged": 0}
    again = push(site, tenant, body())
    assert again.json()["data"] == {"stored": 0, "unchanged": 1}
    assert sum_of(site, tenant) == 100


def test_a_higher_revision_takes_the_place(site: Site) -> None:
    tenant = site.tenant()
    push(site, tenant, body(revision=3, inputTokens=300))
    push(site, tenant, body(revision=2, inputTokens=200))
    assert sum_of(site, tenant) == 300
    push(site, tenant, body(revision=4, inputTokens=50))
    assert sum_of(site, tenant) == 50


def test_a_conflicting_replay_is_refused_whole(site: Site) -> None:
    tenant = site.tenant()
    push(site, tenant, body())
    other = body(agentId="sales")["buckets"] + body(inputTokens=7)["buckets"]
    answer = push(site, tenant, {"buckets": other})
    assert answer.status_code == 409
    error = answer.json()["error"]
    assert error["code"] == "USAGE_CONFLICT"
    assert [d["field"] for d in error["details"]] == ["buckets.1"]
    assert sum_of(site, tenant) == 100


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"hour": HOUR + 1}, "buckets.0.hour"),
        # The clock may go past an hour between the collecting and the test.
        ({"hour": HOUR + 24 * 3600}, "buckets.0.hour"),
        ({"hour": HOUR - 36 * 86400}, "buckets.0.hour"),
        ({"inputTokens": -1}, "buckets.0.inputTokens"),
        ({"inputTokens": 10**16}, "buckets.0.inputTokens"),
        ({"inputTokens": 1.5}, "buckets.0.inputTokens"),
        ({"inputTokens": "1"}, "buckets.0.inputTokens"),
        ({"revision": 0}, "buckets.0.revision"),
        ({"model": "a\nb"}, "buckets.0.model"),
        ({"surprise": 1}, "buckets.0.surprise"),
    ],
)
def test_a_wrong_bucket_is_named_and_nothing_stored(
    site: Site, more: dict[str, Any], field: str
) -> None:
    tenant = site.tenant()
    said = {"buckets": body(agentId="good")["buckets"] + body()["buckets"]}
    said["buckets"][0] |= more
    answer = push(site, tenant, said)
    assert answer.status_code == 400
    assert [d["field"] for d in answer.json()["error"]["details"]] == [field]
    assert sum_of(site, tenant) == 0


def test_a_bucket_twice_in_one_push_is_refused(site: Site) -> None:
    said = {"buckets": body()["buckets"] * 2}
    assert push(site, site.tenant(), said).status_code == 400


def test_a_closed_period_takes_no_more(site: Site) -> None:
    tenant = site.tenant()
    push(site, tenant, body())
    site.hub.store.write(lambda c: c.execute(_closed(tenant.id)))
    assert push(site, tenant, body()).json()["data"]["unchanged"] == 1
    late = push(site, tenant, body(revision=2, inputTokens=500))
    assert late.status_code == 409
    assert "closed" in late.json()["error"]["details"][0]["message"]
    assert sum_of(site, tenant) == 100


def _closed(tenant_id: str) -> sa.Insert:
    return sa.insert(billing_periods).values(
        id="per_1",
        tenant_id=tenant_id,
        starts_at=HOUR - 86400,
        ends_at=HOUR + 3600,
        plan="lite",
        plan_tokens=1,
        pool_tokens=1,
        at_limit="pause",
        state="closed",
    )


def test_sums_are_grouped(site: Site, staff: People) -> None:
    tenant = site.tenant()
    push(site, tenant, body(agentId="a"))
    push(site, tenant, body(agentId="b", inputTokens=5))
    boss = staff.add("boss", "usage.read")
    path = f"/api/v1/admin/tenants/{tenant.id}/usage"
    answer = site.http.get(path, headers=boss, params={"by": "agent"}).json()["data"]
    assert [(row["group"], row["inputTokens"]) for row in answer] == [
        (["a"], 100),
        (["b"], 5),
    ]
    everything = site.http.get(path, headers=boss).json()["data"]
    assert everything[0]["inputTokens"] == 105


revisions = st.lists(
    st.tuples(
        st.integers(0, 1),  # tenant
        st.integers(0, 2),  # hour
        st.sampled_from(["a", "b"]),  # agent
        st.integers(1, 6),  # revision
    ),
    min_size=1,
    max_size=24,
)


class Ledger:
    """An observer that adds up what it is told, as a billing room does."""

    def __init__(self) -> None:
        self.sums: defaultdict[str, Counts] = defaultdict(Counts)

    def __call__(self, _: sa.Connection, changes: Sequence[Change]) -> None:
        for change in changes:
            self.sums[change.tenant_id] += change.added


def tenants(store: Store, number: int) -> list[str]:
    def change(connection: sa.Connection) -> list[str]:
        news = [NewTenant("x", secrets.token_hex(6), "lite") for _ in range(number)]
        return [create(connection, new, "cli") for new in news]

    return store.write(change)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(pushed=st.lists(revisions, min_size=1, max_size=6))
def test_any_interleaving_adds_up(store: Store, pushed: list[list[Any]]) -> None:
    # Two nodes of the Hub on one database, all pushes at once.
    ids = tenants(store, 2)
    ledger = Ledger()
    nodes = [Ingestion(store), Ingestion(store)]
    for node in nodes:
        node.observe(ledger)
    newest: dict[tuple[str, int, str], int] = {}
    jobs = []
    for place, rows in enumerate(pushed):
        for tenant in (0, 1):
            buckets = {}
            for _, hour, agent, revision in (r for r in rows if r[0] == tenant):
                counts = Counts(input_tokens=revision * 10, requests=revision)
                at = HOUR - 3600 * hour
                buckets[at, agent] = Bucket(at, agent, "m", revision, counts)
            for (at, agent), bucket in buckets.items():
                key = ids[tenant], at, agent
                newest[key] = max(newest.get(key, 0), bucket.revision)
            if buckets:
                job = Push(ids[tenant], list(buckets.values()))
                jobs.append((nodes[place % 2], job))

    async def run() -> list[Taken | None]:
        return await asyncio.gather(*(node.take(job) for node, job in jobs))

    asyncio.run(run())
    for node in nodes:
        node.close()
    for tenant_id in ids:
        wanted = sum(10 * r for (t, _, _), r in newest.items() if t == tenant_id)
        found = store.read(lambda c, t=tenant_id: total(c, t, 0, 1e11))  # type: ignore[misc] # mypy does not infer the default's type
        assert found.input_tokens == wanted
        assert ledger.sums[tenant_id] == found


def test_one_refused_push_does_not_take_its_neighbours_with_it(store: Store) -> None:
    one, other = tenants(store, 2)
    ingestion = Ingestion(store)
    good = Bucket(HOUR, "a", "m", 1, Counts(input_tokens=5))
    bad = Bucket(HOUR, "a", "m", 1, Counts(input_tokens=6))

    async def run() -> list[Taken | BaseException | None]:
        await ingestion.take(Push(one, [good]))
        pushes = [Push(one, [bad]), Push(other, [good]), Push("ten_gone", [good])]
        return await asyncio.gather(
            *(ingestion.take(push) for push in pushes), return_exceptions=True
        )

    refused, stored, unknown = asyncio.run(run())
    ingestion.close()
    assert isinstance(refused, UsageConflict)
    assert stored == Taken(1, 0)
    assert "IntegrityError" in [kind.__name__ for kind in type(unknown).__mro__]
    assert (
        store.read(lambda c: grouped(c, other, 0, 1e11, "model"))[0][1] == good.counts
    )


def test_an_observer_that_fails_takes_the_push_back(store: Store) -> None:
    (tenant,) = tenants(store, 1)
    ingestion = Ingestion(store)

    def fail(_: sa.Connection, __: Sequence[Change]) -> None:
        raise ZeroDivisionError

    ingestion.observe(fail)
    bucket = Bucket(HOUR, "a", "m", 1, Counts(input_tokens=5))
    with pytest.raises(ZeroDivisionError):
        asyncio.run(ingestion.take(Push(tenant, [bucket])))
    ingestion.close()
    assert store.read(lambda c: total(c, tenant, 0, 1e11)) == NOTHING
