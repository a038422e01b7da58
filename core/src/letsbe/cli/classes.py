"""``letsbe approvals classes``: the classes of calls that people allowed."""

from __future__ import annotations

import getpass
import time

import click

from letsbe.cli.output import (
    home_option,
    json_option,
    print_json,
    print_table,
    reporting,
)
from letsbe.home import Home


@click.group()
def classes() -> None:
    """Review and revoke the classes of calls that were allowed for a while."""


@classes.command("list")
@click.option("--ended", is_flag=True, help="Those that have ended too.")
@home_option
@json_option
@reporting
def list_classes(home: Home, ended: bool, as_json: bool) -> None:
    """List allowed classes, newest first."""
    from letsbe.wrapper.opening import open_allowances  # noqa: PLC0415 - slow to import

    with open_allowances(home) as allowances:
        found = allowances.list(live=not ended)
    if as_json:
        print_json([allowed.model_dump(mode="json") for allowed in found])
        return
    rows = [
        (
            each.id,
            each.agent_id,
            each.session_id or "(all)",
            f"{max(0.0, each.expires_at - time.time()) / 3600:.1f}"
            if each.live
            else "ended",
            each.uses,
            each.text,
        )
        for each in found
    ]
    print_table(("id", "agent", "session", "hours left", "uses", "allows"), rows)


@classes.command()
@click.argument("class_id")
@home_option
@json_option
@reporting
def revoke(home: Home, class_id: str, as_json: bool) -> None:
    """Take a class back, from the next call on."""
    from letsbe.wrapper.opening import open_allowances  # noqa: PLC0415 - slow to import

    with open_allowances(home) as allowances:
        ended = allowances.revoke(class_id, person())
    if as_json:
        print_json(ended.model_dump(mode="json"))
    else:
        click.echo(f"{ended.id} no longer counts: {ended.text}")


def person() -> str:
    """Return how whoever uses the command line is named in what is stored."""
    return f"{getpass.getuser()} (command line)"
