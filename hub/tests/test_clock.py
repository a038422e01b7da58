"""A clock that jumps closes, expires and pauses nothing."""

from __future__ import annotations

import time
from collections.abc import Callable

import anyio
import pytest
import sqlalchemy as sa

from hub.tests.api.test_tokens import ask
from hub.tests.site import Site
from letsbe_hub.chores import do_chores
from letsbe_hub.clock import FEW, Clock
from letsbe_hub.storage.tables.approvals import command_approvals
from letsbe_hub.storage.tables.billing import billing_periods
from letsbe_hub.storage.tables.tenants import server_connections

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


def test_most_servers_know_better_than_a_clock_that_started_wrong(site: Site) -> None:
    for number in range(1, FEW + 1):
        site.tenant()
        say(site, -AHEAD)
        assert Clock(site.hub.store).believed() is (number < FEW)
    say(site, 2.0)
    assert Clock(site.hub.store).believed()


def test_a_clock_that_was_set_right_is_believed_once_servers_agree(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + AHEAD)
    clock = Clock(site.hub.store)
    monkeypatch.undo()
    assert not clock.believed()
    for _ in range(FEW):
        site.tenant()
    say(site, 1.0)
    assert clock.believed()
