"""A clock that jumps closes, expires and pauses nothing."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import anyio
import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from hub.tests.api.test_tokens import ask
from hub.tests.site import People, Site
from letsbe_hub import witnesses
from letsbe_hub.chores import do_chores
from letsbe_hub.cli import main
from letsbe_hub.clock import FEW, Clock, Heard
from letsbe_hub.storage.acts import record
from letsbe_hub.storage.store import Store, sqlite_url
from letsbe_hub.storage.tables.approvals import command_approvals
from letsbe_hub.storage.tables.billing import billing_periods
from letsbe_hub.storage.tables.shared import acts
from letsbe_hub.storage.tables.tenants import server_connections
from letsbe_hub.witnesses import kernel_synchronised

AHEAD = 40 * 86_400.0


def chores(site: Site, until: Callable[[], bool]) -> None:
    """Let a Hub do what it does by itself, until something is so and a while more."""

    async def run() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(do_chores, site.hub)
            with anyio.fail_after(60):
                while not until():
                    await anyio.sleep(0.05)
            await anyio.sleep(0.3)
            tasks.cancel_scope.cancel()

    anyio.run(run)


def states(site: Site) -> set[str]:
    """Return the states of every period and approval."""

    def look(connection: sa.Connection) -> set[str]:
        periods = connection.scalars(sa.select(billing_periods.c.state))
        return {*periods, *connection.scalars(sa.select(command_approvals.c.state))}

    return site.hub.store.read(look)


def acted(site: Site) -> list[str]:
    """Return what was noted of the clock, in order."""
    query = sa.select(acts.c.act).where(acts.c.subject == "clock").order_by(acts.c.id)
    return list(site.hub.store.read(lambda c: c.scalars(query).all()))


@pytest.fixture(autouse=True)
def no_ntp(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether this machine's clock is synchronised must not matter here."""
    monkeypatch.setattr(witnesses, "kernel_synchronised", lambda: False)


def say(site: Site, skew: float) -> None:
    """Let every server have said just now by how much its clock is ahead."""
    values = {"clock_skew": skew, "last_seen_at": time.time()}
    change = sa.update(server_connections).values(values)
    site.hub.store.write(lambda c: c.execute(change))


def test_a_jump_ahead_does_nothing_that_cannot_be_taken_back(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(site, site.tenant())
    chores(site, lambda: states(site) == {"open", "pending"})
    real = time.time
    with monkeypatch.context() as jumped:
        jumped.setattr(time, "time", lambda: real() + AHEAD)
        chores(site, lambda: site.hub.clock.fault is not None)
        assert "has jumped" in site.http.get("/readyz").json()["checks"]["clock"]
        assert states(site) == {"open", "pending"}
    chores(site, lambda: site.hub.clock.fault is None)
    assert "clock" not in site.http.get("/readyz").json()["checks"]
    assert states(site) == {"open", "pending"}


def test_servers_know_better_than_a_clock_that_started_wrong(site: Site) -> None:
    for _ in range(FEW):
        site.tenant()
        say(site, -AHEAD)
        assert not Clock(site.hub.store).believed()
    say(site, 2.0)
    assert Clock(site.hub.store).believed()


def test_a_clock_that_was_set_right_is_believed_once_servers_agree(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + AHEAD)
    clock = Clock(site.hub.store)
    monkeypatch.undo()
    monkeypatch.setattr(witnesses, "kernel_synchronised", lambda: False)
    assert not clock.believed()
    for _ in range(FEW):
        site.tenant()
    say(site, 1.0)
    assert clock.believed()


@pytest.mark.parametrize("off", [AHEAD, -AHEAD, 2 * 86_400])
def test_a_start_far_from_what_was_written_waits_for_somebody_to_vouch(
    site: Site, monkeypatch: pytest.MonkeyPatch, off: float
) -> None:
    site.tenant()
    store, real = site.hub.store, time.time
    monkeypatch.setattr(time, "time", lambda: real() + off)
    started = Clock(store)
    assert not started.believed()
    assert "what the Hub wrote down last" in str(started.fault)
    # Starting again is no way around it: by now that time has been written down.
    again = Clock(store)
    assert not again.believed()
    assert "nothing has cleared it up" in str(again.fault)
    store.write(lambda c: witnesses.confirm(c, time.time(), "my watch", "cli"))
    for clock in (started, again, Clock(store)):
        assert clock.believed()
    assert acted(site) == ["clock.doubt", "clock.confirm", *["clock.trust"] * 2]


def test_what_an_operator_said_is_of_no_use_to_another_time(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.tenant()
    store, real = site.hub.store, time.time
    store.write(lambda c: witnesses.confirm(c, real(), "my watch", "cli"))
    monkeypatch.setattr(time, "time", lambda: real() + AHEAD)
    assert not Clock(store).believed()


def test_what_vouches_for_a_clock_is_believed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.tenant()
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + 3 * 86_400)
    assert not Clock(site.hub.store).believed()
    with monkeypatch.context() as ntp:
        ntp.setattr(witnesses, "kernel_synchronised", lambda: True)
        assert Clock(site.hub.store).believed()
    site.hub.store.write(
        lambda c: record(c, "hub", "clock.doubt", "clock", {"why": ""})
    )
    say(site, 1.0)
    assert Clock(site.hub.store).believed()


def test_an_outage_of_some_hours_and_an_empty_hub_need_nobody(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + AHEAD)
    assert Clock(site.hub.store).believed()
    monkeypatch.setattr(time, "time", real)
    site.tenant()
    monkeypatch.setattr(time, "time", lambda: real() + 20 * 3600)
    assert Clock(site.hub.store).believed()
    assert acted(site) == []


def test_a_clock_that_keeps_step_for_days_needs_nobody(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.tenant()
    started, real, steady = Clock(site.hub.store), time.time, time.clock_gettime
    assert started.believed()
    monkeypatch.setattr(time, "time", lambda: real() + AHEAD)
    monkeypatch.setattr(time, "clock_gettime", lambda which: steady(which) + AHEAD)
    assert started.believed()


@pytest.mark.parametrize(
    ("heard", "fault", "who"),
    [
        ({}, None, None),
        ({"database": 0.0}, None, "PostgreSQL's machine"),
        ({"database": AHEAD}, "PostgreSQL's machine is", None),
        ({"database": AHEAD, "synchronised": True}, "PostgreSQL's machine is", None),
        ({"database": AHEAD, "confirmed": True}, None, "an operator"),
        ({"database": AHEAD, "skews": (1.0, 2.0, 3.0)}, None, "most servers"),
        ({"skews": (AHEAD,)}, "the servers are", None),
        ({"skews": (AHEAD,), "synchronised": True}, None, "the kernel's NTP"),
        ({"skews": (AHEAD,) * FEW, "synchronised": True}, "most servers", None),
        ({"skews": (AHEAD,) * FEW, "confirmed": True}, "most servers", None),
        ({"skews": (AHEAD, 1.0, 2.0)}, None, "most servers"),
        ({"skews": (1.0,)}, None, "a server"),
    ],
)
def test_who_is_believed_before_whom(
    heard: dict[str, Any], fault: str | None, who: str | None
) -> None:
    now = 1e9
    nothing = {"skews": (), "database": None, "synchronised": False, "confirmed": False}
    if "database" in heard:
        heard = heard | {"database": now + heard["database"]}
    found = Heard(now, **(nothing | heard))
    if fault is None:
        assert (found.against(), found.vouching()) == (None, who)
    else:
        assert fault in str(found.against())


def test_the_kernel_and_the_database_are_asked(site: Site) -> None:
    assert kernel_synchronised() in (True, False)
    # Here PostgreSQL runs on this machine, whose clock is the one in question.
    assert site.hub.store.read(witnesses.database_time) is None


def test_an_operator_looks_and_confirms(tmp_path: Path) -> None:
    def run(*argv: str, **more: Any) -> Any:
        argv = ("clock", *argv, "--home", str(tmp_path / "hub"))
        return CliRunner().invoke(main, argv, **more)

    shown = json.loads(run("show", "--json").stdout)
    assert abs(datetime.fromisoformat(shown["time"]).timestamp() - time.time()) < 60
    assert (shown["serversHeard"], shown["against"]) == (0, None)
    assert "Missing option '--reason'" in run("confirm").output
    assert "--reason: must not be empty" in run("confirm", "--reason", "").output
    assert run("confirm", "--reason", "my watch", input="n\n").exit_code == 1
    assert json.loads(run("show", "--json").stdout)["vouchedBy"] != "an operator"
    said = run("confirm", "--reason", "my watch", input="y\n")
    assert (said.exit_code, "Noted: it is" in said.output) == (0, True)
    assert json.loads(run("show", "--json").stdout)["vouchedBy"] == "an operator"
    with contextlib.closing(Store(sqlite_url(tmp_path / "hub/hub.db"))) as store:
        (row,) = store.read(lambda c: c.execute(sa.select(acts)).all())
    assert (row.actor, row.act, row.detail["why"]) == (
        "cli",
        "clock.confirm",
        "my watch",
    )


def test_nobody_charges_by_a_clock_that_is_doubted(
    site: Site, staff: People, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant, boss = site.tenant(), staff.add("boss", "billing.write")
    path = f"/api/v1/admin/tenants/{tenant.id}/billing/overage"
    assert site.http.post(path, headers=boss).status_code == 200
    say(site, AHEAD)
    site.hub.clock._looked = float("-inf")  # a minute has gone by
    refused = site.http.post(path, headers=boss)
    assert refused.status_code == 409
    assert "servers are" in refused.json()["error"]["message"]
    monkeypatch.setattr(Clock, "believed", lambda _: False)
    monkeypatch.setattr(Clock, "fault", "the clock has jumped")
    argv = ["billing", "sweep", "--home", str(tmp_path / "hub")]
    ran = CliRunner().invoke(main, argv)
    assert (ran.exit_code, "has jumped" in ran.output) == (1, True)
