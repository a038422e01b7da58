"""``letsbe completion``: a script that completes commands in a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what makes SHELL complete commands.

    For bash: `letsbe completion bash >> ~/.bashrc`.
    """
    from letsbe.cli import main  # noqa: PLC0415 - this module is one of its commands

    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(main, {}, "letsbe", "_LETSBE_COMPLETE").source())
