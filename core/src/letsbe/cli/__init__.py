"""The ``letsbe`` command.

Nothing is imported here but click: each command's module is imported when the command
is used, so that ``letsbe --help`` answers at once.
"""

from __future__ import annotations

import click

import letsbe
from letsbe.cli.group import LazyGroup

COMMANDS = {
    "init": ("letsbe.cli.init:init", "Make a home folder for one tenant."),
    "up": ("letsbe.cli.up:up", "Run the Safety Wrapper and the Secrets Proxy."),
    "proxy": ("letsbe.cli.proxy:proxy", "Run the Secrets Proxy."),
    "call": ("letsbe.cli.call:call", "Call a tool as an agent would."),
    "classify": ("letsbe.cli.classify:classify", "Say what a tool call would do."),
    "explain": ("letsbe.cli.explain:explain", "Explain why a call is judged so."),
    "approvals": ("letsbe.cli.approvals:approvals", "Decide the calls that wait."),
    "secrets": ("letsbe.cli.secrets:secrets", "Keep the secrets of the vault."),
    "hub": ("letsbe.cli.hub:hub", "Register this server with its Hub."),
    "agents": ("letsbe.cli.agents:agents", "Set what agents may do unasked."),
    "openclaw": ("letsbe.cli.openclaw:openclaw", "Set up the agent runtime."),
    "audit": ("letsbe.cli.audit:audit", "Read and verify the audit log."),
    "usage": ("letsbe.cli.usage:usage", "See what tokens were used."),
    "redact": ("letsbe.cli.redact:redact", "Take the secrets out of text."),
    "tools": ("letsbe.cli.tools:tools", "See and register the tenant's tools."),
    "plugins": ("letsbe.cli.plugins:plugins", "See which plugins are in use."),
    "demo": ("letsbe.cli.demo:demo", "Watch one day of an agent in a minute."),
    "completion": ("letsbe.cli.completion:completion", "Complete commands by shell."),
}


@click.group(
    cls=LazyGroup,
    commands_by_name=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(letsbe.__version__, prog_name="letsbe")
def main() -> None:
    """Let an AI agent run a server without leaking a secret or doing harm.

    Start with `letsbe demo`, or with `letsbe init --root FOLDER` and `letsbe up`.
    """
