"""``letsbe-hub admin``: makes people and helps those who cannot sign in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from letsbe.cli.output import (
    json_option,
    print_facts,
    print_json,
    print_table,
    reporting,
)
from letsbe_hub.cli.options import (
    ACTOR,
    checked,
    database_option,
    home_option,
    opened,
)
from letsbe_hub.home import HubHome

if TYPE_CHECKING:
    import sqlalchemy as sa

COLUMNS = ("id", "kind", "role", "email", "state", "second factor")


@click.group()
def admin() -> None:
    """Make people, and help those who cannot sign in."""


@admin.command()
@click.argument("email")
@click.option("--name", help="What to call them; else the address.")
@click.option(
    "--role",
    type=click.Choice(["admin", "support", "billing", "owner", "delegate"]),
    default="admin",
    show_default=True,
    help="The first three are staff, the others customers.",
)
@click.option("--tenant", "tenants", multiple=True, help="A customer's tenant.")
@click.password_option(help="Else it is asked for, so that no history has it.")
@home_option
@database_option
@json_option
@reporting
def create(
    email: str,
    name: str | None,
    role: str,
    tenants: tuple[str, ...],
    password: str,
    home: HubHome,
    database: str | None,
    as_json: bool,
) -> None:
    """Make a person with a password.

    Staff need a second factor too: after signing in they may do nothing else before
    they have one.
    """
    from letsbe_hub.accounts import people  # noqa: PLC0415 - slow to import
    from letsbe_hub.accounts.passwords import check_form, hash_now  # noqa: PLC0415
    from letsbe_hub.api.admin.people import NewPersonBody  # noqa: PLC0415

    called, theirs = name or email, list(tenants)
    checked(NewPersonBody, email=email, name=called, role=role, tenants=theirs)
    check_form(password, people.normal(email))
    new = people.NewPerson(email, called, role, hash_now(password), tenants)

    def make(connection: sa.Connection) -> sa.Row[Any]:
        from letsbe_hub.tenants.registry import find  # noqa: PLC0415 - slow to import

        for tenant in tenants:
            find(connection, tenant)
        return people.find(connection, people.create(connection, new, ACTOR))

    with opened(home, database) as store:
        made = store.write(make)
    facts = {"id": made.id, "email": made.email, "kind": made.kind, "role": made.role}
    if as_json:
        print_json(facts)
    else:
        print_facts(list(facts.items()))


@admin.command("list")
@home_option
@database_option
@json_option
@reporting
def list_people(home: HubHome, database: str | None, as_json: bool) -> None:
    """List people, newest first."""
    from letsbe_hub.accounts import people  # noqa: PLC0415 - slow to import

    query = people.listing().order_by(*(c.desc() for c in people.ORDER))
    with opened(home, database) as store:
        rows = store.read(lambda c: c.execute(query).all())
    shown = [
        (
            r.id,
            r.kind,
            r.role,
            r.email,
            r.state,
            "yes" if r.totp_confirmed else "no",
            r.name,
        )
        for r in rows
    ]
    if as_json:
        print_json([dict(zip(COLUMNS, row, strict=True)) for row in shown])
    else:
        print_table(COLUMNS, shown)


@admin.command()
@click.argument("person")
@click.password_option(help="Else it is asked for.")
@home_option
@database_option
@reporting
def password(person: str, password: str, home: HubHome, database: str | None) -> None:
    """Set PERSON's password (an id, ``psn_...``), and end all their sessions."""
    from letsbe_hub.accounts import people  # noqa: PLC0415 - slow to import
    from letsbe_hub.accounts.passwords import check_form, hash_now  # noqa: PLC0415

    with opened(home, database) as store:
        check_form(password, store.read(lambda c: people.find(c, person)).email)
        hashed = hash_now(password)
        store.write(lambda c: people.set_password(c, person, hashed, ACTOR))
    click.echo("The password is set, and every session was ended.")


@admin.command("reset-second-factor")
@click.argument("person")
@home_option
@database_option
@reporting
def reset_second_factor(person: str, home: HubHome, database: str | None) -> None:
    """Turn PERSON's second factor off, when the device is lost."""
    from letsbe_hub.accounts import people  # noqa: PLC0415 - slow to import
    from letsbe_hub.accounts.second_factor import forget  # noqa: PLC0415

    def change(connection: sa.Connection) -> None:
        people.find(connection, person)
        forget(connection, person, ACTOR)
        people.end_sessions(connection, person)

    with opened(home, database) as store:
        store.write(change)
    click.echo("The second factor is off, and every session was ended.")
