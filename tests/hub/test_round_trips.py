"""A Hub and a tenant's server, two real processes, through what can go wrong."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from letsbe.home import Home
from letsbe.proxy.sharing import open_usage
from letsbe.storage.database import Database
from letsbe_hub.api.principals import Audience, Principal
from letsbe_hub.approvals import decisions
from letsbe_hub.configuration import staging
from letsbe_hub.storage.store import Store, sqlite_url
from letsbe_hub.tenants.registry import find
from letsbe_hub.usage.totals import total
from tests.hub.processes import (
    HubProcess,
    TenantServer,
    eventually,
    hub,
    run,
    tenant,
)

OWNER = Principal(
    Audience.CUSTOMER, "owner", frozenset({decisions.DECIDE}), tenants=None
)
HOUR = int(time.time()) // 3600 * 3600 - 3600


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HubProcess]:
    with hub(tmp_path_factory.mktemp("control")) as made:
        yield made


@pytest.fixture
def bakery(tmp_path: Path, at: HubProcess) -> Iterator[TenantServer]:
    with tenant(tmp_path, at, "bakery") as made:
        yield made


@pytest.fixture(scope="module")
def store(at: HubProcess) -> Iterator[Store]:
    opened = Store(sqlite_url(at.home / "hub.db"))
    yield opened
    opened.close()


def seen(store: Store, server: TenantServer) -> sa.Row[Any]:
    return store.read(lambda c: find(c, server.tenant_id))


def pending(store: Store, server: TenantServer) -> list[sa.Row[Any]]:
    query = decisions.listing(OWNER, "pending", server.tenant_id)
    return list(store.read(lambda c: c.execute(query).all()))


def states(store: Store, server: TenantServer) -> list[str]:
    """Return how the approvals ended of which the server has told the end."""
    query = decisions.listing(OWNER, None, server.tenant_id)
    rows = store.read(lambda c: c.execute(query).all())
    return [row.state for row in rows if row.settled_at is not None]


def decide(store: Store, approval: str, decision: Any, reason: str | None) -> None:
    store.write(lambda c: decisions.decide(c, OWNER, approval, decision, reason))


def use(server: TenantServer, tokens: int, *, hour: int = HOUR) -> None:
    """Count usage on a tenant as the Secrets Proxy does."""
    with contextlib.closing(open_usage(Home(server.home))) as database:

        def change(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO token_usage (hour, agent_id, model, input_tokens,"
                " output_tokens, cached_tokens, revision, requests)"
                " VALUES (?, 'main', 'm', ?, 0, 0, 1, 1)"
                " ON CONFLICT (hour, agent_id, model) DO UPDATE SET"
                " input_tokens = input_tokens + excluded.input_tokens,"
                " revision = revision + 1, requests = requests + 1",
                (hour, tokens),
            )

        database.write(change)


def used(store: Store, server: TenantServer) -> int:
    return store.read(lambda c: total(c, server.tenant_id, 0, 1e11)).input_tokens


def risky(server: TenantServer, name: str = "old") -> Any:
    (server.root / name).mkdir(exist_ok=True)
    return server.call("shell", command=f"rm -r {name}")


def test_a_server_is_seen(at: HubProcess, bakery: TenantServer, store: Store) -> None:
    bakery.call("file_list", path=".")
    row = eventually(lambda: (r := seen(store, bakery)).audit_seq and r)
    assert row.last_seen_at > time.time() - 10
    assert row.reported_status == "operational"
    assert row.safety_wrapper_url == bakery.server.facts["safety_wrapper"]
    assert abs(row.clock_skew) < 5
    status = run("letsbe", "hub", "status", "--home", str(bakery.home))
    assert status["registered"]
    assert status["problem"] is None
    assert bakery.server.facts["hub"] == at.url


def test_an_approval_goes_round(bakery: TenantServer, store: Store) -> None:
    answer = risky(bakery)
    assert answer["status"] == "pending_approval"
    (row,) = eventually(lambda: pending(store, bakery))
    assert row.tenant_approval_id == answer["approval_id"]
    assert row.summary["plan"]
    decide(store, row.id, "approved", "fine")
    eventually(lambda: states(store, bakery) == ["done"])
    assert not (bakery.root / "old").exists()
    with bakery.operator() as http:
        local = http.get(f"/api/v1/approvals/{answer['approval_id']}").json()
    assert local["decided_by"] == "hub:customer:owner"


def test_a_denial_reaches_the_agent(bakery: TenantServer, store: Store) -> None:
    answer = risky(bakery)
    (row,) = eventually(lambda: pending(store, bakery))
    decide(store, row.id, "denied", "we need them")
    eventually(lambda: states(store, bakery) == ["denied"])
    assert (bakery.root / "old").exists()
    with bakery.operator() as http:
        local = http.get(f"/api/v1/approvals/{answer['approval_id']}").json()
    assert "we need them" in local["answer"]["reason"]


def test_what_is_decided_at_home_is_told(bakery: TenantServer, store: Store) -> None:
    answer = risky(bakery)
    eventually(lambda: pending(store, bakery))
    with bakery.operator() as http:
        http.post(f"/api/v1/approvals/{answer['approval_id']}/deny", json={})
    eventually(lambda: states(store, bakery) == ["denied"])


def test_nothing_is_lost_while_the_hub_is_away(
    at: HubProcess, bakery: TenantServer, store: Store
) -> None:
    use(bakery, 100)
    eventually(lambda: used(store, bakery) == 100)
    at.server.kill()
    use(bakery, 20)
    use(bakery, 7, hour=HOUR - 3600)
    answer = risky(bakery)
    assert answer["status"] == "pending_approval"
    (bakery.root / "note.txt").write_text("x")
    assert bakery.call("file_read", path="note.txt")["status"] == "ok"
    status = run("letsbe", "hub", "status", "--home", str(bakery.home))
    assert status["usage_waiting"] == 2
    bakery.server.kill()
    at.server.start()
    bakery.server.start()
    eventually(lambda: used(store, bakery) == 127)
    (row,) = eventually(lambda: pending(store, bakery))
    decide(store, row.id, "approved", None)
    eventually(lambda: states(store, bakery) == ["done"])


def test_a_decision_made_while_the_server_is_down_is_followed_once(
    bakery: TenantServer, store: Store
) -> None:
    risky(bakery)
    (row,) = eventually(lambda: pending(store, bakery))
    bakery.server.kill()
    decide(store, row.id, "approved", None)
    bakery.server.start()
    eventually(lambda: states(store, bakery) == ["done"])
    with contextlib.closing(Database(bakery.home / "letsbe.db")) as database:
        counted = database.read(
            lambda c: c.execute(
                "SELECT count(*) FROM audit_log WHERE kind = 'outcome'"
            ).fetchone()
        )
    assert counted == (1,)


def test_configuration_is_applied_and_a_wrong_one_rolled_back(
    bakery: TenantServer, store: Store
) -> None:
    rules = [{"tool": "file_list", "tier": "RED", "reason": "the owner asks for it"}]
    patch = {
        "autonomyLevel": 1,
        "agents": {"main": {"name": "Main", "externalUnlocks": ["ghost.publish"]}},
        "classification": rules,
    }
    store.write(
        lambda c: staging.stage(c, bakery.tenant_id, patch, actor="cli", note="x")
    )
    eventually(lambda: seen(store, bakery).applied_config_version == 1)
    agents = json.loads((bakery.home / "agents.json").read_text())
    assert agents["tenant"]["1"]["level"] == 1
    listed = bakery.call("file_list", path=".")
    assert (listed["status"], listed["tier"]) == ("pending_approval", "RED")
    wrong = {"autonomyLevel": 3, "plugins": []}
    store.write(
        lambda c: staging.stage(c, bakery.tenant_id, wrong, actor="cli", note="y")
    )
    eventually(lambda: seen(store, bakery).config_failed_version == 2)
    row = seen(store, bakery)
    assert row.applied_config_version == 1
    assert "must stay" in row.config_error
    agents = json.loads((bakery.home / "agents.json").read_text())
    assert agents["tenant"]["1"]["level"] == 1


def test_no_secret_reaches_the_hub(
    at: HubProcess, bakery: TenantServer, store: Store
) -> None:
    canary = "zQ7-canary-4417-hub"
    token = (bakery.home / "tokens/operator").read_text().strip()
    with bakery.operator() as http:
        secret = {"name": "shop_key", "value": canary}
        sent = http.post("/api/v1/secrets", json=secret)
        assert sent.status_code < 400, (sent.text, token[:2])
    (bakery.root / "old").mkdir()
    bakery.call("shell", command="rm -r old SECRET_REF(shop_key)")
    bakery.call("shell", command=f"rm -r {canary}")
    with contextlib.suppress(AssertionError):
        eventually(lambda: pending(store, bakery), 5)
    time.sleep(1.5)
    stored = b"".join(p.read_bytes() for p in at.home.glob("hub.db*"))
    assert canary.encode() not in stored
    assert canary.encode() not in (at.home / "log").read_bytes()


def test_registering_again_needs_a_word(at: HubProcess, bakery: TenantServer) -> None:
    import subprocess  # noqa: PLC0415
    import sys  # noqa: PLC0415

    argv = [sys.executable, "-m", "letsbe", "hub", "register", at.url, "--order", "x"]
    argv += ["--token-file", "-", "--home", str(bakery.home)]
    ran = subprocess.run(
        argv, input="lbr_x", capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert "--again" in ran.stderr
