"""``letsbe openclaw``: the agent runtime of a tenant."""

from __future__ import annotations

import click

from letsbe.cli.group import LazyGroup

COMMANDS = {
    "tenant": ("letsbe.cli.openclaw_tenant:tenant", "Say whom the agents work for."),
    "model": ("letsbe.cli.openclaw_tenant:model", "Choose the models."),
    "agent": ("letsbe.cli.openclaw_tenant:agent", "Add agents of your own."),
    "channel": ("letsbe.cli.openclaw_tenant:channel", "Connect a messenger."),
    "configure": (
        "letsbe.cli.openclaw_configure:configure",
        "Write OpenClaw's configuration and the agents' files.",
    ),
}


@click.group(cls=LazyGroup, commands_by_name=COMMANDS)
def openclaw() -> None:
    """Set up OpenClaw so that everything it does goes through LetsBe.

    First `tenant` and `model`, then `configure`.
    """
