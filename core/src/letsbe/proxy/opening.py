"""Opens a home folder into a working Secrets Proxy."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

from starlette.types import ASGIApp

from letsbe.configuration import Configuration, ProxySettings, load_configuration
from letsbe.discovery.plugin_set import read_plugin_set
from letsbe.discovery.records import Kind
from letsbe.errors import ConfigurationError
from letsbe.home import Home
from letsbe.plugin import Site
from letsbe.plugin._facade import Plugins, load_plugins
from letsbe.proxy.account import become, owns
from letsbe.proxy.app import make_app
from letsbe.proxy.cleaning import Cleaner
from letsbe.proxy.connections import Connections
from letsbe.proxy.exchanging import Timeouts
from letsbe.proxy.forwarding import Forwarder
from letsbe.proxy.generations import Generations
from letsbe.proxy.metering import Meter
from letsbe.proxy.pool import Pool
from letsbe.proxy.sharing import open_usage, prepare
from letsbe.proxy.upstreams import Upstreams
from letsbe.proxy.watching import WatchedVault
from letsbe.redaction.pipeline import Pipeline
from letsbe.vault.secret import RegisteredSecrets


@dataclass(frozen=True, slots=True)
class Proxy:
    """A working Secrets Proxy, before anything listens.

    Args:
        home: The home folder.
        configuration: Its configuration.
        plugins: The redactors, and the records of all that were found.
        upstreams: The providers.
        pipeline: Takes secrets out of text.
        app: Answers requests.
    """

    home: Home
    configuration: Configuration
    plugins: Plugins
    upstreams: Upstreams
    pipeline: Pipeline
    app: ASGIApp


@contextlib.contextmanager
def open_proxy(home: Home) -> Iterator[Proxy]:
    """Build a Secrets Proxy from a home folder, and close it afterwards.

    Args:
        home: The home folder, made by ``letsbe init``.

    Yields:
        The proxy.

    Raises:
        ConfigurationError: The home is missing, wrong or unsafe, no upstream is
            configured, or a redaction layer that was chosen cannot be used.
        StorageError: The vault cannot be read, or usage not be stored.
    """
    configuration = load_configuration(home)
    upstreams = Upstreams(configuration.proxy.upstreams)
    with contextlib.ExitStack() as closing:
        if owns(home.folder):
            prepare(home)
        become(configuration.proxy)
        database = closing.enter_context(contextlib.closing(open_usage(home)))
        vault = closing.enter_context(contextlib.closing(WatchedVault(home)))
        plugins = load_redactors(home, configuration, vault)
        pipeline = Pipeline(plugins.redaction_layers)
        vault.start(lambda: pipeline.find(b"-"))
        meter = Meter(database, home.usage)
        pool = Pool(database)
        app = assemble(configuration.proxy, upstreams, vault, pipeline, meter, pool)
        yield Proxy(home, configuration, plugins, upstreams, pipeline, app)


def load_redactors(
    home: Home, configuration: Configuration, secrets: RegisteredSecrets
) -> Plugins:
    """Load the redaction layers of a home's plugin set.

    Args:
        home: The home folder.
        configuration: Its configuration.
        secrets: What the layers are given of its vault.

    Raises:
        ConfigurationError: One of them is not active, or there is none.
    """
    settings = configuration.plugins.settings
    plugins = load_plugins(
        {Kind.REDACTOR},
        lambda name: Site(roots=(), settings=settings.get(name, {})),
        secrets,
        read_plugin_set(home.plugin_set),
        hook_timeout=configuration.plugins.hook_timeout,
    )
    if not plugins.redaction_layers:
        message = (
            "no redaction layer is in the plugin set, so secrets could not be taken out"
            f" of what is forwarded: add one to {home.plugin_set}"
        )
        raise ConfigurationError(message)
    return plugins


def assemble(
    settings: ProxySettings,
    upstreams: Upstreams,
    vault: WatchedVault,
    pipeline: Pipeline,
    meter: Meter,
    pool: Pool | None = None,
) -> ASGIApp:
    """Put the rooms of a proxy together.

    Args:
        settings: Address, limits and time-outs.
        upstreams: The providers.
        vault: The secrets.
        pipeline: Takes them out.
        meter: Counts tokens.
        pool: Says whether there are tokens left; without one there always are.
    """
    timeouts = Timeouts(
        connect=settings.connect_timeout,
        read=settings.read_timeout,
        write=settings.write_timeout,
    )
    connections = Connections(timeouts)
    cleaner = Cleaner(pipeline, vault)
    generations = Generations(vault, connections, meter)
    forwarder = Forwarder(
        settings, upstreams, vault, cleaner, connections, meter, generations, pool
    )

    async def close() -> None:
        await generations.close()
        await connections.close()
        await meter.close()

    return make_app(forwarder, vault, settings.host, settings.body_limit, close)
