"""``letsbe-hub demo``: a Hub and three tenants on this machine, with traffic."""

from __future__ import annotations

import tempfile
from pathlib import Path

import click

from letsbe.cli.output import reporting


@click.command()
@reporting
def demo() -> None:
    """Start a Hub and three tenants' servers, let things happen, and say what.

    All of it on loopback, in a folder that is thrown away afterwards.
    """
    from letsbe_hub.demo import play  # noqa: PLC0415 - slow to import

    with tempfile.TemporaryDirectory(prefix="letsbe-hub-demo-") as folder:
        play(Path(folder), click.echo)
