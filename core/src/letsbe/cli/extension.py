"""Commands that plugins add."""

from __future__ import annotations

import click

from letsbe.configuration import load_configuration
from letsbe.discovery.plugin_set import read_plugin_set
from letsbe.discovery.records import Kind
from letsbe.errors import LetsBeError
from letsbe.home import Home
from letsbe.plugin._facade import load_plugins
from letsbe.wrapper.opening import site_of
from letsbe.wrapper.tools import read_tools


def add_plugin_commands(group: click.Group) -> None:
    """Let the default home's plugins add commands; without a home there are none.

    Args:
        group: The root group.
    """
    home = Home.default()
    try:
        configuration, tools = load_configuration(home), read_tools(home)
        plugins = load_plugins(
            {Kind.EXECUTOR, Kind.TOOL, Kind.BILLING},
            lambda name: site_of(home, configuration, name, tools),
            None,
            read_plugin_set(home.plugin_set),
            hook_timeout=configuration.plugins.hook_timeout,
        )
    except LetsBeError:
        return
    plugins.cli(group)
