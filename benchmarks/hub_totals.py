"""Whether the sums of usage are right however pushes are interleaved."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence

import sqlalchemy as sa

from benchmarks.hub_tenants import HOUR
from letsbe_hub.storage.store import Store
from letsbe_hub.usage.buckets import Bucket, Counts
from letsbe_hub.usage.ingestion import WAITING, Change, Ingestion, Push

INTERLEAVINGS = 1000


def wrong_totals(url: str) -> int:
    """Push revisions in random orders by two nodes at once; count wrong totals."""
    store = Store(url)
    nodes = [Ingestion(store), Ingestion(store)]
    periods: Counter[str] = Counter()
    for node in nodes:
        node.observe(lambda _, changes: _add(periods, changes))
    wrong = asyncio.run(_interleave(store, nodes, periods))
    for node in nodes:
        node.close()
    store.close()
    return wrong


def _add(periods: Counter[str], changes: Sequence[Change]) -> None:
    """Keep a period's total as a billing room does: by what came to each bucket."""
    for change in changes:
        if change.bucket.agent_id.startswith("mix"):
            periods[change.bucket.agent_id] += change.added.input_tokens


async def _interleave(
    store: Store, nodes: list[Ingestion], periods: Counter[str]
) -> int:
    wrong = 0
    for start in range(0, INTERLEAVINGS, 50):
        numbers = range(start, start + 50)
        jobs: list[tuple[Ingestion, Push]] = []
        for number in numbers:
            rng = random.Random(number)
            buckets = [
                Bucket(
                    HOUR - 3600 * h, f"mix{number}", m, r, Counts(input_tokens=r * 7)
                )
                for h in range(2)
                for m in "ab"
                for r in range(1, 5)
            ]
            rng.shuffle(buckets)
            jobs += [
                (rng.choice(nodes), Push(f"ten_{number:05}", [b])) for b in buckets
            ]
            jobs += [(rng.choice(nodes), job) for _, job in rng.sample(jobs[-16:], 5)]
        random.Random(start).shuffle(jobs)
        # As many at once as a node lets wait.
        for first in range(0, len(jobs), WAITING):
            some = jobs[first : first + WAITING]
            await asyncio.gather(*(node.take(job) for node, job in some))
        sums = store.read(_sums)
        # Of each of four buckets the fourth revision counts.
        wrong += sum(
            not periods[f"mix{n}"] == sums.get(f"mix{n}") == 4 * 28 for n in numbers
        )
    return wrong


def _sums(connection: sa.Connection) -> dict[str, int]:
    query = sa.text(
        "SELECT agent_id, sum(input_tokens) FROM token_usage_buckets"
        " WHERE agent_id LIKE 'mix%' GROUP BY agent_id"
    )
    return {agent: int(tokens) for agent, tokens in connection.execute(query)}
