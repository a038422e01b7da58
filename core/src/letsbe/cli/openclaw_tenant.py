"""``letsbe openclaw tenant|model|agent|channel``: whom the agents work for, and how."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from letsbe.cli.output import (
    home_option,
    json_option,
    print_facts,
    print_json,
    print_table,
    reporting,
)
from letsbe.home import Home

if TYPE_CHECKING:
    from letsbe.openclaw.document import TenantDocument

FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.command()
@click.option("--business", "name", help="The business's name.")
@click.option("--owner", help="The person who decides and approves.")
@click.option("--domain", help="The business's domain.")
@click.option("--timezone", help="Such as Europe/Berlin.")
@click.option("--bridge", type=FOLDER, help="Where the bridge plugin was installed.")
@click.option("--gateway-port", type=click.IntRange(1, 65535))
@click.option(
    "--backup-status",
    type=click.Path(path_type=Path),
    help="The file that tells how the backups went; an agent then looks daily.",
)
@home_option
@json_option
@reporting
def tenant(
    home: Home,
    bridge: Path | None,
    gateway_port: int | None,
    backup_status: Path | None,
    as_json: bool,
    **business: str | None,
) -> None:
    """Say whom the agents work for; without options, show what is known."""
    document = _document(home)
    given = {key: value for key, value in business.items() if value is not None}
    if given:
        document.set_single("business", **given)
    places: dict[str, Any] = {}
    if bridge is not None:
        places["bridge"] = str(bridge.resolve())
    if gateway_port is not None:
        places["gateway_port"] = gateway_port
    if backup_status is not None:
        places["backup_status"] = str(backup_status.absolute())
    if places:
        document.set_single("runtime", **places)
    facts = document.facts()
    if as_json:
        print_json(facts)
        return
    print_facts([(name.replace("_", " "), value) for name, value in facts.items()])


@click.group()
def model() -> None:
    """Choose the models, each behind an upstream of the Secrets Proxy.

    The first is what agents use that name none of their own.
    """


@model.command("add")
@click.argument("upstream")
@click.argument("model")
@click.option("--context-window", type=int, default=200_000, show_default=True)
@click.option("--max-tokens", type=int, default=8192, show_default=True)
@click.option("--reasoning", is_flag=True)
@click.option("--images", is_flag=True)
@click.option(
    "--caching",
    type=click.Choice(("auto", "anthropic", "openai", "none")),
    default="auto",
    show_default=True,
    help="Which markers keep the provider's prompt cache warm.",
)
@home_option
@reporting
def add_model(home: Home, **fields: Any) -> None:  # noqa: ANN401 - click's
    """Add MODEL, as the provider calls it, behind UPSTREAM of letsbe.toml."""
    from letsbe.openclaw.document import checked  # noqa: PLC0415 - slow to import
    from letsbe.openclaw.tenant import Model  # noqa: PLC0415 - slow to import

    row = checked(Model, fields)
    _document(home).put(row)
    click.echo(f"{row.name} is one of the tenant's models")


@model.command("remove")
@click.argument("name")
@home_option
@reporting
def remove_model(home: Home, name: str) -> None:
    """Remove NAME, which is UPSTREAM/MODEL."""
    _document(home).remove("models", name)
    click.echo(f"{name} is removed")


@click.group()
def agent() -> None:
    """Add agents of your own, or change the default ones.

    What they may do is set with `letsbe agents`.
    """


@agent.command("add")
@click.argument("agent_id")
@click.option("--name", required=True, help="What it is called.")
@click.option("--role", default="custom", show_default=True, help="A default agent's.")
@click.option("--purpose", help="What it is for, in a line that the others see.")
@click.option("--instructions", type=FILE, help="A text of what it has to do.")
@click.option("--model", help="UPSTREAM/MODEL, if not the tenant's first.")
@home_option
@reporting
def add_agent(home: Home, instructions: Path | None, **fields: Any) -> None:  # noqa: ANN401 - click's
    """Add an agent, or write an existing one anew."""
    from letsbe.openclaw.configuring import add_default_agents  # noqa: PLC0415 - slow
    from letsbe.openclaw.document import checked  # noqa: PLC0415
    from letsbe.openclaw.tenant import AgentProfile  # noqa: PLC0415

    text = instructions.read_text(encoding="utf-8") if instructions else ""
    given = {key: value for key, value in fields.items() if value is not None}
    row = checked(AgentProfile, {**given, "instructions": text})
    add_default_agents(home)
    _document(home).put(row)
    click.echo(f"{row.agent_id} is one of the tenant's agents")


@agent.command("remove")
@click.argument("agent_id")
@home_option
@reporting
def remove_agent(home: Home, agent_id: str) -> None:
    """Remove an agent; its token and its conversations stay until they are deleted."""
    _document(home).remove("agents", agent_id)
    click.echo(f"{agent_id} is removed")


@agent.command("list")
@home_option
@json_option
@reporting
def list_agents(home: Home, as_json: bool) -> None:
    """List the agents."""
    from letsbe.openclaw.roles import default_agents  # noqa: PLC0415 - slow to import

    found = _document(home).agents() or default_agents()
    if as_json:
        print_json([row.model_dump(mode="json") for row in found])
        return
    rows = [(row.agent_id, row.name, row.role, row.model or "") for row in found]
    print_table(("agent", "name", "role", "model"), rows)


@click.group()
def channel() -> None:
    """Connect a messenger: its owner first, everyone else by a pairing code."""


@channel.command("add")
@click.argument("channel", type=click.Choice(("telegram", "whatsapp")))
@click.option("--owner", required=True, help="A Telegram user id, or +49... .")
@click.option("--agent", "agent_id", default="dispatcher", show_default=True)
@click.option(
    "--token-file",
    type=click.Path(path_type=Path),
    help="Telegram: the file with the bot's token, which OpenClaw's account can read.",
)
@home_option
@reporting
def add_channel(home: Home, token_file: Path | None, **fields: Any) -> None:  # noqa: ANN401 - click's
    """Connect a messenger, or change how it is connected."""
    from letsbe.openclaw.document import checked  # noqa: PLC0415 - slow to import
    from letsbe.openclaw.tenant import Channel  # noqa: PLC0415 - slow to import
    from letsbe.openclaw.version import PINNED_VERSION  # noqa: PLC0415

    place = token_file.absolute() if token_file else None
    row = checked(Channel, {**fields, "token_file": place})
    _document(home).put(row)
    click.echo(
        f"{row.channel} is connected to {row.agent_id} from the next configure on"
    )
    if row.channel == "whatsapp":
        plugin = f"@openclaw/whatsapp@{PINNED_VERSION}"
        click.echo(f"it needs its plugin: openclaw plugins install {plugin}")


@channel.command("remove")
@click.argument("channel")
@home_option
@reporting
def remove_channel(home: Home, channel: str) -> None:
    """Disconnect a messenger."""
    _document(home).remove("channels", channel)
    click.echo(f"{channel} is disconnected from the next configure on")


def _document(home: Home) -> TenantDocument:
    from letsbe.configuration import load_configuration  # noqa: PLC0415 - slow
    from letsbe.openclaw.document import TenantDocument  # noqa: PLC0415

    load_configuration(home)
    return TenantDocument(home.tenant)
