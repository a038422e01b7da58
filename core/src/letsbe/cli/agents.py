"""``letsbe agents``: what agents may do unasked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from letsbe.cli.output import (
    home_option,
    json_option,
    print_json,
    print_table,
    reporting,
)
from letsbe.home import Home

if TYPE_CHECKING:
    from letsbe.wrapper.agents import AgentPolicies

LEVEL = click.IntRange(1, 3)


@click.group()
def agents() -> None:
    """Set what agents may do unasked.

    Level 1 asks for every change, level 2 (the default) for what destroys, level 3
    only for what is catastrophic. A tool's external calls ask until it is unlocked.
    """


@agents.command("list")
@home_option
@json_option
@reporting
def list_agents(home: Home, as_json: bool) -> None:
    """List agents with their levels and unlocked tools."""
    policies = _policies(home)
    level = int(policies.tenant_level())
    found = policies.all()
    if as_json:
        listed = [
            {
                "agent_id": a.agent_id,
                "level": a.level,
                "unlocked": sorted(a.unlocked),
                "tools": a.tools,
            }
            for a in found
        ]
        print_json({"level": level, "agents": listed})
        return
    rows: list[tuple[object, ...]] = [("(everyone else)", level, "", "*")]
    rows += [
        (
            a.agent_id,
            a.level or level,
            " ".join(sorted(a.unlocked)),
            "*" if a.tools is None else " ".join(a.tools),
        )
        for a in found
    ]
    print_table(("agent", "level", "unlocked", "tools"), rows)


@agents.command()
@click.argument("agent_id")
@home_option
@reporting
def add(home: Home, agent_id: str) -> None:
    """Make an agent's token. A running wrapper knows it at once."""
    from letsbe.wrapper.tokens import create_agent_token  # noqa: PLC0415 - slow

    click.echo(f"the token is in {create_agent_token(home, agent_id)}")


@agents.command()
@click.argument("level", type=LEVEL)
@click.option("--agent", "agent_id", help="Only this agent's; else the tenant's.")
@home_option
@reporting
def level(home: Home, level: int, agent_id: str | None) -> None:
    """Set an autonomy level."""
    from letsbe.policy.autonomy import AutonomyLevel  # noqa: PLC0415 - slow

    policies = _policies(home)
    chosen = AutonomyLevel(level)
    if agent_id is None:
        policies.set_tenant_level(chosen)
    else:
        settings = policies.get(agent_id)
        policies.put(settings.model_copy(update={"level": chosen}))
    click.echo(f"{agent_id or 'the tenant'} is at level {level}")


@agents.command()
@click.argument("agent_id")
@click.argument("tools", nargs=-1, required=True)
@home_option
@reporting
def scope(home: Home, agent_id: str, tools: tuple[str, ...]) -> None:
    """Say which tools an agent may use at all: `file_*`, `ghost.*`, or `*` for all."""
    _policies(home).set_scope(agent_id, tools)
    click.echo(f"{agent_id} may use {' '.join(tools)}")


@agents.command()
@click.argument("agent_id")
@click.argument("tool")
@home_option
@reporting
def unlock(home: Home, agent_id: str, tool: str) -> None:
    """Let one tool's external calls run for one agent."""
    policies = _policies(home)
    settings = policies.get(agent_id)
    unlocked = settings.unlocked | {tool}
    policies.put(settings.model_copy(update={"unlocked": unlocked}))
    click.echo(f"{tool} is unlocked for {agent_id}")


@agents.command()
@click.argument("agent_id")
@click.argument("tool")
@home_option
@reporting
def lock(home: Home, agent_id: str, tool: str) -> None:
    """Take an unlock back."""
    policies = _policies(home)
    settings = policies.get(agent_id)
    unlocked = settings.unlocked - {tool}
    policies.put(settings.model_copy(update={"unlocked": unlocked}))
    click.echo(f"{tool} is locked for {agent_id}")


def _policies(home: Home) -> AgentPolicies:
    from letsbe.configuration import load_configuration  # noqa: PLC0415 - slow
    from letsbe.wrapper.agents import AgentPolicies  # noqa: PLC0415

    load_configuration(home)
    return AgentPolicies(home.agents)
