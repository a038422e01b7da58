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
        **given: Its fields; each has the name of the command's own parameter.

    Raises:
        InvalidRequest: Something does not fit; it is named as it is typed.
    """
    from pydantic import ValidationError  # noqa: PLC0415 - slow to import

    from letsbe.errors import FieldError, InvalidRequest  # noqa: PLC0415

    try:
        return form.model_validate(given)
    except ValidationError as error:
        details = tuple(
            FieldError(typed(str(item["loc"][0])), _told(item))
            for item in error.errors(include_input=False, include_url=False)
        )
        said = "; ".join(f"{d.field}: {d.message}" for d in details)
        raise InvalidRequest(said, details=details) from None


def typed(name: str) -> str:
    """Return how a parameter of the present command is typed: ``--order``, ``NAME``."""
    command = click.get_current_context().command
    for each in command.params:
        if each.name == name:
            option = isinstance(each, click.Option)
            return each.opts[0] if option else each.human_readable_name
    return name


@contextlib.contextmanager
def about(name: str, value: str = "") -> Iterator[None]:
    """Name the parameter that an error in this block is about, as it is typed.

    Args:
        name: The parameter's name.
        value: Which of several values, if that helps.
    """
    from letsbe.errors import FieldError, LetsBeError  # noqa: PLC0415 - slow to import

    try:
        yield
    except LetsBeError as error:
        label = f"{typed(name)} {value}".strip()
        told = error.message.removeprefix(f"{name}: ")
        error.message = f"{label}: {told}"
        error.details = (FieldError(typed(name), told),)
        raise


@contextlib.contextmanager
def known(name: str) -> Iterator[None]:
    """Name the parameter that says what is not there, as :func:`about` does."""
    from letsbe.errors import NotFound  # noqa: PLC0415 - slow to import

    try:
        yield
    except NotFound as error:
        with about(name):
            raise error


def _told(item: Any) -> str:  # noqa: ANN401 - pydantic's own
    """Say what is wrong with a field to somebody who reads no regular expressions."""
    from letsbe_hub.api.bodies import IDENTIFIER, LINE  # noqa: PLC0415 - slow to import

    known = {
        LINE: "must be one line of text",
        IDENTIFIER: (
            "may have letters, digits and _ . : - only, begins with a letter or digit,"
            " and has at most 128 characters"
        ),
    }
    if item["type"] == "string_too_short" and item["ctx"]["min_length"] == 1:
        return "must not be empty"
    pattern = item.get("ctx", {}).get("pattern", "")
    message = str(item["msg"]).removeprefix("Value error, ")
    return known.get(pattern, message[:1].lower() + message[1:])


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
