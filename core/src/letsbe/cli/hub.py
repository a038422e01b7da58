"""``letsbe hub``: registers this server with its Hub, and shows how they get on."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any, TextIO

import click

from letsbe.cli.output import (
    home_option,
    json_option,
    print_facts,
    print_json,
    reporting,
)
from letsbe.errors import ConfigurationError, InvalidRequest
from letsbe.home import Home

if TYPE_CHECKING:
    from letsbe.hub_client.connection import HubConnection
    from letsbe.hub_client.state import HubState
    from letsbe.storage.database import Database


@click.group()
def hub() -> None:
    """Register this server with its Hub, and see how they get on."""


@hub.command()
@click.argument("url")
@click.option("--order", required=True, help="The order that the token is bound to.")
@click.option(
    "--token-file",
    type=click.File(),
    help="The registration token; `-` is standard input. Else it is asked for.",
)
@click.option("--again", is_flag=True, help="Give up the registration that is there.")
@home_option
@json_option
@reporting
def register(
    home: Home,
    url: str,
    order: str,
    token_file: TextIO | None,
    again: bool,
    as_json: bool,
) -> None:
    """Register this server at a Hub, with a one-time token.

    `letsbe up` then keeps in touch with it.
    """
    if token_file is None:
        token = click.prompt("Registration token", hide_input=True, type=str)
    else:
        token = token_file.read()
    token = token.strip()
    if not token or not token.isascii() or len(token) > 200 or " " in token:
        raise InvalidRequest("that is no registration token: copy it whole")
    made = asyncio.run(_register(home, url, order, token, again=again))
    facts = {"hub": made.url, "tenant": made.tenant_id, "server": made.server_id}
    if as_json:
        print_json(facts)
        return
    print_facts(list(facts.items()))
    click.echo("\nStart `letsbe up` anew to keep in touch.")


@hub.command()
@home_option
@json_option
@reporting
def status(home: Home, as_json: bool) -> None:
    """Show where this server is registered, and what waits for the Hub."""
    from letsbe.hub_client.connection import load  # noqa: PLC0415 - slow to import
    from letsbe.hub_client.state import HubState  # noqa: PLC0415

    with _database(home) as database:
        state = HubState(database)
        connection = load(state)
        facts: dict[str, Any] = {"registered": connection is not None}
        if connection is not None:
            facts |= {"hub": connection.url, "tenant": connection.tenant_id}
            facts |= _facts(home, state)
    if as_json:
        print_json(facts)
    elif connection is None:
        click.echo("This server is not registered: `letsbe hub register URL`.")
    else:
        print_facts([(name.replace("_", " "), v) for name, v in facts.items()])


def _facts(home: Home, state: HubState) -> dict[str, Any]:
    from letsbe.hub_client.applying import Configurator  # noqa: PLC0415

    contact = state.get("contact") or {}
    version, _ = Configurator(home, state).applied()
    failed = Configurator(home, state).failed()
    at = contact.get("at")
    return {
        "last_contact": None if at is None else f"{time.time() - at:.0f} s ago",
        "problem": contact.get("error"),
        "configuration": version,
        "configuration_failed": f"{failed[0]}: {failed[1]}" if failed else None,
        "restart_needed": _restart(Configurator(home, state).restart_for()),
        **_usage(home),
        "decisions_to_follow": len(state.all("decision:")),
    }


def _restart(version: int | None) -> str | None:
    if version is None:
        return None
    return f"the plugin set of configuration {version} takes effect at the next start"


def _usage(home: Home) -> dict[str, int]:
    from letsbe.hub_client.state import HubState  # noqa: PLC0415 - slow to import
    from letsbe.hub_client.usage import waiting  # noqa: PLC0415
    from letsbe.proxy.sharing import open_usage  # noqa: PLC0415

    with contextlib.closing(open_usage(home)) as usage:
        return {
            "usage_waiting": waiting(usage, time.time()),
            "usage_refused": len(HubState(usage).all("usage-refused:")),
        }


async def _register(
    home: Home, url: str, order: str, token: str, *, again: bool
) -> HubConnection:
    from letsbe.hub_client import registration  # noqa: PLC0415 - slow to import
    from letsbe.hub_client.state import HubState  # noqa: PLC0415
    from letsbe.wrapper.opening import open_wrapper  # noqa: PLC0415

    with open_wrapper(home) as wrapper:
        settings = wrapper.configuration.wrapper
        return await registration.register(
            home,
            HubState(wrapper.database),
            wrapper.pipeline,
            url=url,
            order=order,
            token=token,
            wrapper_url=f"http://{settings.host}:{settings.port}",
            again=again,
        )


def _database(home: Home) -> contextlib.closing[Database]:
    from letsbe.storage.database import Database  # noqa: PLC0415 - slow to import

    if not home.database.exists():
        message = f"{home.database} does not exist: run `letsbe init`"
        raise ConfigurationError(message)
    return contextlib.closing(Database(home.database))
