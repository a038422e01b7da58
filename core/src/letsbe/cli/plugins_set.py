"""``letsbe plugins resolve`` and ``install``: a tenant's plugins, pinned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ParamSpec, TypeVar

import click

from letsbe.cli.output import json_option, print_json, print_table, reporting
from letsbe.home import Home

P = ParamSpec("P")
T = TypeVar("T")


def _options(command: Callable[P, T]) -> Callable[P, T]:
    for option in (
        click.option(
            "--set",
            "path",
            required=True,
            type=click.Path(path_type=Path, dir_okay=False),
            help="The set: TOML with `core` and a list `plugins`.",
        ),
        click.option(
            "--python", help="The environment's interpreter; this one unless given."
        ),
        click.option("--find-links", multiple=True, help="A folder with wheels."),
        click.option("--no-index", is_flag=True, help="Ask no package index."),
    ):
        command = option(command)
    return command


@click.command()
@_options
@json_option
@reporting
def resolve(
    path: Path,
    python: str | None,
    find_links: tuple[str, ...],
    no_index: bool,
    as_json: bool,
) -> None:
    """Pin versions and hashes of a set of plugins, in a lock beside it.

    Uses uv if it is on PATH, else pip.
    """
    from letsbe.plugin import _installing as sets  # noqa: PLC0415 - slow to import

    sources = sets.Sources(find_links, no_index)
    pins = sets.resolve_set(path, python or sets.this_python(), sources)
    _print(pins, as_json)


@click.command()
@_options
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="A home folder whose plugin set becomes this one.",
)
@json_option
@reporting
def install(
    path: Path,
    python: str | None,
    find_links: tuple[str, ...],
    no_index: bool,
    home: Path | None,
    as_json: bool,
) -> None:
    """Make an environment exactly what the lock of a set says.

    What the lock does not name is removed from the environment.
    """
    from letsbe.discovery.plugin_set import write_plugin_set  # noqa: PLC0415 - slow to import
    from letsbe.plugin import _installing as sets  # noqa: PLC0415 - slow to import

    sources = sets.Sources(find_links, no_index)
    pins = sets.install_set(path, python or sets.this_python(), sources)
    if home is not None:
        document = Home(home.absolute()).plugin_set
        write_plugin_set(document, sets.read_set(path).selections())
    _print(pins, as_json)


def _print(pins: Sequence[tuple[str, str]], as_json: bool) -> None:
    if as_json:
        print_json([{"name": name, "version": version} for name, version in pins])
    else:
        print_table(("distribution", "version"), pins)
