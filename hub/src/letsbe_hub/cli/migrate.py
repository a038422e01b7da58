"""``letsbe-hub migrate``: brings the database to this version's tables."""

from __future__ import annotations

import contextlib

import click

from letsbe.cli.output import json_option, print_json, reporting
from letsbe_hub.cli.options import database_option, home_option
from letsbe_hub.home import HubHome, make_home


@click.command()
@home_option
@database_option
@json_option
@reporting
def migrate(home: HubHome, database: str | None, as_json: bool) -> None:
    """Bring the database to this version's tables, all at once or not at all."""
    from letsbe_hub.settings import load_settings  # noqa: PLC0415 - slow to import
    from letsbe_hub.storage import schema  # noqa: PLC0415
    from letsbe_hub.storage.store import Store, sqlite_url  # noqa: PLC0415

    make_home(home)
    settings, _ = load_settings(home)
    url = database or settings.database.url or sqlite_url(home.database)
    with contextlib.closing(Store(url)) as store:
        before, after = schema.migrate(store)
        if as_json:
            print_json({"database": store.shown, "before": before, "after": after})
        elif before == after:
            click.echo(f"{store.shown} is up to date ({after})")
        else:
            click.echo(f"{store.shown} is now at {after} (was {before or 'empty'})")
