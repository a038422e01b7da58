"""The outbox: what is to be told to the outside, put there by the change itself.

An entry is put in by the transaction that it tells of, so that neither is without the
other. Whoever works a topic off takes entries for a while; one that dies leaves them
to be taken again, with ``attempts`` above one: what became of the earlier attempt is
not known. Entries of one lane are worked off one after another, in order.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from letsbe_hub.storage.store import Store
from letsbe_hub.storage.tables.shared import outbox

LEASE_SECONDS = 120.0
"""How long a node may work on what it took."""
FIRST_PAUSE = 2.0
LONGEST_PAUSE = 900.0
_WAITS = outbox.c.state == "waiting"


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry that was taken.

    Args:
        id: Its number.
        lane: Its lane.
        payload: What it tells.
        attempts: How often it was taken, this time included.
        created_at: When it was put in.
        claimed_until: Until when it is ours.
    """

    id: int
    lane: str
    payload: Mapping[str, Any]
    attempts: int
    created_at: float
    claimed_until: float


def put(
    connection: sa.Connection,
    topic: str,
    lane: str,
    dedupe: str,
    payload: Mapping[str, Any],
    *,
    due_at: float | None = None,
) -> None:
    """Put an entry in, once: the same ``dedupe`` again changes nothing."""
    now = time.time()
    on_sqlite = connection.dialect.name == "sqlite"
    insert = (sqlite.insert if on_sqlite else postgresql.insert)(outbox).values(
        topic=topic,
        lane=lane,
        dedupe=dedupe,
        payload=dict(payload),
        state="waiting",
        created_at=now,
        due_at=now if due_at is None else due_at,
    )
    connection.execute(
        insert.on_conflict_do_nothing(index_elements=["topic", "dedupe"])
    )


async def claim(
    store: Store, topic: str, most: int, *, now: float | None = None
) -> list[Entry]:
    """Take entries that are due, at most one of each lane.

    Args:
        store: The database.
        topic: Of which kind.
        most: How many at most.
        now: The time, if not the present.
    """
    moment = time.time() if now is None else now
    return await store.write_async(lambda c: _claim(c, topic, most, moment))


def _claim(connection: sa.Connection, topic: str, most: int, now: float) -> list[Entry]:
    earlier = outbox.alias()
    free = sa.or_(outbox.c.claimed_until.is_(None), outbox.c.claimed_until < now)
    blocked = sa.exists().where(
        earlier.c.topic == topic,
        earlier.c.lane == outbox.c.lane,
        earlier.c.state == "waiting",
        earlier.c.id < outbox.c.id,
    )
    query = (
        sa.select(outbox)
        .where(outbox.c.topic == topic, _WAITS, outbox.c.due_at <= now, free, ~blocked)
        .order_by(outbox.c.due_at, outbox.c.id)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    rows = connection.execute(query).all()
    until = now + LEASE_SECONDS
    if rows:
        connection.execute(
            sa.update(outbox)
            .where(outbox.c.id.in_([row.id for row in rows]))
            .values(claimed_until=until, attempts=outbox.c.attempts + 1)
        )
    return [
        Entry(r.id, r.lane, r.payload, r.attempts + 1, r.created_at, until)
        for r in rows
    ]


def settle(connection: sa.Connection, entry: Entry) -> None:
    """Note that an entry is done, in the transaction of what it brought about."""
    _end(connection, entry, "done", None)


def bury(connection: sa.Connection, entry: Entry, error: str) -> None:
    """Note that an entry will never be done; its lane goes on without it."""
    _end(connection, entry, "dead", error)


def postpone(
    connection: sa.Connection,
    entry: Entry,
    error: str,
    *,
    after: float | None = None,
) -> None:
    """Put an entry back, to be taken again after a growing while.

    Args:
        connection: A write's.
        entry: The entry.
        error: Why it could not be done; safe to show.
        after: Seconds that the other side asks to wait.
    """
    pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(entry.attempts - 1, 12))
    wait = max(pause * random.uniform(0.5, 1.0), after or 0.0)  # noqa: S311 - jitter
    connection.execute(
        sa.update(outbox)
        .where(_ours(entry))
        .values(due_at=time.time() + wait, claimed_until=None, last_error=error)
    )


def rewrite(
    connection: sa.Connection, entry: Entry, payload: Mapping[str, Any]
) -> None:
    """Replace what an entry tells, so that nothing secret stays in it."""
    connection.execute(
        sa.update(outbox).where(outbox.c.id == entry.id).values(payload=dict(payload))
    )


def backlog(connection: sa.Connection, topic: str) -> tuple[int, int, float]:
    """Return how many entries wait, how many are dead, and the oldest one's age."""
    waiting, dead, oldest = connection.execute(
        sa.select(
            sa.func.count().filter(_WAITS),
            sa.func.count().filter(outbox.c.state == "dead"),
            sa.func.min(outbox.c.created_at).filter(_WAITS),
        ).where(outbox.c.topic == topic)
    ).one()
    return waiting, dead, 0.0 if oldest is None else time.time() - oldest


def _end(
    connection: sa.Connection, entry: Entry, state: str, error: str | None
) -> None:
    connection.execute(
        sa.update(outbox)
        .where(_ours(entry))
        .values(
            state=state, settled_at=time.time(), claimed_until=None, last_error=error
        )
    )


def _ours(entry: Entry) -> sa.ColumnElement[bool]:
    """Match an entry as long as no other node has taken it over."""
    mine = outbox.c.claimed_until == entry.claimed_until
    return sa.and_(outbox.c.id == entry.id, _WAITS, mine)
