"""``letsbe-hub demo``: a Hub and three tenants on this machine, with traffic."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from pathlib import Path

import click

from letsbe.cli.output import reporting


@click.command()
@reporting
def demo() -> None:
    """Start a Hub and three tenants' servers, let things happen, and say what.

    All of it on loopback and on free ports, in a folder that is thrown away afterwards,
    unless something did not happen that should have. It takes half a minute: an
    approval and a denial, a roll-out, an outage of the Hub, the bill.
    """
    from letsbe_hub.demo import DemoFailed, play  # noqa: PLC0415 - slow to import

    # Told to end, it ends its servers first, as with Ctrl-C.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
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
