"""``letsbe approvals``: the calls that wait for a person."""

from __future__ import annotations

import sys
import time
from typing import get_args

import click

from letsbe.cli.call import EXITS
from letsbe.cli.classes import classes, person
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


approvals.add_command(classes)


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
    """Show exactly what an approval will run, why it asks, and what it would take."""
    from letsbe.cli.explained import print_explanation, print_preview  # noqa: PLC0415
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
    if found.explanation is not None:
        print_explanation(found.explanation)
    print_preview(found.preview)


@approvals.command()
@click.argument("approval_id")
@click.option("--reason", help="Why; kept with the approval.")
@click.option("--allow-class", is_flag=True, help="Allow such calls for a while too.")
@click.option("--hours", type=click.FloatRange(0, 24, min_open=True), help="How long.")
@click.option("--session", is_flag=True, help="For the rest of this session.")
@click.option("--dry-run", is_flag=True, help="Show the class and do nothing.")
@click.option("--yes", is_flag=True, help="Do not ask whether the class is meant.")
@home_option
@json_option
@reporting
def approve(
    home: Home,
    approval_id: str,
    reason: str | None,
    allow_class: bool,
    hours: float | None,
    session: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Approve a call and run it, if it is still what was asked about.

    With --allow-class, calls of the same class run unasked for --hours or for the
    --session: the same program, subcommand and flags on paths of no stricter class.
    The class is shown first. `letsbe approvals classes` lists and revokes them.
    """
    from letsbe.wrapper.opening import open_wrapper  # noqa: PLC0415 - slow to import

    wants = allow_class or dry_run
    if (hours is not None and session) or (
        allow_class and not dry_run and hours is None and not session
    ):
        raise click.UsageError("give --hours or --session with --allow-class")
    if not wants and (session or hours is not None):
        raise click.UsageError("--hours and --session are for --allow-class")
    if not wants:
        _decide(home, "approve", approval_id, reason, as_json=as_json)
        return
    with open_wrapper(home) as wrapper:
        text = wrapper.dispatcher.class_of(approval_id).text()
    if dry_run:
        print_json({"class": text}) if as_json else click.echo(text)
        return
    span = "for the rest of this session" if session else f"for {hours:g} h"
    click.echo(f"allows, unasked and {span}:\n  {text}", err=True)
    if not yes:
        click.confirm("Is this meant?", abort=True, err=True)
    _decide(home, "approve", approval_id, reason, (text, hours), as_json=as_json)


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
    home: Home,
    act: str,
    approval_id: str,
    reason: str | None,
    allowed: tuple[str, float | None] | None = None,
    *,
    as_json: bool,
) -> None:
    import anyio  # noqa: PLC0415 - slow to import

    from letsbe.wrapper.allowances import Allow  # noqa: PLC0415
    from letsbe.wrapper.opening import open_wrapper  # noqa: PLC0415

    extra = [Allow(*allowed)] if allowed else []
    with open_wrapper(home) as wrapper:
        step = getattr(wrapper.dispatcher, act)
        answer = anyio.run(step, approval_id, person(), reason, *extra)
    if as_json:
        print_json(answer.model_dump(mode="json"))
    else:
        print_facts(answer.model_dump(mode="json", exclude_none=True).items())
    sys.exit(0 if act == "deny" else EXITS[answer.status])


def _brief(arguments: object, width: int = 60) -> str:
    text = str(arguments)
    return text if len(text) <= width else f"{text[: width - 1]}…"
