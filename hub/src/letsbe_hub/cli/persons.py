"""What commands about one person share: who is meant, changed, and shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import click

from letsbe.cli.output import json_option, print_facts, print_json, reporting
from letsbe_hub.cli.options import about, database_option, home_option, opened
from letsbe_hub.home import HubHome

if TYPE_CHECKING:
    import sqlalchemy as sa

    from letsbe_hub.api.admin.people import AdminPersonView

P = ParamSpec("P")
T = TypeVar("T")


def _person(connection: sa.Connection, given: str) -> str:
    """Return the id of whom an id or an e-mail address names.

    Raises:
        NotFound: There is nobody like that.
        Conflict: The address is a customer's and one of staff too.
    """
    from letsbe_hub.accounts import people  # noqa: PLC0415 - slow to import
    from letsbe_hub.errors import Conflict, NotFound  # noqa: PLC0415

    if "@" not in given:
        return str(people.find(connection, given).id)
    kinds = ("staff", "customer")
    found = [people.find_by_email(connection, kind, given.lower()) for kind in kinds]
    ids = [str(row.id) for row in found if row is not None]
    if not ids:
        raise NotFound("nobody has this address: `letsbe-hub admin list` shows who has")
    if len(ids) > 1:
        said = f"staff ({ids[0]}) and a customer ({ids[1]}) have this address"
        raise Conflict(f"{said}: name one of them by the id")
    return ids[0]


def changed(
    home: HubHome,
    database: str | None,
    person: str,
    change: Callable[[sa.Connection, str], None],
) -> AdminPersonView:
    """Change a person, and return them as they are then."""
    from letsbe_hub.api.admin.people import person_view  # noqa: PLC0415 - slow to import

    def whole(connection: sa.Connection) -> AdminPersonView:
        with about("person"):
            wanted = _person(connection, person)
        change(connection, wanted)
        return person_view(connection, wanted)

    with opened(home, database) as store:
        return store.write(whole)


def facts_of(view: AdminPersonView) -> dict[str, Any]:
    """Return what is known of a person, as the API tells it."""
    return view.model_dump(mode="json", by_alias=True)


def shown(view: AdminPersonView, *, as_json: bool) -> None:
    """Print a person."""
    if as_json:
        print_json(facts_of(view))
    else:
        print_facts(list(facts_of(view).items()))


def person_argument(command: Callable[P, T]) -> Callable[P, T]:
    """Give a command ``PERSON`` and the options that every one of these has."""
    for option in (reporting, json_option, database_option, home_option):
        command = option(command)
    return click.argument("person")(command)
