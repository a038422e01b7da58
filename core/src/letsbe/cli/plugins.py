"""``letsbe plugins``: what is installed, chosen and working."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from letsbe.cli.output import (
    EXIT_FAILED,
    home_option,
    json_option,
    print_json,
    print_table,
    reporting,
)
from letsbe.cli.plugins_new import new
from letsbe.cli.plugins_set import install, resolve
from letsbe.home import Home

if TYPE_CHECKING:
    from letsbe.discovery.plugin_set import PluginSet
    from letsbe.discovery.records import PluginRecord
    from letsbe.plugin._facade import Plugins
    from letsbe.vault.secret import Secret


@click.group()
def plugins() -> None:
    """See what is installed, chosen and working; make, pin and install plugins.

    Exit code 1 says that a chosen plugin is missing or does not work.
    """


plugins.add_command(new)
plugins.add_command(resolve)
plugins.add_command(install)


@plugins.command("list")
@home_option
@json_option
@click.option(
    "--requirements",
    is_flag=True,
    help="Print the chosen plugins as pinned requirements, for pip or uv.",
)
@reporting
def list_plugins(home: Home, as_json: bool, requirements: bool) -> None:
    """List every plugin by its metadata; nothing of a plugin is imported."""
    from letsbe.discovery.finding import discover  # noqa: PLC0415 - slow to import
    from letsbe.discovery.records import Kind  # noqa: PLC0415 - slow to import

    if as_json and requirements:
        message = "choose one of --json and --requirements"
        raise click.UsageError(message)
    found = discover(tuple(Kind), _chosen_or_nothing(home))
    records = [candidate.record for candidate in found]
    if as_json:
        print_json([record.as_json() for record in records])
    elif requirements:
        _print_requirements([c.record for c in found if c.selection is not None])
    else:
        columns = ("plugin", "version", "from", "origin", "status")
        rows = [
            (r.label, r.version, r.distribution, r.origin, r.status) for r in records
        ]
        print_table(columns, rows)
    if not as_json:
        _print_reasons(records)
    _end(records)


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
@reporting
def check_plugins(home: Home, as_json: bool, timeout: float) -> None:
    """Load the chosen plugins and ask each whether it can work."""
    import anyio  # noqa: PLC0415 - slow to import

    check = functools.partial(_load(home).check, timeout=timeout)
    records = anyio.run(check)
    if as_json:
        print_json([record.as_json() for record in records])
    else:
        columns = ("plugin", "version", "status", "reason")
        rows = [(r.label, r.version, r.status, r.reason) for r in records]
        print_table(columns, rows)
    _end(records)


class _NoSecrets:
    """An empty vault: a check looks at plugins, not at secrets."""

    version = 0

    def current(self) -> tuple[Secret, ...]:
        return ()


def _load(home: Home) -> Plugins:
    from letsbe.configuration import load_configuration  # noqa: PLC0415 - slow
    from letsbe.discovery.plugin_set import read_plugin_set  # noqa: PLC0415 - slow
    from letsbe.discovery.records import Kind  # noqa: PLC0415 - slow
    from letsbe.plugin._facade import load_plugins  # noqa: PLC0415 - slow
    from letsbe.wrapper.opening import site_of  # noqa: PLC0415 - slow
    from letsbe.wrapper.tools import read_tools  # noqa: PLC0415 - slow

    configuration, tools = load_configuration(home), read_tools(home)
    return load_plugins(
        tuple(Kind),
        lambda name: site_of(home, configuration, name, tools),
        _NoSecrets(),
        read_plugin_set(home.plugin_set),
        hook_timeout=configuration.plugins.hook_timeout,
        strict=False,
    )


def _chosen_or_nothing(home: Home) -> PluginSet:
    """Read the plugin set; before ``letsbe init`` nothing is chosen."""
    from letsbe.discovery.plugin_set import PluginSet, read_plugin_set  # noqa: PLC0415 - slow

    if home.plugin_set.exists():
        return read_plugin_set(home.plugin_set)
    missing = f"{home.plugin_set} does not exist, so nothing is chosen"
    click.echo(f"{missing}: run `letsbe init --home {home.folder}`", err=True)
    return PluginSet()


def _print_requirements(records: Sequence[PluginRecord]) -> None:
    pins = {
        f"{record.distribution}=={record.version}"
        for record in records
        if record.distribution is not None and record.version
    }
    for pin in sorted(pins):
        click.echo(pin)


def _print_reasons(records: Sequence[PluginRecord]) -> None:
    """Say why chosen plugins cannot be used, apart from what programs read."""
    for record in records:
        if record.failed:
            click.echo(f"{record.label}: {record.reason}", err=True)


def _end(records: Sequence[PluginRecord]) -> None:
    if any(record.failed for record in records):
        raise click.exceptions.Exit(EXIT_FAILED)
