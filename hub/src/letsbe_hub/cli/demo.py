"""``letsbe-hub demo``: a Hub and three tenants on this machine, with traffic."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import click

from letsbe.cli.output import reporting


@click.command()
@reporting
def demo() -> None:
    """Start a Hub and three tenants' servers, let things happen, and say what.

    All of it on loopback, in a folder that is thrown away afterwards, unless something
    did not happen that should have.
    """
    from letsbe_hub.demo import DemoFailed, play  # noqa: PLC0415 - slow to import

    folder = Path(tempfile.mkdtemp(prefix="letsbe-hub-demo-"))
    try:
        play(folder, click.echo)
    except DemoFailed:
        click.echo(f"What was logged is kept in {folder}", err=True)
        raise
    except BaseException:
        shutil.rmtree(folder)
        raise
    shutil.rmtree(folder)
