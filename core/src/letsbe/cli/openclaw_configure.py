"""``letsbe openclaw configure``: shows the difference, asks, and writes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    from letsbe.openclaw.configuring import Pending


@click.command()
@home_option
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="OpenClaw's state folder, such as /var/lib/openclaw.",
)
@click.option("--yes", is_flag=True, help="Write without asking.")
@click.option(
    "--openclaw",
    "program_path",
    type=click.Path(path_type=Path),
    help="The openclaw program, which then checks what is written; else that on PATH.",
)
@click.option(
    "--node", type=click.Path(path_type=Path), help="The Node to run it with."
)
@json_option
@reporting
def configure(
    home: Home,
    state: Path,
    yes: bool,
    program_path: Path | None,
    node: Path | None,
    as_json: bool,
) -> None:
    """Write OpenClaw's configuration and the agents' files.

    Shows first what would change. What a person added elsewhere in the file, or below
    the marked line of an agent's file, stays.
    """
    from letsbe.openclaw.configuring import prepare  # noqa: PLC0415 - slow to import
    from letsbe.openclaw.program import Program  # noqa: PLC0415
    from letsbe.openclaw.restarting import restarts  # noqa: PLC0415

    program = Program.find(program_path, node)
    if program is not None:
        program.check_version()
    pending = prepare(home, state.absolute(), program.package if program else None)
    if as_json and not yes:
        raise click.UsageError("--json needs --yes, for it cannot ask")
    if not as_json:
        _show(pending)
    if pending.changes_anything:
        if not (yes or click.confirm("Write this?")):
            click.echo("nothing was written")
            return
        if program is not None:
            pending.check_with(program)
        pending.apply()
    checked = "checked by OpenClaw" if program else "not checked: no openclaw program"
    restart = restarts(pending) if pending.changes_anything else {}
    if as_json:
        facts = {**_facts(pending), "checked": program is not None}
        print_json({**facts, "restart": sorted(restart)})
        return
    if pending.changes_anything:
        click.echo(f"written, {checked}")
    for what, why in restart.items():
        click.echo(f"restart {what}: {why}")


def _show(pending: Pending) -> None:
    for agent_id, tools in pending.scopes.items():
        click.echo(f"{pending.home.agents}\n+ {agent_id} may use {' '.join(tools)}")
    for change in pending.changes:
        click.echo(str(change.path))
        for line in change.lines:
            click.echo(line)
    if not pending.changes_anything:
        click.echo("nothing to change")
    rows = [
        (w.agent_id, w.tokens["SOUL.md"], w.tokens["AGENTS.md"], " ".join(w.left_out))
        for w in pending.files.workspaces
    ]
    print_table(("agent", "SOUL.md tokens", "AGENTS.md tokens", "no room for"), rows)


def _facts(pending: Pending) -> dict[str, Any]:
    return {
        "state": str(pending.files.state),
        "written": [str(change.path) for change in pending.changes],
        "agents": {
            w.agent_id: {"tokens": w.tokens, "left_out": list(w.left_out)}
            for w in pending.files.workspaces
        },
    }
