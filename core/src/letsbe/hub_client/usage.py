"""The outbox of usage: every bucket that the Hub has not got in its newest revision.

There is no second list that could differ from the buckets: what is to be sent is what
the mark of a bucket is behind. A mark is set after the Hub's answer, so a kill between
sends a bucket again, which changes nothing there.
"""

from __future__ import annotations

import logging
import re
from typing import Any

from letsbe.hub_client.state import HubState
from letsbe.hub_client.transport import HubApi, HubRefused
from letsbe.proxy.metering import HOUR
from letsbe.storage.database import Database

log = logging.getLogger(__name__)

BATCH = 200
OLDEST_SECONDS = 34 * 24 * 3600
"""Older buckets are not sent: the Hub takes none that are older than 35 days."""

_FIELDS = {
    "input_tokens": "inputTokens",
    "output_tokens": "outputTokens",
    "cached_tokens": "cachedTokens",
    "reasoning_tokens": "reasoningTokens",
    "cost_micros": "costMicros",
    "requests": "requests",
    "estimated_requests": "estimatedRequests",
}
_MARK = "'usage:' || u.hour || ':' || u.agent_id || ':' || u.model"
_WAITING = f"""
FROM token_usage u LEFT JOIN hub_state h ON h.key = {_MARK}
WHERE u.hour >= ? AND (h.value IS NULL OR CAST(h.value AS INTEGER) < u.revision)
"""
_NEXT = f"""
SELECT u.hour, u.agent_id, u.model, u.revision,
{", ".join(f"u.{name}" for name in _FIELDS)}
{_WAITING} ORDER BY u.hour, u.agent_id, u.model LIMIT {BATCH}
"""
_COUNT = f"SELECT count(*) {_WAITING}"
_FORGET = """
DELETE FROM hub_state WHERE (key GLOB 'usage:*' OR key GLOB 'usage-refused:*')
AND CAST(substr(key, instr(key, ':') + 1) AS INTEGER) < ?
"""
"""Marks of buckets that are never sent again."""
_PLACE = re.compile(r"^buckets\.(\d+)")


class UsageOutbox:
    """Sends usage.

    Args:
        database: Where the buckets are, and the marks.
        state: The marks, in the same database.
        api: The Hub.
    """

    def __init__(self, database: Database, state: HubState, api: HubApi) -> None:
        self._database = database
        self._state = state
        self._api = api

    def waiting(self, now: float) -> int:
        """Say how many buckets the Hub has yet to get."""
        return waiting(self._database, now)

    async def send(self, now: float) -> int:
        """Send all that waits.

        Args:
            now: The time.

        Returns:
            How many buckets the Hub took.

        Raises:
            HubUnreachable: The Hub does not answer; the rest waits.
            HubRefused: It says no for a reason that no bucket is to blame for.
        """
        sent = 0
        while buckets := self._next(now):
            sent += await self._push(buckets)
        await self._database.write_async(lambda c: c.execute(_FORGET, (_first(now),)))
        return sent

    def _next(self, now: float) -> list[dict[str, Any]]:
        first = _first(now)
        rows = self._database.read(lambda c: c.execute(_NEXT, (first,)).fetchall())
        return [
            {"hour": hour, "agentId": agent, "model": model, "revision": revision}
            | dict(zip(_FIELDS.values(), counts, strict=True))
            for hour, agent, model, revision, *counts in rows
        ]

    async def _push(self, buckets: list[dict[str, Any]]) -> int:
        """Send buckets; those that the Hub cannot take are set aside, and logged."""
        try:
            await self._api.post("usage", {"buckets": buckets})
        except HubRefused as error:
            blamed = {
                int(found[1])
                for detail in error.details
                if (found := _PLACE.match(detail.field))
            }
            if not blamed or max(blamed) >= len(buckets):
                raise
            aside = [buckets[place] for place in sorted(blamed)]
            log.error("the Hub refuses %d buckets: %s", len(aside), error.message)
            await self._mark(aside, refused=True)
            rest = [b for n, b in enumerate(buckets) if n not in blamed]
            return await self._push(rest) if rest else 0
        await self._mark(buckets, refused=False)
        return len(buckets)

    async def _mark(self, buckets: list[dict[str, Any]], *, refused: bool) -> None:
        values: dict[str, Any] = {}
        for bucket in buckets:
            key = f"{bucket['hour']}:{bucket['agentId']}:{bucket['model']}"
            values[f"usage:{key}"] = bucket["revision"]
            values[f"usage-refused:{key}"] = bucket["revision"] if refused else None
        await self._state.change(values)


def waiting(database: Database, now: float) -> int:
    """Say how many buckets the Hub has yet to get."""
    first = _first(now)
    row = database.read(lambda c: c.execute(_COUNT, (first,)).fetchone())
    return int(row[0])


def _first(now: float) -> int:
    return int(now - OLDEST_SECONDS) // HOUR * HOUR
