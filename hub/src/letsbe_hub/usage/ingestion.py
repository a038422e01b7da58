"""Taking usage in: exactly once in effect, many pushes to a transaction.

A push is all or nothing. Of a bucket that is there already, a higher revision takes
its place, the same revision with the same counts changes nothing, with others it is
refused, and a lower one is an old push that came late and changes nothing.

The tenants of a batch are locked first, in their own statement: without that, two
nodes at work on one tenant can both add to a period what only one of them stored
(measured; a lock inside the same statement does not help). Observers, such as the
billing room, see each change in the same transaction, so that what they add up is
always the sum of the buckets.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from letsbe.errors import FieldError
from letsbe_hub.errors import LetsBeError, UsageConflict
from letsbe_hub.storage.group_commit import GroupCommit
from letsbe_hub.storage.store import KeptWriter, Store
from letsbe_hub.tenants.keys import good
from letsbe_hub.usage.buckets import NOTHING, Bucket, Counts
from letsbe_hub.usage.statements import Statements

BATCH = 64
"""Pushes to a transaction: 24 buckets each make one of some 1,500 rows."""
WAITING = 1024
"""Pushes that may wait: about a second's."""
WRITERS = 2
"""Transactions at a time on PostgreSQL: while one waits for it, another is prepared.
Two take a quarter more pushes than one; three take no more."""


@dataclass(frozen=True, slots=True)
class Push:
    """What one server sends at once.

    Args:
        tenant_id: Whose.
        buckets: Checked by :func:`letsbe_hub.usage.buckets.faults`.
        key_hash: Of the key that it came with, which must be good when it is stored;
            None where the Hub itself pushes.
    """

    tenant_id: str
    buckets: Sequence[Bucket]
    key_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a push.

    Args:
        stored: How many of its buckets were new or newer.
        unchanged: How many were there already.
    """

    stored: int
    unchanged: int


class Change(NamedTuple):
    """A bucket that changed.

    Args:
        tenant_id: Whose.
        bucket: As it is now.
        before: Its counts until now.
    """

    tenant_id: str
    bucket: Bucket
    before: Counts

    @property
    def added(self) -> Counts:
        """What came to the counts; negative where a correction took away."""
        return self.bucket.counts - self.before


Observer = Callable[[sa.Connection, Sequence[Change]], None]
"""Sees the changes of a batch inside its transaction; the tenants' rows are locked."""

Key = tuple[str, int, str, str]


class Ingestion:
    """Takes pushes.

    Args:
        store: The database.
    """

    def __init__(self, store: Store) -> None:
        self._statements = Statements(sqlite=store.is_sqlite)
        self._observers: list[Observer] = []
        writers = 1 if store.is_sqlite else WRITERS
        self._writers = [KeptWriter(store) for _ in range(writers)]
        self._commits: GroupCommit[Push, Taken | None] = GroupCommit(
            self._writers, self._apply, "letsbe-usage", BATCH, WAITING
        )

    def observe(self, observer: Observer) -> None:
        """Add one who sees every change; before the first push."""
        self._observers.append(observer)

    async def take(self, push: Push) -> Taken | None:
        """Store a push.

        Returns:
            What became of it; None if its key is not good now, and nothing was stored.

        Raises:
            UsageConflict: A bucket differs from what is there of the same revision, or
                belongs to a period that is closed; nothing of the push was stored.
            StorageUnavailable: It is not known to be stored.
        """
        return await self._commits.submit(push)

    def check(self) -> None:
        """Make sure that there is room for one more, before its body is read.

        Raises:
            Overloaded: There is none.
        """
        self._commits.check()

    def close(self) -> None:
        """Store what waits."""
        self._commits.close()
        for writer in self._writers:
            writer.close()

    def _apply(
        self, connection: sa.Connection, pushes: Sequence[Push]
    ) -> Sequence[Taken | LetsBeError | None]:
        keys = good(connection, {p.key_hash for p in pushes if p.key_hash})
        tenants = sorted({push.tenant_id for push in pushes})
        self._statements.lock(connection, tenants)
        closed = self._statements.closed_until(connection, tenants)
        wanted = {(p.tenant_id, b.hour) for p in pushes for b in p.buckets}
        present = self._statements.present(connection, sorted(wanted))
        changed: dict[Key, Bucket] = {}
        answers = [
            _judge(push, present, changed, closed)
            if push.key_hash is None or keys.get(push.key_hash) == push.tenant_id
            else None
            for push in pushes
        ]
        if changed:
            now = time.time()
            rows = [(*key, b.revision, *b.counts, now) for key, b in changed.items()]
            self._statements.put(connection, rows)
            changes = [
                Change(key[0], bucket, _counts(present.get(key)))
                for key, bucket in changed.items()
            ]
            for observer in self._observers:
                observer(connection, changes)
        return answers


def _judge(
    push: Push,
    present: Mapping[Key, Bucket],
    changed: dict[Key, Bucket],
    closed: Mapping[str, float],
) -> Taken | LetsBeError:
    """Compare a push with what is there, and add what is new of it to ``changed``."""
    newer: dict[Key, Bucket] = {}
    refused: list[FieldError] = []
    for place, bucket in enumerate(push.buckets):
        key = (push.tenant_id, *bucket.key)
        known = changed.get(key) or present.get(key)
        if known is not None and bucket.revision < known.revision:
            continue
        if known is not None and bucket.revision == known.revision:
            if bucket.counts != known.counts:
                said = f"revision {bucket.revision} is there with other counts"
                refused.append(FieldError(f"buckets.{place}", said))
            continue
        if bucket.hour < closed.get(push.tenant_id, 0.0):
            said = "its billing period is closed"
            refused.append(FieldError(f"buckets.{place}.hour", said))
            continue
        newer[key] = bucket
    if refused:
        message = "some buckets contradict what the Hub has; nothing was stored"
        return UsageConflict(message, details=tuple(refused))
    changed.update(newer)
    return Taken(len(newer), len(push.buckets) - len(newer))


def _counts(bucket: Bucket | None) -> Counts:
    return NOTHING if bucket is None else bucket.counts


def total(counts: Iterable[Counts]) -> Counts:
    """Add counts up."""
    return sum(counts, NOTHING)
