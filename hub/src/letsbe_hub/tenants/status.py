"""What the Hub makes of a server's heartbeats, with hysteresis before an alarm.

A server that says nothing is first late, then disconnected. Someone is alarmed only
when it has been disconnected for a while, and the alarm ends only when it has been
back for a while: a network that comes and goes alarms once, and a Hub that was away
itself alarms nobody about its own silence.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from letsbe_hub.settings import TenantSettings
from letsbe_hub.storage.acts import record
from letsbe_hub.storage.store import Store
from letsbe_hub.storage.tables.tenants import server_connections as servers
from letsbe_hub.storage.tables.tenants import tenants

log = logging.getLogger(__name__)

ALARM_AFTER = 5.0
"""Heartbeats that a server is disconnected before someone is alarmed."""
CALM_AFTER = 3.0
"""Heartbeats that it is back before the alarm ends."""

AT_ONCE = 250
"""Servers of one transaction: heartbeats come in between."""

SILENT = ("late", "disconnected")


@dataclass(frozen=True, slots=True)
class Known:
    """A server as it stands.

    Args:
        registered_at: When it registered.
        last_seen_at: When it was last heard of.
        reported: What it says of itself.
        status: What the Hub made of it so far.
        since: Since when.
        alarmed_at: Since when someone is alarmed about it.
    """

    registered_at: float
    last_seen_at: float
    reported: str
    status: str
    since: float
    alarmed_at: float | None


@dataclass(frozen=True, slots=True)
class Judged:
    """What is made of a server now.

    Args:
        status: Its status.
        alarm: Whether someone is to be, or to stay, alarmed.
    """

    status: str
    alarm: bool


def judge(
    known: Known, now: float, settings: TenantSettings, *, up_since: float
) -> Judged:
    """Judge one server.

    Args:
        known: What is known of it.
        now: The Hub's time.
        settings: How often it is to beat.
        up_since: Since when this Hub has been listening; silence before is its own.
    """
    beat = settings.heartbeat_seconds
    silence = now - max(known.last_seen_at, min(up_since, now))
    status = known.reported
    if known.last_seen_at <= known.registered_at:
        status = "provisioning"
    if silence > beat * settings.disconnected_after:
        status = "disconnected"
    elif silence > beat * settings.late_after:
        status = "late"
    steady = now - known.since if status == known.status else 0.0
    if known.alarmed_at is None:
        return Judged(status, status == "disconnected" and steady >= beat * ALARM_AFTER)
    calm = status not in SILENT and steady >= beat * CALM_AFTER
    return Judged(status, not calm)


@dataclass(frozen=True, slots=True)
class Change:
    """What changes of a server; after an outage it is the same of thousands.

    Args:
        status: Its status until now.
        alarmed_at: Since when someone is alarmed about it until now.
        judged: What is made of it now.
    """

    status: str
    alarmed_at: float | None
    judged: Judged


Alarm = Callable[[sa.Connection, str, bool], None]
"""Told inside the transaction that a tenant's alarm begins (True) or ends."""


class Watch:
    """Looks at all servers again and again.

    Args:
        store: The database.
        settings: How often they are to beat.
    """

    def __init__(self, store: Store, settings: TenantSettings) -> None:
        self._store = store
        self._settings = settings
        self._up_since = time.time()
        self.alarms: list[Alarm] = []
        self.counts: Counter[str] = Counter()
        """Servers by status, as of the last look."""

    def look(self, now: float | None = None) -> int:
        """Judge every server, and write down what changed.

        Returns:
            How many changed.
        """
        at = time.time() if now is None else now
        rows: list[Any] = self._store.read(lambda c: list(c.execute(_READ)))
        self.counts = Counter()
        changed: dict[Change, list[str]] = defaultdict(list)
        for row in rows:
            known = Known(*row[1:])
            judged = judge(known, at, self._settings, up_since=self._up_since)
            self.counts[judged.status] += 1
            alarmed = known.alarmed_at is not None
            if judged.status != known.status or judged.alarm != alarmed:
                change = Change(known.status, known.alarmed_at, judged)
                changed[change].append(row.tenant_id)
        for change, tenant_ids in changed.items():
            for start in range(0, len(tenant_ids), AT_ONCE):
                some = tenant_ids[start : start + AT_ONCE]
                self._store.write(lambda c, x=change, t=some: self._write(c, x, t, at))  # type: ignore[misc]  # bound at once
        return sum(map(len, changed.values()))

    def _write(
        self,
        connection: sa.Connection,
        change: Change,
        tenant_ids: Sequence[str],
        now: float,
    ) -> None:
        judged = change.judged
        alarms = judged.alarm != (change.alarmed_at is not None)
        values: dict[str, Any] = {"status": judged.status}
        if judged.status != change.status:
            values["status_since"] = now
        if alarms:
            values["alarmed_at"] = now if judged.alarm else None
        # Another node may have looked at the same moment; one of them is told. Locked
        # in the order of heartbeats, so that neither waits for the other.
        still = (
            sa.select(servers.c.tenant_id)
            .where(
                servers.c.tenant_id.in_(tenant_ids),
                servers.c.status == change.status,
                servers.c.alarmed_at.is_not_distinct_from(change.alarmed_at),
            )
            .order_by(servers.c.tenant_id)
            .with_for_update()
        )
        done = list(connection.scalars(still))
        where = servers.c.tenant_id.in_(done)
        connection.execute(sa.update(servers).where(where).values(**values))
        for tenant_id in done if alarms else ():
            self._tell(connection, tenant_id, alarm=judged.alarm)

    def _tell(self, connection: sa.Connection, tenant_id: str, *, alarm: bool) -> None:
        act = "server.alarm" if alarm else "server.calm"
        record(connection, "hub", act, f"tenant:{tenant_id}")
        log.warning("%s: %s", act, tenant_id)
        for told in self.alarms:
            told(connection, tenant_id, alarm)


_READ = (
    sa.select(
        servers.c.tenant_id,
        servers.c.registered_at,
        servers.c.last_seen_at,
        servers.c.reported_status,
        servers.c.status,
        servers.c.status_since,
        servers.c.alarmed_at,
    )
    .join(tenants)
    .where(tenants.c.state == "active")
)


def shown(counts: Mapping[str, int]) -> dict[str, int]:
    """Return the counts of every status there is, for the metrics."""
    statuses = ("provisioning", "operational", "degraded", "updating", *SILENT)
    return {status: counts.get(status, 0) for status in statuses}
