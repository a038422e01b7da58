"""Scheduled work: the tenant's jobs, declared to the running gateway.

Each is declared under a key of ours, so that declaring it again changes it and never
makes a second one. A job runs as one agent in a session of its own with light context,
and may be narrowed to a few tools.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from letsbe.errors import ConfigurationError
from letsbe.openclaw.program import Program
from letsbe.openclaw.roles import template
from letsbe.openclaw.routes import route_of
from letsbe.openclaw.settings import Places
from letsbe.openclaw.tenant import Job, Tenant

BACKUP_JOB = "backup-status"
BACKUP_SCHEDULE = "17 6 * * *"
KEY = "letsbe:"
"""What the keys of our jobs begin with."""

SECONDS = 300
"""Seconds that one run may take."""


@dataclass(frozen=True, slots=True)
class Declared:
    """What declaring the jobs did.

    Args:
        created: The jobs that are new.
        updated: The jobs that were there.
        removed: The jobs that the tenant no longer has.
    """

    created: tuple[str, ...]
    updated: tuple[str, ...]
    removed: tuple[str, ...]


def jobs(tenant: Tenant) -> tuple[Job, ...]:
    """Return the tenant's jobs, the look at the backups among them.

    Args:
        tenant: The tenant's document.
    """
    status = tenant.runtime.backup_status
    named = {job.name for job in tenant.jobs}
    if status is None or BACKUP_JOB in named:
        return tenant.jobs
    agents = {agent.agent_id for agent in tenant.agents}
    job = Job(
        name=BACKUP_JOB,
        agent_id="it-admin" if "it-admin" in agents else tenant.agents[0].agent_id,
        schedule=BACKUP_SCHEDULE,
        message=template("backup-job.md").replace("$path", str(status)).strip(),
        tools=("file_read",),
    )
    return (job, *tenant.jobs)


def declare(program: Program, places: Places, tenant: Tenant) -> Declared:
    """Declare the jobs to the running gateway, and remove those that are no more.

    Args:
        program: The pinned OpenClaw.
        places: The state of the gateway.
        tenant: The tenant's document.

    Raises:
        ConfigurationError: A job's agent does not exist, or the gateway does not
            answer.
    """
    wanted = jobs(tenant)
    known = {agent.agent_id for agent in tenant.agents}
    for job in wanted:
        if job.agent_id not in known:
            message = f"the job {job.name} is for {job.agent_id}, which is no agent"
            raise ConfigurationError(message)
    created: list[str] = []
    updated: list[str] = []
    for job in wanted:
        told = program.json(places, "cron", "add", *_words(job, tenant))
        (created if told.get("created", True) else updated).append(job.name)
    removed = _remove_others(program, places, {job.name for job in wanted})
    return Declared(tuple(created), tuple(updated), removed)


def last_run(program: Program, places: Places, name: str) -> dict[str, Any] | None:
    """Return the newest run of one of our jobs, as the gateway tells it.

    Raises:
        ConfigurationError: The gateway does not answer.
    """
    found = _ours(program, places).get(name)
    if found is None:
        return None
    words = ("cron", "runs", found, "--limit", "1", "--json")
    entries = program.json(places, *words).get("entries", [])
    return dict(entries[0]) if entries else None


def _words(job: Job, tenant: Tenant) -> list[str]:
    words = ["--name", job.name, "--declaration-key", f"{KEY}{job.name}"]
    words += ["--cron", job.schedule, "--tz", tenant.business.timezone]
    words += ["--agent", job.agent_id, "--session", "isolated", "--light-context"]
    words += ["--no-deliver", "--timeout-seconds", str(SECONDS)]
    if job.tools:
        route = route_of(tenant)
        words += ["--tools", ",".join(route.tool(job.agent_id, t) for t in job.tools)]
    return [*words, f"--message={job.message}", "--json"]


def _remove_others(
    program: Program, places: Places, wanted: set[str]
) -> tuple[str, ...]:
    others = {n: i for n, i in _ours(program, places).items() if n not in wanted}
    for identifier in others.values():
        program.json(places, "cron", "rm", identifier, "--json")
    return tuple(sorted(others))


def _ours(program: Program, places: Places) -> dict[str, str]:
    """The jobs under our keys: their ids by their names."""
    listed = program.json(places, "cron", "list", "--all", "--json").get("jobs", [])
    return {
        str(job["declarationKey"]).removeprefix(KEY): str(job["id"])
        for job in listed
        if str(job.get("declarationKey", "")).startswith(KEY)
    }


def backup_file(tenant: Tenant) -> Path:
    """Return where the backups' status is.

    Raises:
        ConfigurationError: It is not known.
    """
    if tenant.runtime.backup_status is None:
        message = "it is not known where the backups' status is"
        instead = "run `letsbe openclaw tenant --backup-status FILE`"
        raise ConfigurationError(message, alternative=instead)
    return tenant.runtime.backup_status
