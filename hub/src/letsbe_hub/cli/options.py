"""The options that every command has, and the database that most of them use."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

from letsbe_hub.home import HubHome, make_home

if TYPE_CHECKING:
    from letsbe_hub.storage.store import Store

ACTOR = "cli"
"""How the record of acts names whoever may use the command line."""

P = ParamSpec("P")
T = TypeVar("T")


def home_option(command: Callable[P, T]) -> Callable[P, T]:
    """Give a command ``--home``, which becomes its argument ``home``."""

    def to_home(_: click.Context, __: click.Parameter, value: Path | None) -> HubHome:
        return HubHome(value.absolute()) if value else HubHome.default()

    option = click.option(
        "--home",
        type=click.Path(path_type=Path, file_okay=False),
        callback=to_home,
        help="The home folder; else $LETSBE_HUB_HOME, else ~/.letsbe-hub.",
    )
    return option(command)


def database_option(command: Callable[P, T]) -> Callable[P, T]:
    """Give a command ``--database``."""
    return click.option(
        "--database",
        metavar="URL",
        help="sqlite:///PATH or postgresql://..., instead of the configured one.",
    )(command)


@contextlib.contextmanager
def opened(home: HubHome, database: str | None) -> Iterator[Store]:
    """Open a home's database; a home that is not there yet is made.

    Raises:
        ConfigurationError: The home is wrong, or the database has other tables.
        StorageUnavailable: The database cannot be used.
    """
    from letsbe_hub.opening import open_store  # noqa: PLC0415 - slow to import

    make_home(home)
    with contextlib.closing(open_store(home, database)) as store:
        yield store
