"""``letsbe proxy``: runs the Secrets Proxy until it is stopped."""

from __future__ import annotations

import os
import signal
import sys
import threading

import click

from letsbe.cli.output import (
    home_option,
    json_option,
    print_facts,
    print_json,
    reporting,
)
from letsbe.home import Home


@click.command()
@home_option
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Instead of the configured one."
)
@click.option(
    "--while-stdin",
    is_flag=True,
    help="End when standard input ends, as `letsbe up` makes it.",
)
@json_option
@reporting
def proxy(home: Home, port: int | None, while_stdin: bool, as_json: bool) -> None:
    """Run the Secrets Proxy.

    Prints what it forwards as soon as requests are taken. SIGTERM and Ctrl-C end it:
    answers that stream may finish, for ten seconds.
    """
    from letsbe.proxy.opening import open_proxy  # noqa: PLC0415 - slow to import
    from letsbe.proxy.server import serve  # noqa: PLC0415

    with open_proxy(home) as opened:

        def announce(address: str) -> None:
            if while_stdin:
                threading.Thread(target=_end_with_stdin, daemon=True).start()
            facts = {
                "secrets_proxy": address,
                "home": str(home.folder),
                "upstreams": {
                    f"{address}{upstream.prefix}": upstream.name
                    for upstream in opened.upstreams.all
                },
                "redactors": [layer.name for layer in opened.plugins.redaction_layers],
            }
            if as_json:
                print_json(facts)
                return
            print_facts([(k.replace("_", " "), v) for k, v in facts.items()])
            click.echo("\nStop with Ctrl-C or SIGTERM.")

        settings = opened.configuration.proxy
        serve(opened, announce, port=settings.port if port is None else port)


def _end_with_stdin() -> None:
    """Stop when whoever started this process is gone, however it ended."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
