"""``letsbe-hub usage``: what tenants have used."""

from __future__ import annotations

import click

from letsbe.cli.output import json_option, print_json, print_table, reporting
from letsbe_hub.cli.options import database_option, home_option, opened
from letsbe_hub.home import HubHome

COUNTS = ("input_tokens", "output_tokens", "cost_micros", "requests")


@click.command()
@click.argument("tenant_id", metavar="TENANT")
@click.option(
    "--by",
    type=click.Choice(["agent", "model", "hour", "agent_model"]),
    default="agent_model",
    show_default=True,
)
@click.option("--days", type=click.IntRange(1, 400), default=31, show_default=True)
@home_option
@database_option
@json_option
@reporting
def usage(
    tenant_id: str,
    by: str,
    days: int,
    home: HubHome,
    database: str | None,
    as_json: bool,
) -> None:
    """Add up what a tenant has used."""
    import time  # noqa: PLC0415 - with the others

    from letsbe_hub.tenants.registry import find  # noqa: PLC0415 - slow to import
    from letsbe_hub.usage.totals import grouped  # noqa: PLC0415

    since = time.time() - days * 86_400
    with opened(home, database) as store:
        store.read(lambda c: find(c, tenant_id))
        found = store.read(lambda c: grouped(c, tenant_id, since, 1e11, by))
    rows = [
        (" ".join(map(str, names)), *(getattr(counts, name) for name in COUNTS))
        for names, counts in found
    ]
    if as_json:
        print_json([dict(zip((by, *COUNTS), row, strict=True)) for row in rows])
    else:
        print_table((by, *COUNTS), [tuple(map(str, row)) for row in rows])
