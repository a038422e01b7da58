"""``letsbe-hub tenant``: makes, lists, shows, suspends and resumes tenants."""

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
    known,
    opened,
)
from letsbe_hub.home import HubHome

if TYPE_CHECKING:
    import sqlalchemy as sa

    from letsbe_hub.api.admin.tenants import TenantView

COLUMNS = ("id", "name", "plan", "state", "server", "configuration", "order")


@click.group()
def tenant() -> None:
    """Make, list, show, suspend and resume tenants."""


@tenant.command()
@click.argument("name")
@click.option(
    "--order", "order_id", required=True, help="The order that it comes from."
)
@click.option(
    "--plan",
    type=click.Choice(["lite", "build", "scale", "enterprise"]),
    default="lite",
    show_default=True,
)
@click.option(
    "--cohort",
    type=click.Choice(["sandbox", "canary", "general"]),
    default="general",
    show_default=True,
    help="By which roll-outs go.",
)
@home_option
@database_option
@json_option
@reporting
def create(
    name: str,
    order_id: str,
    plan: str,
    cohort: str,
    home: HubHome,
    database: str | None,
    as_json: bool,
) -> None:
    """Make a tenant. The same order makes one only once."""
    from letsbe_hub.api.admin.tenants import NewTenantBody  # noqa: PLC0415 - slow
    from letsbe_hub.tenants import registry  # noqa: PLC0415

    given = {"name": name, "order_id": order_id, "plan": plan, "cohort": cohort}
    form = checked(NewTenantBody, **given)
    new = registry.NewTenant(**form.model_dump())
    with opened(home, database) as store:
        made = store.write(lambda c: registry.find(c, registry.create(c, new, ACTOR)))
    _show(made, as_json=as_json)
    if not as_json:
        click.echo(f"\nNext: letsbe-hub token issue {made.id}")


@tenant.command("list")
@click.option("--state", type=click.Choice(["provisioning", "active", "suspended"]))
@home_option
@database_option
@json_option
@reporting
def list_tenants(
    state: str | None, home: HubHome, database: str | None, as_json: bool
) -> None:
    """List tenants, newest first."""
    from letsbe_hub.tenants import registry  # noqa: PLC0415 - slow to import

    query = registry.listing(state).order_by(*(c.desc() for c in registry.ORDER))
    with opened(home, database) as store:
        rows = store.read(lambda c: c.execute(query).all())
    views = [_view(row) for row in rows]
    if as_json:
        print_json([view.model_dump(mode="json", by_alias=True) for view in views])
        return
    print_table(
        COLUMNS,
        [
            (
                view.id,
                view.name,
                view.plan,
                view.state,
                view.server.status if view.server else "",
                _versions(view),
                view.order_id,
            )
            for view in views
        ],
    )


@tenant.command()
@click.argument("tenant_id", metavar="TENANT")
@home_option
@database_option
@json_option
@reporting
def show(tenant_id: str, home: HubHome, database: str | None, as_json: bool) -> None:
    """Show a tenant and its server."""
    from letsbe_hub.tenants import registry  # noqa: PLC0415 - slow to import

    with opened(home, database) as store, known("tenant_id"):
        row = store.read(lambda c: registry.find(c, tenant_id))
    _show(row, as_json=as_json)


@tenant.command()
@click.argument("tenant_id", metavar="TENANT")
@click.option("--reason", required=True, help="For the record and the owner.")
@home_option
@database_option
@json_option
@reporting
def suspend(
    tenant_id: str, reason: str, home: HubHome, database: str | None, as_json: bool
) -> None:
    """Suspend a tenant: the Hub refuses its server, and keeps its data."""
    from letsbe_hub.api.admin.tenants import SuspendBody  # noqa: PLC0415 - slow
    from letsbe_hub.tenants import registry  # noqa: PLC0415

    checked(SuspendBody, reason=reason)

    def change(connection: sa.Connection) -> sa.Row[Any]:
        registry.suspend(connection, tenant_id, reason, ACTOR)
        return registry.find(connection, tenant_id)

    with opened(home, database) as store, known("tenant_id"):
        row = store.write(change)
    _show(row, as_json=as_json)


@tenant.command()
@click.argument("tenant_id", metavar="TENANT")
@home_option
@database_option
@json_option
@reporting
def resume(tenant_id: str, home: HubHome, database: str | None, as_json: bool) -> None:
    """End a tenant's suspension."""
    from letsbe_hub.tenants import registry  # noqa: PLC0415 - slow to import

    def change(connection: sa.Connection) -> sa.Row[Any]:
        registry.resume(connection, tenant_id, ACTOR)
        return registry.find(connection, tenant_id)

    with opened(home, database) as store, known("tenant_id"):
        row = store.write(change)
    _show(row, as_json=as_json)


def _view(row: sa.Row[Any]) -> TenantView:
    from letsbe_hub.api.admin.tenants import tenant_view  # noqa: PLC0415 - slow to import

    return tenant_view(row)


def _versions(view: TenantView) -> str:
    applied = view.server.config_version if view.server else 0
    wanted = view.config_version
    return str(applied) if applied == wanted else f"{applied}, {wanted} wanted"


def _show(row: sa.Row[Any], *, as_json: bool) -> None:
    view = _view(row).model_dump(mode="json", by_alias=True)
    if as_json:
        print_json(view)
        return
    server = view.pop("server") or {}
    print_facts(list(view.items()))
    if server:
        click.echo()
        print_facts(list(server.items()))
