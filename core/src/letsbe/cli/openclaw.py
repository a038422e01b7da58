"""``letsbe openclaw``: the agent runtime of a tenant."""

from __future__ import annotations

import click

from letsbe.cli.group import LazyGroup

COMMANDS = {
    "tenant": ("letsbe.cli.openclaw_tenant:tenant", "Say whom the agents work for."),
    "model": ("letsbe.cli.openclaw_tenant:model", "Choose the models."),
    "agent": ("letsbe.cli.openclaw_tenant:agent", "Add agents of your own."),
    "channel": ("letsbe.cli.openclaw_tenant:channel", "Connect a messenger."),
    "job": ("letsbe.cli.openclaw_jobs:job", "Add work that agents do at set times."),
    "configure": (
        "letsbe.cli.openclaw_configure:configure",
        "Write OpenClaw's configuration and the agents' files.",
    ),
    "units": (
        "letsbe.cli.openclaw_units:units",
        "Write service files and packet rules that hold OpenClaw.",
    ),
    "schedule": ("letsbe.cli.openclaw_jobs:schedule", "Declare the jobs to OpenClaw."),
    "backups": ("letsbe.cli.openclaw_jobs:backups", "See how the backups are."),
    "audit": ("letsbe.cli.openclaw_audit:audit", "Run OpenClaw's own security audit."),
}


@click.group(cls=LazyGroup, commands_by_name=COMMANDS)
def openclaw() -> None:
    """Set up OpenClaw so that everything it does goes through LetsBe.

    First `tenant` and `model`, then `configure`.
    """
