"""``letsbe approvals``: the calls that wait for a person."""

from __future__ import annotations

import getpass
import sys
import time
from typing import get_args

import click

from letsbe.cli.call import EXITS
from letsbe.cli.output import (
    home_option,
    json_option,
    print_facts,
    print_json,
    print_table,
    reporting,
)
from letsbe.home import Home

STATES = ("pending", "running", "done", "failed", "interrupted", "denied", "expired")


@click.group()
def approvals() -> None:
    """Decide the calls that wait for a person."""


@approvals.command("list")
@click.option("--state", type=click.Choice(STATES), help="Only those in this state.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
@home_option
@json_option
@reporting
def list_approvals(home: Home, state: str | None, limit: int, as_json: bool) -> None:
    """List approvals, newest first."""
    from letsbe.wrapper.approvals import State  # noqa: PLC0415 - slow to import
    from letsbe.wrapper.opening import open_wrapper  # noqa: PLC0415

    chosen = next((s for s in get_args(State) if s == state), None)
    with open_wrapper(home) as wrapper:
        found = wrapper.approvals.list(chosen, limit=limit)
    if as_json:
        print_json([approval.model_dump(mode="json") for approval in found])
        return
    rows = [
        (a.id, a.state, a.tier, a.agent_id, a.tool_name, _brief(a.tool_args))
        for a in found
    ]
    print_table(("id", "state", "tier", "agent", "tool", "arguments"), rows)


@approvals.command()
@click.argument("approval_id")
@home_option
@json_option
@reporting
def show(home: Home, approval_id: str, as_json: bool) -> None:
    """Show exactly what an approval will run."""
    from letsbe.wrapper.opening import open_wrapper  # noqa: PLC0415 - slow to import

    with open_wrapper(home) as wrapper:
        found = wrapper.approvals.get(approval_id)
    if as_json:
        print_json(found.model_dump(mode="json"))
        return
    left = max(0.0, found.expires_at - time.time()) / 3600
    print_facts(
        [
            ("approval", found.id),
            ("state", found.state),
            ("agent", found.agent_id),
            ("tier", found.tier),
            ("external", "yes" if found.external else None),
            ("rule", found.rule),
            ("reason", found.reason),
            ("instead", found.alternative),
            ("tool", found.tool_name),
            ("arguments", found.tool_args),
            *((f"will run: {name}", value) for name, value in found.plan.items()),
            ("expires in", f"{left:.1f} h" if found.state == "pending" else None),
            ("decided by", found.decided_by),
            ("their reason", found.decision_reason),
            ("answer", found.answer),
        ]
    )


@approvals.command()
@click.argument("approval_id")
@click.option("--reason", help="Why; kept with the approval.")
@home_option
@json_option
@reporting
def approve(home: Home, approval_id: str, reason: str | None, as_json: bool) -> None:
    """Approve a call and run it, if it is still what was asked about."""
    _decide(home, "approve", approval_id, reason, as_json=as_json)


@approvals.command()
@click.argument("approval_id")
@click.option("--reason", help="Why; it goes back to the agent.")
@home_option
@json_option
@reporting
def deny(home: Home, approval_id: str, reason: str | None, as_json: bool) -> None:
    """Deny a call."""
    _decide(home, "deny", approval_id, reason, as_json=as_json)


def _decide(
    home: Home, act: str, approval_id: str, reason: str | None, *, as_json: bool
) -> None:
    import anyio  # noqa: PLC0415 - slow to import

    from letsbe.wrapper.opening import open_wrapper  # noqa: PLC0415

    person = f"{getpass.getuser()} (command line)"
    with open_wrapper(home) as wrapper:
        step = getattr(wrapper.dispatcher, act)
        answer = anyio.run(step, approval_id, person, reason)
    if as_json:
        print_json(answer.model_dump(mode="json"))
    else:
        print_facts(answer.model_dump(mode="json", exclude_none=True).items())
    sys.exit(0 if act == "deny" else EXITS[answer.status])


def _brief(arguments: object, width: int = 60) -> str:
    text = str(arguments)
    return text if len(text) <= width else f"{text[: width - 1]}…"
