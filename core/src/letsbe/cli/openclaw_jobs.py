"""``letsbe openclaw job|schedule|backups``: what agents do by themselves."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from letsbe.cli.openclaw_program import configured, needed_program, program_options
from letsbe.cli.output import (
    EXIT_FAILED,
    home_option,
    json_option,
    print_facts,
    print_json,
    reporting,
)
from letsbe.errors import ConfigurationError
from letsbe.home import Home

FILE = click.Path(path_type=Path, exists=True, dir_okay=False)


@click.group()
def job() -> None:
    """Add work that agents do at set times."""


@job.command("add")
@click.argument("name")
@click.option("--agent", "agent_id", required=True, help="Who does it.")
@click.option("--schedule", required=True, help="As for cron: '0 8 * * 1-5'.")
@click.option("--message", type=FILE, required=True, help="A text of what to do.")
@click.option("--tool", "tools", multiple=True, help="A tool it needs; repeatable.")
@home_option
@reporting
def add_job(
    home: Home,
    name: str,
    agent_id: str,
    schedule: str,
    message: Path,
    tools: tuple[str, ...],
) -> None:
    """Add a job, or write an existing one anew."""
    from letsbe.openclaw.document import TenantDocument, checked  # noqa: PLC0415
    from letsbe.openclaw.tenant import Job  # noqa: PLC0415

    fields = {
        "name": name,
        "agent_id": agent_id,
        "schedule": schedule,
        "message": message.read_text(encoding="utf-8"),
        "tools": tools,
    }
    TenantDocument(home.tenant).put(checked(Job, fields))
    click.echo(f"{name} runs from the next `letsbe openclaw schedule` on")


@job.command("remove")
@click.argument("name")
@home_option
@reporting
def remove_job(home: Home, name: str) -> None:
    """Remove a job."""
    from letsbe.openclaw.document import TenantDocument  # noqa: PLC0415 - slow to import

    TenantDocument(home.tenant).remove("jobs", name)
    click.echo(f"{name} ends with the next `letsbe openclaw schedule`")


@click.command()
@home_option
@program_options
@json_option
@reporting
def schedule(
    home: Home, program_path: Path | None, node: Path | None, as_json: bool
) -> None:
    """Declare the tenant's jobs to the running gateway.

    May be repeated: a job that is there is changed, one that is no more is removed.
    With --backup-status set for the tenant, a daily look at the backups is one.
    """
    from letsbe.openclaw.schedule import declare  # noqa: PLC0415 - slow to import

    tenant, places = configured(home)
    declared = declare(needed_program(program_path, node), places, tenant)
    facts = {
        "created": list(declared.created),
        "updated": list(declared.updated),
        "removed": list(declared.removed),
    }
    if as_json:
        print_json(facts)
        return
    if not any(facts.values()):
        click.echo("there is no job")
    print_facts(facts.items())


@click.command()
@home_option
@program_options
@json_option
@reporting
def backups(
    home: Home, program_path: Path | None, node: Path | None, as_json: bool
) -> None:
    """See how the backups are, and keep it for the Hub.

    Ends with 1 if they are not in order. What the agent said is added where there is
    an openclaw program and its gateway answers.
    """
    from letsbe.configuration import load_configuration  # noqa: PLC0415 - slow
    from letsbe.openclaw.backups import keep, look, with_agent  # noqa: PLC0415
    from letsbe.openclaw.program import Program  # noqa: PLC0415
    from letsbe.openclaw.schedule import BACKUP_JOB, backup_file, last_run  # noqa: PLC0415
    from letsbe.storage.database import Database  # noqa: PLC0415

    tenant, places = configured(home)
    report = look(backup_file(tenant), load_configuration(home).files.roots)
    program = Program.find(program_path, node)
    if program is not None:
        try:
            report = with_agent(report, last_run(program, places, BACKUP_JOB))
        except ConfigurationError as error:
            click.echo(f"the agent's own look is not known: {error}", err=True)
    with Database(home.database) as database:
        keep(database, report)
    facts = report.model_dump(mode="json", exclude_none=True)
    if as_json:
        print_json(facts)
    else:
        print_facts((name.replace("_", " "), value) for name, value in facts.items())
    if report.state != "ok":
        sys.exit(EXIT_FAILED)
