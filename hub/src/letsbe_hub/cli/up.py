"""``letsbe-hub up``: runs the Hub until it is stopped."""

from __future__ import annotations

import click

from letsbe.cli.output import json_option, print_facts, print_json, reporting
from letsbe_hub.cli.options import database_option, home_option
from letsbe_hub.home import HubHome, make_home


@click.command()
@home_option
@database_option
@click.option("--bus", metavar="URL", help="`local`, or nats://HOST:PORT.")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Instead of the configured one."
)
@click.option("--json-logs", is_flag=True, help="Log lines of JSON.")
@json_option
@reporting
def up(
    home: HubHome,
    database: str | None,
    bus: str | None,
    port: int | None,
    json_logs: bool,
    as_json: bool,
) -> None:
    """Run the Hub: SQLite in the home folder and one node, unless told otherwise.

    Makes the home folder if there is none, and brings the database up to date. SIGTERM
    and Ctrl-C end it: what is being answered may finish, for ten seconds.
    """
    from letsbe.footprint import give_back, keep_small  # noqa: PLC0415 - ctypes

    keep_small()
    from letsbe.discovery.records import Status  # noqa: PLC0415 - slow to import
    from letsbe_hub.opening import Overrides, open_hub  # noqa: PLC0415
    from letsbe_hub.server import serve  # noqa: PLC0415

    make_home(home)
    with open_hub(home, Overrides(database, bus)) as hub:
        records = hub.plugins.records

        def announce(address: str) -> None:
            facts = {
                "hub": address,
                "home": str(home.folder),
                "database": hub.store.shown,
                "bus": bus or hub.settings.bus.url,
                "plugins": [r.label for r in records if r.status is Status.ACTIVE],
                "unavailable": [f"{r.label}: {r.reason}" for r in records if r.failed],
            }
            if as_json:
                print_json(facts)
                return
            print_facts(list(facts.items()))
            click.echo(f"\nPeople sign in at {address}/; `letsbe-hub admin create`")
            click.echo("makes the first one. Stop with Ctrl-C or SIGTERM.")

        give_back()
        chosen = hub.settings.server.port if port is None else port
        serve(hub, announce, port=chosen, json_logs=json_logs)
