"""``letsbe init``: makes a home folder, or completes one that is not whole."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from letsbe.cli.output import (
    home_option,
    json_option,
    print_facts,
    print_json,
    reporting,
)
from letsbe.home import Home

TEMPLATE = """\
# LetsBe, for one tenant. Every setting stands here with its default; remove the `#` to
# change one. `letsbe up` reads this file when it starts.

[files]
# The folders that agents may read from and write to.
roots = {roots}
# Closed to agents even inside a root. This folder and OpenClaw's own state always are.
# forbidden = []

[wrapper]
# Anything but loopback needs a TLS proxy in front.
# host = "127.0.0.1"
# port = 8200
# Bytes of a request's body, and of one call's output.
# body_limit = 4194304
# output_limit = 262144
# Calls that may execute at once, and that may wait for their turn.
# concurrent_calls = 16
# waiting_calls = 256
# Seconds until a call is ended.
# call_timeout = 120.0
# Operations that agents get as tools of their own: names, or "prefix.*".
# native_operations = []
# Hours until a pending approval expires.
# approval_hours = 24.0

[proxy]
# The Secrets Proxy: LLM calls go through it, and secrets are taken out of them.
# host = "127.0.0.1"
# port = 8100
# An account of its own, which sees of this folder only what it needs. It then runs as a
# service of its own, and `letsbe up` leaves it alone. See docs/secrets-proxy.md.
# user = "letsbe-proxy"
# Bytes of a request's body, unpacked.
# body_limit = 33554432
# Seconds to connect, of an upstream's silence, and for a piece of a request.
# connect_timeout = 10.0
# read_timeout = 600.0
# write_timeout = 60.0

# One table per provider; without one, LLM calls are not forwarded at all. This one is
# called at http://127.0.0.1:8100/openai/v1, with its key from the vault.
# [proxy.upstreams.openai]
# base_url = "https://api.openai.com"
# The path to call it by; else its name.
# prefix = "/openai"
# openai-completions, openai-responses or anthropic-messages.
# api = "openai-completions"
# The vault's name for the key, and how it is sent: "bearer", or a header's name.
# secret = "openai_key"
# send_key_as = "bearer"

[plugins]
# Seconds that a plugin's hook may take.
# hook_timeout = 2.0

# One table per plugin, by its name; the plugin's README says what it takes.
# [plugins.settings.shell]
"""


@click.command()
@home_option
@click.option(
    "--root",
    "roots",
    multiple=True,
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="A folder that agents may read from and write to; repeatable.",
)
@click.option("--agent", "agents", multiple=True, default=("main",), show_default=True)
@json_option
@reporting
def init(
    home: Home, roots: tuple[Path, ...], agents: tuple[str, ...], as_json: bool
) -> None:
    """Make a home folder for one tenant.

    It gets two keys, tokens, a configuration with comments, and the set of plugins
    that are installed now. What is already there stays as it is.
    """
    made = make_home(home, roots, agents)
    facts = {
        "home": str(home.folder),
        "made": made,
        "configuration": str(home.configuration),
        "operator_token": str(home.operator_token),
        "agent_tokens": [str(home.agent_tokens / agent) for agent in agents],
    }
    if as_json:
        print_json(facts)
        return
    print_facts([(name.replace("_", " "), value) for name, value in facts.items()])
    click.echo(f"\nNext: letsbe up --home {home.folder}")


def make_home(
    home: Home, roots: tuple[Path, ...], agents: tuple[str, ...]
) -> list[str]:
    """Make whatever a home lacks.

    Args:
        home: The home folder.
        roots: The folders that agents may use.
        agents: The agents that get a token.

    Returns:
        What was made, by name; empty if the home was whole.

    Raises:
        ConfigurationError: Something in the way is not what it should be.
    """
    from letsbe.discovery.finding import installed_set  # noqa: PLC0415 - slow to import
    from letsbe.discovery.plugin_set import write_plugin_set  # noqa: PLC0415
    from letsbe.discovery.records import TENANT_KINDS  # noqa: PLC0415 - slow to import
    from letsbe.proxy.sharing import prepare  # noqa: PLC0415
    from letsbe.storage.database import Database  # noqa: PLC0415
    from letsbe.storage.keys import create_key  # noqa: PLC0415
    from letsbe.wrapper.tokens import create_agent_token, create_token  # noqa: PLC0415

    home.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not home.configuration.exists():
        home.folder.chmod(0o700)
    steps: list[tuple[Path, Callable[[], object]]] = [
        (home.vault_key, lambda: create_key(home.vault_key)),
        (home.audit_key, lambda: create_key(home.audit_key)),
        (home.operator_token, lambda: create_token(home.operator_token)),
        (home.runtime_token, lambda: create_token(home.runtime_token)),
        *(
            (home.agent_tokens / agent, partial(create_agent_token, home, agent))
            for agent in agents
        ),
        (
            home.plugin_set,
            lambda: write_plugin_set(home.plugin_set, installed_set(TENANT_KINDS)),
        ),
        (home.database, lambda: Database(home.database).close()),
        (home.configuration, lambda: _write_configuration(home, roots)),
    ]
    made = []
    for path, make in steps:
        if not path.exists():
            make()
            made.append(str(path.relative_to(home.folder)))
    prepare(home)
    return made


def _write_configuration(home: Home, roots: tuple[Path, ...]) -> None:
    # A JSON string of ASCII is a TOML string too.
    listed = json.dumps([str(root.resolve()) for root in roots])
    descriptor = os.open(
        home.configuration, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600
    )
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(TEMPLATE.format(roots=listed))
