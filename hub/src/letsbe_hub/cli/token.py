"""``letsbe-hub token``: issues the one-time tokens that servers register with."""

from __future__ import annotations

import click

from letsbe.cli.output import json_option, print_facts, print_json, reporting
from letsbe_hub.cli.options import ACTOR, database_option, home_option, known, opened
from letsbe_hub.home import HubHome


@click.group()
def token() -> None:
    """Issue registration tokens."""


@token.command()
@click.argument("tenant_id", metavar="TENANT")
@click.option(
    "--minutes",
    type=click.FloatRange(0, 43200, min_open=True),
    default=1440.0,
    show_default=True,
    help="How long it is good for.",
)
@home_option
@database_option
@json_option
@reporting
def issue(
    tenant_id: str, minutes: float, home: HubHome, database: str | None, as_json: bool
) -> None:
    """Issue a token that registers one server; earlier ones are revoked.

    It is shown this once.
    """
    from letsbe_hub.api.bodies import rfc3339  # noqa: PLC0415 - slow to import
    from letsbe_hub.tenants.registration import issue_token  # noqa: PLC0415
    from letsbe_hub.tenants.registry import find  # noqa: PLC0415

    with opened(home, database) as store, known("tenant_id"):
        made, expires_at = store.write(
            lambda c: issue_token(c, tenant_id, minutes, ACTOR)
        )
        order = store.read(lambda c: find(c, tenant_id)).order_id
    facts = {"token": made, "order": order, "expires": rfc3339(expires_at)}
    if as_json:
        print_json(facts)
        return
    print_facts(list(facts.items()))
    click.echo(f"\nOn its server: letsbe hub register URL --order {order}")
