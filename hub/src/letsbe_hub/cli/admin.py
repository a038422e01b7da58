"""``letsbe-hub admin``: makes people and helps those who cannot sign in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from letsbe.cli.output import (
    json_option,
    print_json,
    print_table,
    reporting,
)
from letsbe_hub.cli.options import (
    ACTOR,
    about,
    checked,
    database_option,
    home_option,
    opened,
)
from letsbe_hub.cli.persons import changed, facts_of, person_argument, shown
from letsbe_hub.home import HubHome

if TYPE_CHECKING:
    import sqlalchemy as sa

    from letsbe_hub.api.admin.people import AdminPersonView


ACTS = ("at", "actor", "act", "subject", "detail")
COLUMNS = (
    "id",
    "kind",
    "role",
    "email",
    "state",
    "second factor",
    "name",
    "tenants",
)


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
    from letsbe_hub.accounts.roles import kind_of  # noqa: PLC0415
    from letsbe_hub.api.admin.people import NewPersonBody, person_view  # noqa: PLC0415
    from letsbe_hub.errors import InvalidRequest  # noqa: PLC0415

    called, theirs = name or email, list(tenants)
    checked(NewPersonBody, email=email, name=called, role=role, tenants=theirs)
    with about("email"):
        people.normal(email)
    with about("password"):
        check_form(password, email)
    new = people.NewPerson(email, called, role, hash_now(password), tenants)

    def make(connection: sa.Connection) -> AdminPersonView:
        from letsbe_hub.tenants.registry import find  # noqa: PLC0415 - slow to import

        for tenant in tenants:
            with about("tenants", tenant):
                find(connection, tenant)
        if tenants and kind_of(role) == "staff":
            raise InvalidRequest(
                "--tenant: staff see every tenant; leave it out, or make an owner or"
                " a delegate with --role"
            )
        return person_view(connection, people.create(connection, new, ACTOR))

    with opened(home, database) as store:
        made = store.write(make)
    shown(made, as_json=as_json)
    if not as_json and made.kind == "customer" and not made.tenants:
        click.echo(f"\nNext: letsbe-hub admin give-tenant {made.id} TENANT")


@admin.command("list")
@home_option
@database_option
@json_option
@reporting
def list_people(home: HubHome, database: str | None, as_json: bool) -> None:
    """List people, newest first."""
    from letsbe_hub.accounts import people  # noqa: PLC0415 - slow to import
    from letsbe_hub.api.admin.people import person_views  # noqa: PLC0415

    query = people.listing().order_by(*(c.desc() for c in people.ORDER))
    with opened(home, database) as store:
        views = store.read(lambda c: person_views(c, c.execute(query).all()))
    if as_json:
        print_json([facts_of(view) for view in views])
        return
    print_table(
        COLUMNS,
        [
            (
                view.id,
                view.kind,
                view.role,
                view.email,
                view.state,
                "yes" if view.totp_confirmed else "no",
                view.name,
                " ".join(view.tenants) if view.kind == "customer" else "all",
            )
            for view in views
        ],
    )


@admin.command()
@person_argument
def show(person: str, home: HubHome, database: str | None, as_json: bool) -> None:
    """Show PERSON, by the id or the e-mail address."""
    shown(changed(home, database, person, lambda *_: None), as_json=as_json)


@admin.command()
@click.password_option(help="Else it is asked for.")
@person_argument
def password(
    person: str, password: str, home: HubHome, database: str | None, as_json: bool
) -> None:
    """Set the password of PERSON (an id or an address), and end their sessions."""
    from letsbe_hub.accounts import people  # noqa: PLC0415 - slow to import
    from letsbe_hub.accounts.passwords import check_form, hash_now  # noqa: PLC0415

    def change(connection: sa.Connection, wanted: str) -> None:
        with about("password"):
            check_form(password, people.find(connection, wanted).email)
        people.set_password(connection, wanted, hash_now(password), ACTOR)

    shown(changed(home, database, person, change), as_json=as_json)
    if not as_json:
        click.echo("\nThe password is set, and every session was ended.")


@admin.command("reset-second-factor")
@person_argument
def reset_second_factor(
    person: str, home: HubHome, database: str | None, as_json: bool
) -> None:
    """Turn PERSON's second factor off, when the device is lost."""
    from letsbe_hub.accounts import people  # noqa: PLC0415 - slow to import
    from letsbe_hub.accounts.second_factor import forget  # noqa: PLC0415

    def change(connection: sa.Connection, wanted: str) -> None:
        forget(connection, wanted, ACTOR)
        people.end_sessions(connection, wanted)

    shown(changed(home, database, person, change), as_json=as_json)
    if not as_json:
        click.echo("\nThe second factor is off, and every session was ended.")


@admin.command()
@person_argument
def disable(person: str, home: HubHome, database: str | None, as_json: bool) -> None:
    """Let PERSON in no longer, and end their sessions."""
    from letsbe_hub.accounts import people  # noqa: PLC0415 - slow to import

    def change(connection: sa.Connection, wanted: str) -> None:
        people.set_state(connection, wanted, "disabled", ACTOR)

    shown(changed(home, database, person, change), as_json=as_json)


@admin.command()
@person_argument
def enable(person: str, home: HubHome, database: str | None, as_json: bool) -> None:
    """Let PERSON in again."""
    from letsbe_hub.accounts import people  # noqa: PLC0415 - slow to import

    def change(connection: sa.Connection, wanted: str) -> None:
        people.set_state(connection, wanted, "active", ACTOR)

    shown(changed(home, database, person, change), as_json=as_json)


@admin.command("give-tenant")
@person_argument
@click.argument("tenant")
def give_tenant(
    person: str, tenant: str, home: HubHome, database: str | None, as_json: bool
) -> None:
    """Let PERSON, a customer, see TENANT too."""
    from letsbe_hub.accounts import memberships  # noqa: PLC0415 - slow to import

    def change(connection: sa.Connection, wanted: str) -> None:
        with about("tenant"):
            memberships.give(connection, wanted, tenant, ACTOR)

    shown(changed(home, database, person, change), as_json=as_json)


@admin.command("take-tenant")
@person_argument
@click.argument("tenant")
def take_tenant(
    person: str, tenant: str, home: HubHome, database: str | None, as_json: bool
) -> None:
    """Let PERSON, a customer, no longer see TENANT."""
    from letsbe_hub.accounts import memberships  # noqa: PLC0415 - slow to import
    from letsbe_hub.tenants.registry import find  # noqa: PLC0415

    def change(connection: sa.Connection, wanted: str) -> None:
        with about("tenant"):
            find(connection, tenant)
            memberships.take(connection, wanted, tenant, ACTOR)

    shown(changed(home, database, person, change), as_json=as_json)


@admin.command()
@click.option("--subject", help="Only on this: `tenant:ID`, `person:ID`, `clock`, ...")
@click.option("--actor", help="Only by this one: `staff:ID`, `customer:ID`, `cli`, ...")
@click.option(
    "--most",
    type=click.IntRange(1, 10_000),
    default=50,
    show_default=True,
    help="The most to list.",
)
@home_option
@database_option
@json_option
@reporting
def acts(
    subject: str | None,
    actor: str | None,
    most: int,
    home: HubHome,
    database: str | None,
    as_json: bool,
) -> None:
    """List what people and the Hub did, newest first."""
    from letsbe_hub.api.bodies import rfc3339  # noqa: PLC0415 - slow to import
    from letsbe_hub.storage.acts import listing  # noqa: PLC0415

    query = listing(subject, actor).limit(most)
    with opened(home, database) as store:
        rows = store.read(lambda c: c.execute(query).all())
    told = [(rfc3339(r.at), r.actor, r.act, r.subject, r.detail) for r in rows]
    if as_json:
        print_json([dict(zip(ACTS, row, strict=True)) for row in told])
        return
    print_table(ACTS, [(*row[:-1], json.dumps(row[-1])) for row in told])
