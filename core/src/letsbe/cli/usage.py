"""``letsbe usage``: the tokens that agents used, by hour and model."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from letsbe.cli.output import (
    home_option,
    json_option,
    print_json,
    print_table,
    reporting,
)
from letsbe.home import Home

if TYPE_CHECKING:
    from letsbe.proxy.metering import Bucket
    from letsbe.proxy.usage import Usage

HOUR = 3600
COLUMNS = (
    *("hour", "agent", "model", "requests", "input", "cached", "hit rate"),
    *("output", "reasoning", "cost", "estimated"),
)


@click.command()
@home_option
@click.option(
    "--hours", type=click.IntRange(min=1), help="Only of so many hours, up to now."
)
@click.option("--agent", help="Only of this agent.")
@click.option("--model", help="Only of this model.")
@json_option
@reporting
def usage(
    home: Home, hours: int | None, agent: str | None, model: str | None, as_json: bool
) -> None:
    """See what tokens were used, by hour, agent and model.

    The hit rate is the part of the input that came from the provider's cache. Tokens
    are estimated where a provider did not tell them, and the last column says for how
    many requests.
    """
    from letsbe.proxy.metering import buckets, total  # noqa: PLC0415 - slow to import
    from letsbe.proxy.sharing import open_usage  # noqa: PLC0415

    since = 0.0 if hours is None else time.time() - (hours - 1) * HOUR
    with closing(open_usage(home, read_only=True)) as database:
        found = [
            bucket
            for bucket in buckets(database, since)
            if agent in (None, bucket.agent_id) and model in (None, bucket.model)
        ]
    together = total([bucket.usage for bucket in found])
    if as_json:
        rows = [_as_json(bucket) for bucket in found]
        print_json({"buckets": rows, "total": _counts(together)})
        return
    cells = [(_time(b.hour), b.agent_id, b.model, *_cells(b.usage)) for b in found]
    print_table(COLUMNS, [*cells, ("total", "", "", *_cells(together))])


def hit_rate(used: Usage) -> float | None:
    """Return the part of the input that was cached, or nothing where none was sent."""
    return used.cached_tokens / used.input_tokens if used.input_tokens else None


def _as_json(bucket: Bucket) -> dict[str, Any]:
    return {
        "hour": _time(bucket.hour),
        "agent_id": bucket.agent_id,
        "model": bucket.model,
        "revision": bucket.revision,
        **_counts(bucket.usage),
    }


def _counts(used: Usage) -> dict[str, Any]:
    rate = hit_rate(used)
    return {
        **asdict(used),
        "cache_hit_rate": None if rate is None else round(rate, 4),
        "estimated": used.estimated_requests > 0,
    }


def _cells(used: Usage) -> tuple[object, ...]:
    rate = hit_rate(used)
    return (
        *(used.requests, used.input_tokens, used.cached_tokens),
        "" if rate is None else f"{rate:.0%}",
        *(used.output_tokens, used.reasoning_tokens),
        f"{used.cost_micros / 1_000_000:.6f}" if used.cost_micros else "",
        used.estimated_requests or "",
    )


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%MZ")
