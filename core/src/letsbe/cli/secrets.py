"""``letsbe secrets``: the operator's side of the vault."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import click

from letsbe.cli.output import (
    home_option,
    json_option,
    print_facts,
    print_json,
    print_table,
    reporting,
)
from letsbe.errors import InvalidRequest
from letsbe.home import Home

if TYPE_CHECKING:
    from letsbe.vault.records import SecretRecord
    from letsbe.vault.values import Alphabet
    from letsbe.wrapper.secrets import SecretDesk

TOOLS_OPTION = click.option(
    "--tool",
    "tools",
    multiple=True,
    help="A tool that may use it (`name`, `prefix.*`); repeatable. Default: any.",
)
HOSTS_OPTION = click.option(
    "--host",
    "hosts",
    multiple=True,
    help="A host it may be sent to (`name`, `*.domain`); repeatable. Default: any.",
)


@click.group()
def secrets() -> None:
    """Keep the secrets of the vault.

    Values are asked for, or read from standard input; never from the command line,
    where other programs could see them.
    """


@secrets.command("list")
@home_option
@json_option
@reporting
def list_secrets(home: Home, as_json: bool) -> None:
    """List secrets by name and fingerprint."""
    with _desk(home) as desk:
        found = desk.vault.list()
    if as_json:
        print_json([_view(record) for record in found])
        return
    rows = [
        (r.name, r.version, r.fingerprint, " ".join(r.tools), " ".join(r.hosts))
        for r in found
    ]
    print_table(("name", "version", "fingerprint", "tools", "hosts"), rows)


@secrets.command()
@click.argument("name")
@TOOLS_OPTION
@HOSTS_OPTION
@home_option
@json_option
@reporting
def provide(
    home: Home,
    name: str,
    tools: tuple[str, ...],
    hosts: tuple[str, ...],
    as_json: bool,
) -> None:
    """Store a value, new or as a new version."""
    value = _ask(name)
    with _desk(home) as desk:
        record = desk.vault.provide(
            name, value, tools=tools or None, hosts=hosts or None
        )
    _show(record, as_json=as_json)


@secrets.command("import")
@TOOLS_OPTION
@HOSTS_OPTION
@home_option
@json_option
@reporting
def import_secrets(
    home: Home, tools: tuple[str, ...], hosts: tuple[str, ...], as_json: bool
) -> None:
    """Store many values at once: a JSON object of names and values on standard input.

    All of them are stored or none; a name that is there gets a new version.
    """
    values = _pairs(sys.stdin.read())
    with _desk(home) as desk:
        records = desk.vault.provide_all(
            values, tools=tools or None, hosts=hosts or None
        )
    if as_json:
        print_json([_view(record) for record in records])
        return
    print_table(
        ("name", "version", "fingerprint"),
        [(record.name, record.version, record.fingerprint) for record in records],
    )


@secrets.command()
@click.argument("name")
@click.option("--length", default=32, show_default=True)
@click.option("--alphabet", default="letters_digits", show_default=True)
@TOOLS_OPTION
@HOSTS_OPTION
@home_option
@json_option
@reporting
def generate(
    home: Home,
    name: str,
    length: int,
    alphabet: str,
    tools: tuple[str, ...],
    hosts: tuple[str, ...],
    as_json: bool,
) -> None:
    """Make a random value and store it."""
    with _desk(home) as desk:
        record = desk.vault.generate(
            name,
            length=length,
            alphabet=cast("Alphabet", alphabet),
            tools=tools or None,
            hosts=hosts or None,
        )
    _show(record, as_json=as_json)


@secrets.command()
@click.argument("name")
@click.option("--generate", "random", is_flag=True, help="Make a random value.")
@home_option
@json_option
@reporting
def rotate(home: Home, name: str, random: bool, as_json: bool) -> None:
    """Put a new value in place of the current one. The old one is still redacted."""
    value = None if random else _ask(name)
    with _desk(home) as desk:
        record = desk.vault.rotate(name, value)
    _show(record, as_json=as_json)


@secrets.command()
@click.argument("name")
@home_option
@reporting
def reveal(home: Home, name: str) -> None:
    """Print a value. The audit log says that it was shown."""
    with _desk(home) as desk:
        click.echo(desk.reveal(name).reveal())


@secrets.command()
@click.argument("name")
@click.confirmation_option(prompt="Erase this secret with its history?")
@home_option
@reporting
def delete(home: Home, name: str) -> None:
    """Erase a secret with its history."""
    with _desk(home) as desk:
        desk.vault.delete(name)
    click.echo(f"{name} is erased")


@contextmanager
def _desk(home: Home) -> Iterator[SecretDesk]:
    from letsbe.wrapper.opening import open_secrets  # noqa: PLC0415 - slow to import

    with open_secrets(home) as desk:
        yield desk


def _ask(name: str) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(f"Value of {name}", hide_input=True))
    return sys.stdin.read().removesuffix("\n")


def _pairs(text: str) -> dict[str, str]:
    """Read names and values; what is wrong is told without any of them."""

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len({name for name, _ in pairs}) < len(pairs):
            raise InvalidRequest("standard input names a secret twice")
        return dict(pairs)

    try:
        found = json.loads(text, object_pairs_hook=unique)
    except (ValueError, RecursionError):
        found = None
    if (
        not isinstance(found, dict)
        or not found
        or not all(isinstance(value, str) for value in found.values())
    ):
        message = (
            "standard input is no JSON object of names and values, such as"
            ' {"db_password": "...", "api_key": "..."}'
        )
        raise InvalidRequest(message)
    return found


def _show(record: SecretRecord, *, as_json: bool) -> None:
    if as_json:
        print_json(_view(record))
    else:
        print_facts(_view(record).items())


def _view(record: SecretRecord) -> dict[str, Any]:
    return {
        "name": record.name,
        "version": record.version,
        "fingerprint": record.fingerprint,
        "tools": list(record.tools),
        "hosts": list(record.hosts),
        "created_at": _day(record.created_at),
        "rotated_at": _day(record.rotated_at),
    }


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
