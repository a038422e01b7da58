"""The ``letsbe-hub`` command.

Nothing is imported here but click: each command's module is imported when the command
is used, so that ``letsbe-hub --help`` answers at once.
"""

from __future__ import annotations

import click

import letsbe
from letsbe.cli.group import LazyGroup

COMMANDS = {
    "up": ("letsbe_hub.cli.up:up", "Run the Hub."),
    "migrate": ("letsbe_hub.cli.migrate:migrate", "Bring the database up to date."),
    "tenant": ("letsbe_hub.cli.tenant:tenant", "Make, list and suspend tenants."),
    "admin": ("letsbe_hub.cli.admin:admin", "Make people, help them sign in."),
    "usage": ("letsbe_hub.cli.usage:usage", "Add up what a tenant has used."),
    "billing": ("letsbe_hub.cli.billing:billing", "Show, charge and check periods."),
    "clock": ("letsbe_hub.cli.clock:clock", "Show or confirm the time."),
    "demo": ("letsbe_hub.cli.demo:demo", "Watch a Hub and three tenants."),
    "token": ("letsbe_hub.cli.token:token", "Issue registration tokens."),
}


@click.group(
    cls=LazyGroup,
    commands_by_name=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(letsbe.__version__, prog_name="letsbe-hub")
def main() -> None:
    """Run the control plane of all tenants.

    Start with `letsbe-hub up`, then `letsbe-hub tenant create`.
    """
