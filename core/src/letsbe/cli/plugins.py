"""``letsbe plugins``: what is installed, chosen and working."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec

import click

if TYPE_CHECKING:
    from letsbe.home import Home
    from letsbe.plugin._records import PluginRecord
    from letsbe.plugin._set import PluginSet
    from letsbe.vault.secret import Secret

P = ParamSpec("P")

_COLUMNS = ("kind", "name", "version", "distribution", "origin", "status", "reason")
_COLOURS = {
    "active": "green",
    "selected": "green",
    "not_selected": "dim",
}

home_option = click.option(
    "--home",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="The home folder; $LETSBE_HOME or ~/.letsbe if not given.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def _safe_errors(command: Callable[P, None]) -> Callable[P, None]:
    """Show an error of ours as one line and end with exit code 1."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        from letsbe.errors import LetsBeError  # noqa: PLC0415 - the root group's pace

        try:
            command(*args, **kwargs)
        except LetsBeError as error:
            raise click.ClickException(error.message) from None

    return run


@click.group()
def plugins() -> None:
    """Show what is installed, chosen and working.

    Exit code 1 says that a chosen plugin is missing or does not work.
    """


@plugins.command("list")
@home_option
@json_option
@click.option(
    "--requirements",
    is_flag=True,
    help="Print the chosen plugins as pinned requirements, for pip or uv.",
)
@_safe_errors
def list_plugins(folder: Path | None, *, as_json: bool, requirements: bool) -> None:
    """List every plugin by its metadata. Nothing of a plugin is imported."""
    from letsbe.plugin._discovery import discover  # noqa: PLC0415 - loads pydantic
    from letsbe.plugin._records import Kind  # noqa: PLC0415 - loads pydantic

    if as_json and requirements:
        message = "choose one of --json and --requirements"
        raise click.UsageError(message)
    found = discover(tuple(Kind), _chosen_or_nothing(_home(folder)))
    records = [candidate.record for candidate in found]
    if requirements:
        _print_requirements([c.record for c in found if c.selection is not None])
    else:
        _print(records, as_json=as_json)
    _exit(records)


@plugins.command("check")
@home_option
@json_option
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1, max=600),
    default=10.0,
    show_default=True,
    help="Seconds that the health check of one plugin may take.",
)
@_safe_errors
def check_plugins(folder: Path | None, *, as_json: bool, timeout: float) -> None:
    """Load the chosen plugins and ask each whether it can work."""
    import anyio  # noqa: PLC0415 - heavy imports stay out of --help

    from letsbe.configuration import load_configuration  # noqa: PLC0415 - as above
    from letsbe.plugin._facade import load_plugins  # noqa: PLC0415 - as above
    from letsbe.plugin._records import Kind  # noqa: PLC0415 - as above
    from letsbe.plugin._set import read_plugin_set  # noqa: PLC0415 - as above
    from letsbe.wrapper.opening import site_of  # noqa: PLC0415 - as above

    home = _home(folder)
    configuration = load_configuration(home)
    loaded = load_plugins(
        tuple(Kind),
        lambda name: site_of(home, configuration, name),
        _NoSecrets(),
        read_plugin_set(home.plugin_set),
        hook_timeout=configuration.plugins.hook_timeout,
        strict=False,
    )
    records = anyio.run(functools.partial(loaded.check, timeout=timeout))
    _print(records, as_json=as_json)
    _exit(records)


class _NoSecrets:
    """An empty vault: a check looks at plugins, not at secrets."""

    version = 0

    def current(self) -> tuple[Secret, ...]:
        return ()


def _home(folder: Path | None) -> Home:
    from letsbe.home import Home  # noqa: PLC0415 - heavy imports stay out of --help

    return Home.default() if folder is None else Home(folder)


def _chosen_or_nothing(home: Home) -> PluginSet:
    """Read the plugin set; before ``letsbe init`` nothing is chosen."""
    from letsbe.plugin._set import PluginSet, read_plugin_set  # noqa: PLC0415 - heavy

    if home.plugin_set.exists():
        return read_plugin_set(home.plugin_set)
    click.echo(
        f"{home.plugin_set} does not exist, so nothing is chosen: run `letsbe init`",
        err=True,
    )
    return PluginSet()


def _print_requirements(records: Sequence[PluginRecord]) -> None:
    pins = {
        f"{record.distribution}=={record.version}"
        for record in records
        if record.distribution is not None and record.version
    }
    for pin in sorted(pins):
        click.echo(pin)
    for record in records:
        if record.failed:
            click.echo(f"{record.label}: {record.reason}", err=True)


def _print(records: Sequence[PluginRecord], *, as_json: bool) -> None:
    if as_json:
        import json  # noqa: PLC0415 - only for this form

        click.echo(json.dumps([record.as_json() for record in records], indent=2))
    elif sys.stdout.isatty():
        _print_table(records)
    else:
        for record in records:
            click.echo("\t".join(_cells(record)).rstrip())


def _print_table(records: Sequence[PluginRecord]) -> None:
    from rich.console import Console  # noqa: PLC0415 - only for a terminal
    from rich.table import Table  # noqa: PLC0415 - only for a terminal
    from rich.text import Text  # noqa: PLC0415 - only for a terminal

    table = Table(*_COLUMNS)
    for record in records:
        colour = _COLOURS.get(record.status.value, "red")
        # Text, not str: a plugin's metadata must not be read as markup.
        table.add_row(
            *(
                Text(cell, style=colour if column == "status" else "")
                for column, cell in zip(_COLUMNS, _cells(record), strict=True)
            )
        )
    Console().print(table)


def _cells(record: PluginRecord) -> list[str]:
    fields = record.as_json()
    return [fields[column] or "" for column in _COLUMNS]


def _exit(records: Sequence[PluginRecord]) -> None:
    if any(record.failed for record in records):
        raise click.exceptions.Exit(1)
