"""The options that every command has, and the database that most of them use."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from letsbe_hub.home import HubHome, make_home

if TYPE_CHECKING:
    from letsbe_hub.api.bodies import Body
    from letsbe_hub.storage.store import Store

ACTOR = "cli"
"""How the record of acts names whoever may use the command line."""

P = ParamSpec("P")
T = TypeVar("T")
Form = TypeVar("Form", bound="Body")


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


def checked(form: type[Form], **given: Any) -> Form:  # noqa: ANN401 - the form says
    """Check what was typed as the API checks it: what one refuses, the other does.

    Args:
        form: The body that the API would take.
        **given: Its fields.

    Raises:
        InvalidRequest: Something does not fit; it is named.
    """
    from pydantic import ValidationError  # noqa: PLC0415 - slow to import

    from letsbe.errors import InvalidRequest  # noqa: PLC0415
    from letsbe.wrapper.requests import field_errors  # noqa: PLC0415

    try:
        return form.model_validate(given)
    except ValidationError as error:
        details = field_errors(error)
        said = "; ".join(f"{d.field}: {d.message}" for d in details)
        raise InvalidRequest(said, details=details) from None


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
