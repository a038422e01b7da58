"""A group of commands that imports a command only when it is used."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, cast

import click
from typing_extensions import override


class LazyGroup(click.Group):
    """A click group with a table of where its commands are.

    Args:
        commands_by_name: The place (``module:attribute``) and one line of help of
            each command. The help stands here so that listing imports nothing.
        **settings: As for :class:`click.Group`.
    """

    def __init__(
        self,
        *,
        commands_by_name: Mapping[str, tuple[str, str]],
        **settings: Any,  # noqa: ANN401 - passed on to click
    ) -> None:
        super().__init__(**settings)
        self._places = commands_by_name
        self._asked_plugins = False

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return [*self._places, *sorted(super().list_commands(ctx))]

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in self._places:
            module, _, attribute = self._places[cmd_name][0].partition(":")
            found = getattr(importlib.import_module(module), attribute)
            return cast(click.Command, found)
        if cmd_name not in self.commands and not self._asked_plugins:
            self._asked_plugins = True
            _add_plugin_commands(self)
        return super().get_command(ctx, cmd_name)

    @override
    def format_commands(
        self, ctx: click.Context, formatter: click.HelpFormatter
    ) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(
                [(name, text) for name, (_, text) in self._places.items()]
            )


def _add_plugin_commands(group: click.Group) -> None:
    """Let the home's plugins add commands, where there is a home."""
    from letsbe.cli.extension import add_plugin_commands  # noqa: PLC0415 - loads plugins

    add_plugin_commands(group)
