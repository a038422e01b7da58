"""What can tell the time besides this machine's clock, and what the Hub noted of it."""

from __future__ import annotations

import ctypes
import ctypes.util
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from letsbe_hub.storage.acts import record
from letsbe_hub.storage.tables.shared import acts
from letsbe_hub.storage.tables.tenants import server_connections as servers

RECENT_SECONDS = 900.0
"""How long ago a server may have told the time."""
SUBJECT = "clock"
DOUBT, TRUST, CONFIRM = "clock.doubt", "clock.trust", "clock.confirm"

_TIME_ERROR = 5
_TIMEX_BYTES = 512  # more than any kernel's struct timex


@dataclass(frozen=True, slots=True)
class Noted:
    """What the database holds of the time.

    Args:
        newest: The latest moment that was written down; None where no server ever was.
        doubt: Why a clock was doubted, if nothing has cleared that up since.
    """

    newest: float | None
    doubt: str | None


def noted(connection: sa.Connection, now: float) -> Noted:
    """Read what the Hub wrote down while its clock was believed, or was not.

    A server may have been noted in the future, by a clock that was wrong then and has
    been set right; what people and the Hub did last says that better.
    """
    known = connection.scalar(sa.select(sa.func.count()).select_from(servers))
    seen = sa.select(sa.func.max(servers.c.last_seen_at))
    last = sa.select(acts.c.at).order_by(acts.c.id.desc()).limit(1)
    moments = [
        connection.scalar(seen.where(servers.c.last_seen_at <= now)),
        connection.scalar(last),
    ]
    newest = max((moment for moment in moments if moment is not None), default=None)
    said = _last(connection)
    doubted = said is not None and said.act == DOUBT
    why = str(said.detail["why"]) if said is not None and doubted else None
    return Noted(newest if known else None, why)


def confirmed_at(connection: sa.Connection) -> float | None:
    """Return the time that an operator last said it was."""
    said = _last(connection, acts.c.act == CONFIRM)
    return None if said is None else float(said.at)


def confirm(connection: sa.Connection, now: float, reason: str, actor: str) -> None:
    """Note that somebody looked at a clock that is right, and that it says this."""
    record(connection, actor, CONFIRM, SUBJECT, {"time": now, "why": reason})


def skews(connection: sa.Connection, now: float) -> list[float]:
    """Return by how much the servers that were heard of lately are ahead."""
    query = sa.select(servers.c.clock_skew).where(
        servers.c.clock_skew.is_not(None),
        servers.c.last_seen_at.between(now - RECENT_SECONDS, now + RECENT_SECONDS),
    )
    return list(connection.scalars(query))


def database_time(connection: sa.Connection) -> float | None:
    """Ask the database for the time, where it has a clock of its own.

    SQLite has none; PostgreSQL on this machine has the one that is in question.
    """
    if connection.dialect.name != "postgresql":
        return None
    row = connection.execute(
        sa.text(
            "SELECT extract(epoch FROM clock_timestamp())::double precision AS now,"
            " inet_server_addr() IS NULL OR inet_server_addr() = inet_client_addr()"
            " AS here"
        )
    ).one()
    return None if row.here else float(row.now)


def kernel_synchronised() -> bool:
    """Say whether the kernel holds its clock for synchronised by NTP: adjtimex(2).

    Setting the clock by hand ends that until the daemon has set it right again.
    """
    name = ctypes.util.find_library("c")
    libc = ctypes.CDLL(name, use_errno=True) if name else None
    if libc is None or not hasattr(libc, "adjtimex"):
        return False
    state: int = libc.adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    return 0 <= state < _TIME_ERROR


def _last(
    connection: sa.Connection, *which: sa.ColumnElement[bool]
) -> sa.Row[Any] | None:
    query = sa.select(acts).where(acts.c.subject == SUBJECT, *which)
    return connection.execute(query.order_by(acts.c.id.desc()).limit(1)).first()
