"""Opens a home folder into a working Hub."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from letsbe.discovery.plugin_set import read_plugin_set
from letsbe.discovery.records import Kind, Status
from letsbe.errors import ConfigurationError
from letsbe.plugin import Site
from letsbe.plugin._facade import Plugins, load_plugins
from letsbe.redaction.pipeline import Pipeline
from letsbe.storage.keys import create_key, load_key
from letsbe_hub.accounts.passwords import Passwords
from letsbe_hub.accounts.second_factor import SecondFactor
from letsbe_hub.accounts.sessions import CUSTOMER, STAFF, Sessions
from letsbe_hub.accounts.signing_in import SignIn
from letsbe_hub.api.admission import Admission
from letsbe_hub.api.idempotency import Remembered
from letsbe_hub.api.principals import Audience
from letsbe_hub.approvals.requests import Listener
from letsbe_hub.billing.accrual import Accrual
from letsbe_hub.billing.delivery import Courier
from letsbe_hub.billing.rates import Rates
from letsbe_hub.bus import Bus, open_bus
from letsbe_hub.clock import Clock
from letsbe_hub.configuration.fetching import Fetching
from letsbe_hub.home import HubHome
from letsbe_hub.metrics import Metrics
from letsbe_hub.notifications.approvals import tell_of_approval
from letsbe_hub.notifications.sending import Announcer
from letsbe_hub.settings import ConfiguredSecrets, Settings, load_settings
from letsbe_hub.storage.schema import check, migrate
from letsbe_hub.storage.store import Store, sqlite_url
from letsbe_hub.tenants.heartbeats import Heartbeats
from letsbe_hub.tenants.keys import KeyRing
from letsbe_hub.tenants.news import News
from letsbe_hub.tenants.status import Watch, shown
from letsbe_hub.usage.ingestion import Ingestion


@dataclass(frozen=True, slots=True)
class Overrides:
    """What the command line sets instead of ``hub.toml``.

    Args:
        database: The database's URL.
        bus: The bus's URL.
    """

    database: str | None = None
    bus: str | None = None


@dataclass(frozen=True, slots=True)
class Hub:
    """A working Hub, before anything listens.

    Args:
        settings: Its configuration.
        plugins: The active plugins, and the records of all that were found.
        pipeline: Takes secrets out of logs and errors.
        store: Where everything is kept.
        bus: Tells the other nodes.
        metrics: The counters.
        admission: Lets requests in.
        remembered: The answers to requests with an ``Idempotency-Key``.
        keys: The keys of tenants' servers.
        heartbeats: Takes their heartbeats.
        fetching: Gives them their configuration.
        news: Says what waits for them.
        usage: Takes their usage.
        rates: What usage costs.
        courier: Delivers what is charged to the billing plugin.
        announcer: Tells people.
        sign_in: Lets people in.
        watch: Judges how they are.
        clock: Says whether the time may be believed.
        approval_listeners: Hear of each new approval, in its transaction.
    """

    settings: Settings
    plugins: Plugins
    pipeline: Pipeline
    store: Store
    bus: Bus
    metrics: Metrics
    admission: Admission
    remembered: Remembered
    keys: KeyRing
    heartbeats: Heartbeats
    fetching: Fetching
    news: News
    usage: Ingestion
    rates: Rates
    courier: Courier
    announcer: Announcer
    sign_in: SignIn
    watch: Watch
    clock: Clock
    approval_listeners: list[Listener] = field(default_factory=list)
    _closing: list[Callable[[], None]] = field(default_factory=list)

    def checks(self) -> dict[str, str]:
        """Say how the plugins are, for readiness."""
        return {
            f"plugin {record.name}": str(record.status)
            for record in self.plugins.records
            if record.status is not Status.NOT_SELECTED
        }

    def close(self) -> None:
        """Commit what waits and let go of everything."""
        for close in reversed(self._closing):
            close()


def open_store(home: HubHome, database: str | None = None) -> Store:
    """Open a home's database, for commands that need nothing else.

    Raises:
        ConfigurationError: The home is wrong, or the database has other tables.
        StorageUnavailable: The database cannot be used.
    """
    settings, _ = load_settings(home)
    store = Store(database or settings.database.url or sqlite_url(home.database))
    try:
        if store.is_sqlite:
            migrate(store)
        check(store)
    except BaseException:
        store.close()
        raise
    return store


@contextlib.contextmanager
def open_hub(home: HubHome, overrides: Overrides) -> Iterator[Hub]:
    """Build a Hub from a home folder, and close it afterwards.

    Brings the database to this version's tables.

    Args:
        home: The home folder.
        overrides: What the command line sets.

    Raises:
        ConfigurationError: The home is wrong, or a redaction layer that was chosen
            cannot be used.
        StorageUnavailable: The database cannot be used.
    """
    settings, secrets = load_settings(home)
    plugins = load_hub_plugins(home, settings, secrets)
    url = overrides.database or settings.database.url or sqlite_url(home.database)
    bus = open_bus(overrides.bus or settings.bus.url)
    store = Store(url)
    try:
        migrate(store)
        hub = assemble(settings, plugins, store, bus, people_key(home, settings))
        if store.is_sqlite:
            hub.remembered.forget_cut_off()
        try:
            yield hub
        finally:
            hub.close()
    finally:
        store.close()


def people_key(home: HubHome, settings: Settings) -> bytes:
    """Return the key that second factors are sealed with, made at the first start.

    Raises:
        ConfigurationError: It cannot be read or made, or others could read it.
    """
    if settings.accounts.key is not None:
        return bytes.fromhex(settings.accounts.key)
    if not home.people_key.exists():
        create_key(home.people_key)
    return load_key(home.people_key)


def load_hub_plugins(
    home: HubHome, settings: Settings, secrets: ConfiguredSecrets
) -> Plugins:
    """Load the plugins of a home's plugin set.

    Raises:
        ConfigurationError: One that must not be missing is not active, or there is no
            redaction layer.
    """
    tables = settings.plugins.settings
    plugins = load_plugins(
        {Kind.REDACTOR, Kind.BILLING, Kind.NOTIFIER},
        lambda name: Site(roots=(), settings=tables.get(name, {})),
        secrets,
        read_plugin_set(home.plugin_set),
        hook_timeout=settings.plugins.hook_timeout,
    )
    if not plugins.redaction_layers:
        message = (
            "no redaction layer is in the plugin set, so secrets could not be taken out"
            f" of the log: install one and add it to {home.plugin_set}"
        )
        raise ConfigurationError(message)
    return plugins


def assemble(
    settings: Settings, plugins: Plugins, store: Store, bus: Bus, people_key: bytes
) -> Hub:
    """Put the rooms of a Hub together.

    Args:
        settings: The configuration.
        plugins: The active plugins.
        store: The database, migrated.
        bus: Yet to be started.
        people_key: Seals second factors.
    """
    keys = KeyRing(store)
    heartbeats = Heartbeats(store)
    fetching, news = Fetching(store), News(store, settings.tenants.most_waiting)
    usage = Ingestion(store)
    rates = Rates(settings.billing)
    usage.observe(Accrual(rates))
    factor = settings.accounts.staff_second_factor
    watch = Watch(store, settings.tenants)
    metrics = Metrics()
    metrics.by_label(
        "letsbe_hub_servers",
        "Servers by status.",
        "status",
        lambda: shown(watch.counts),
    )
    return Hub(
        settings=settings,
        plugins=plugins,
        pipeline=Pipeline(plugins.redaction_layers),
        store=store,
        bus=bus,
        metrics=metrics,
        admission=Admission(
            {
                Audience.TENANT: keys.authenticate,
                Audience.ADMIN: Sessions(store, STAFF, second_factor=factor),
                Audience.CUSTOMER: Sessions(store, CUSTOMER, second_factor=factor),
            },
            hot={Audience.TENANT: keys.claimed},
        ),
        remembered=Remembered(store),
        keys=keys,
        heartbeats=heartbeats,
        fetching=fetching,
        news=news,
        usage=usage,
        rates=rates,
        courier=Courier(store, plugins.billing_backends),
        announcer=Announcer(store, plugins.notifiers, settings.notices.portal),
        sign_in=SignIn(store, Passwords(), SecondFactor(people_key)),
        watch=watch,
        clock=Clock(store),
        approval_listeners=[tell_of_approval],
        _closing=[r.close for r in (keys, fetching, news, heartbeats, usage)],
    )
