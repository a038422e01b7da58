"""``letsbe-hub usage``: what tenants have used."""

from __future__ import annotations

import click

from letsbe.cli.output import json_option, print_json, print_table, reporting
from letsbe_hub.cli.options import database_option, home_option, known, opened
from letsbe_hub.home import HubHome

COUNTS = ("input_tokens", "output_tokens", "cost_micros", "requests")
"""What is added up; costs are in millionths of the currency."""
BY = {
    "agent": ("agent",),
    "model": ("model",),
    "hour": ("hour",),
    "agent_model": ("agent", "model"),
}
"""By what, and the columns of each."""


@click.command()
@click.argument("tenant_id", metavar="TENANT")
@click.option(
    "--by",
    type=click.Choice(list(BY)),
    default="agent_model",
    show_default=True,
    help="What to add up by.",
)
@click.option(
    "--days",
    type=click.IntRange(1, 400),
    default=31,
    show_default=True,
    help="How far back.",
)
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
    """Add up what TENANT (an id, ``ten_...``) has used; costs are in millionths."""
    import time  # noqa: PLC0415 - with the others

    from letsbe_hub.tenants.registry import find  # noqa: PLC0415 - slow to import
    from letsbe_hub.usage.totals import grouped  # noqa: PLC0415

    since = time.time() - days * 86_400
    with opened(home, database) as store, known("tenant_id"):
        store.read(lambda c: find(c, tenant_id))
        found = store.read(lambda c: grouped(c, tenant_id, since, 1e11, by))
    columns = (*BY[by], *COUNTS)
    rows = [
        (*map(_shown, names), *(getattr(counts, name) for name in COUNTS))
        for names, counts in found
    ]
    if as_json:
        print_json([dict(zip(columns, row, strict=True)) for row in rows])
    else:
        print_table(columns, rows)
        if not rows:
            click.echo(f"Nothing was used in the last {days} days.", err=True)


def _shown(name: object) -> str:
    """Show an hour as a moment, and an agent or a model as it is called."""
    from letsbe_hub.api.bodies import rfc3339  # noqa: PLC0415 - slow to import

    return rfc3339(name) if isinstance(name, int) else str(name)
