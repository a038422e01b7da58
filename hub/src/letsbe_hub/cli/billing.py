"""``letsbe-hub billing``: what tenants came to, charged and checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from letsbe.cli.output import (
    json_option,
    print_facts,
    print_json,
    print_table,
    reporting,
)
from letsbe_hub.cli.options import (
    ACTOR,
    checked,
    database_option,
    home_option,
    known,
    opened,
)
from letsbe_hub.home import HubHome, make_home

if TYPE_CHECKING:
    from letsbe_hub.billing.rates import Rates

SUMMARY = {
    "tenants": "tenants in a period",
    "used": "tokens used",
    "pool": "tokens in their pools",
    "premium": "premium, in millionths of the currency",
    "at_limit": "tenants at their limit",
    "waiting": "billing entries that wait",
    "dead": "entries never taken",
    "oldest_seconds": "the oldest waits, in seconds",
    "rejected": "entries rejected",
    "founding_spots_left": "founding spots left",
}
"""What each figure is, for people."""
PERIODS = ("id", "from", "until", "plan", "pool", "used", "premium", "state")


@click.group()
def billing() -> None:
    """Show, charge and check billing periods."""


def rates_of(home: HubHome) -> Rates:
    """Read what usage costs from a home's configuration; a new home is made."""
    from letsbe_hub.billing.rates import Rates  # noqa: PLC0415 - slow to import
    from letsbe_hub.settings import load_settings  # noqa: PLC0415

    make_home(home)
    return Rates(load_settings(home)[0].billing)


@billing.command()
@home_option
@database_option
@json_option
@reporting
def summary(home: HubHome, database: str | None, as_json: bool) -> None:
    """Add up the present periods of all tenants, and say what to see to."""
    from letsbe_hub.billing.overview import troubles  # noqa: PLC0415 - slow to import
    from letsbe_hub.billing.statements import summary as add_up  # noqa: PLC0415

    with opened(home, database) as store:
        sums = store.read(add_up)
        facts = dict(zip(sums._fields, map(int, sums), strict=True))
        facts |= store.read(troubles)
    if as_json:
        print_json(facts)
    else:
        print_facts([(SUMMARY[name], value) for name, value in facts.items()])


@billing.command()
@click.argument("tenant_id", metavar="TENANT")
@home_option
@database_option
@json_option
@reporting
def show(tenant_id: str, home: HubHome, database: str | None, as_json: bool) -> None:
    """List the periods of TENANT, newest first: the history of its billing."""
    from letsbe_hub.api.bodies import rfc3339  # noqa: PLC0415 - slow to import
    from letsbe_hub.billing.statements import history  # noqa: PLC0415
    from letsbe_hub.tenants.registry import find  # noqa: PLC0415

    with opened(home, database) as store, known("tenant_id"):
        store.read(lambda c: find(c, tenant_id))
        found = store.read(lambda c: history(c, tenant_id))
    rows = [
        (
            row.id,
            rfc3339(row.starts_at),
            rfc3339(row.ends_at),
            row.plan,
            str(row.pool_tokens),
            str(row.used_tokens),
            str(row.premium_micros),
            row.state,
        )
        for row in found
    ]
    if as_json:
        print_json([dict(zip(PERIODS, row, strict=True)) for row in rows])
    else:
        print_table(PERIODS, rows)


@billing.command()
@click.argument("period_id", metavar="PERIOD")
@home_option
@database_option
@reporting
def statement(period_id: str, home: HubHome, database: str | None) -> None:
    """Make a period's statement again from its buckets, as JSON.

    Exit code 1: it is not the one that was kept, or not what was charged.
    """
    from letsbe_hub.billing.statements import verify  # noqa: PLC0415 - slow to import

    rates = rates_of(home)
    with opened(home, database) as store, known("period_id"):
        consistent, document = store.read(lambda c: verify(c, period_id, rates))
    print_json({"consistent": consistent, "statement": document})
    if not consistent:
        raise click.exceptions.Exit(1)


@billing.command()
@home_option
@database_option
@json_option
@reporting
def sweep(home: HubHome, database: str | None, as_json: bool) -> None:
    """Open, charge and close whatever is due; a running Hub does so by itself.

    It is not done by a clock that is doubted: `letsbe-hub clock show` says why.
    """
    from letsbe_hub.billing.closing import sweep as run  # noqa: PLC0415 - slow
    from letsbe_hub.clock import Clock  # noqa: PLC0415

    with opened(home, database) as store:
        Clock(store).require()
        done = run(store, rates_of(home))
    if as_json:
        print_json(done)
    else:
        print_facts(list(done.items()))


@billing.command()
@click.argument("tenant_id", metavar="TENANT")
@click.argument("kind", type=click.Choice(["tokens", "money"]))
@click.argument("amount", type=int)
@click.option("--reason", required=True, help="Why; a customer reads it.")
@home_option
@database_option
@json_option
@reporting
def adjust(
    tenant_id: str,
    kind: str,
    amount: int,
    reason: str,
    home: HubHome,
    database: str | None,
    as_json: bool,
) -> None:
    """Add AMOUNT tokens to the pool, or hundredths of the currency to the invoice.

    Below zero takes away; such an amount stands behind `--`.
    """
    from letsbe_hub.api.admin.billing import AdjustmentBody  # noqa: PLC0415 - slow
    from letsbe_hub.billing import choices  # noqa: PLC0415

    checked(AdjustmentBody, kind=kind, amount=amount, reason=reason)
    rates, new = rates_of(home), choices.NewAdjustment(kind, amount, reason)
    with opened(home, database) as store, known("tenant_id"):
        id_ = store.write(lambda c: choices.adjust(c, tenant_id, new, rates, ACTOR))
    facts: dict[str, Any] = {"adjustment": id_, "kind": kind, "amount": amount}
    if as_json:
        print_json(facts)
    else:
        print_facts(list(facts.items()))
