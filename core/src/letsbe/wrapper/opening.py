"""Opens a home folder into a working Safety Wrapper."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from letsbe.configuration import Configuration, load_configuration
from letsbe.discovery.plugin_set import read_plugin_set
from letsbe.discovery.records import Kind
from letsbe.errors import ConfigurationError, LetsBeError
from letsbe.home import Home
from letsbe.openclaw.closing import Closing
from letsbe.plugin import Site, ToolSite
from letsbe.plugin._facade import Plugins, load_plugins
from letsbe.plugin._offers import Offer
from letsbe.proxy.sharing import open_vault, prepare
from letsbe.redaction.pipeline import Pipeline
from letsbe.storage.audit import AuditLog
from letsbe.storage.database import Database
from letsbe.storage.keys import load_key
from letsbe.vault.vault import Vault
from letsbe.wrapper.additions import Additions
from letsbe.wrapper.agent_tools import AgentTool, AgentTools, listed
from letsbe.wrapper.agents import AgentPolicies
from letsbe.wrapper.allowances import Allowances
from letsbe.wrapper.answers import showable
from letsbe.wrapper.approvals import Approvals
from letsbe.wrapper.cancelling import Cancellations
from letsbe.wrapper.capacity import Capacity
from letsbe.wrapper.cases import Intake
from letsbe.wrapper.chat.gateway import Gateway
from letsbe.wrapper.chat.handover import catalog_of
from letsbe.wrapper.chat.outcomes import Outcomes
from letsbe.wrapper.chat.records import Records
from letsbe.wrapper.chat.relay import Relay
from letsbe.wrapper.dispatch import Dispatcher
from letsbe.wrapper.gate import Gate
from letsbe.wrapper.journal import Journal
from letsbe.wrapper.metrics import Metrics
from letsbe.wrapper.remembered import References
from letsbe.wrapper.retries import Retries
from letsbe.wrapper.running import Runner
from letsbe.wrapper.secrets import SecretDesk, recorder
from letsbe.wrapper.tools import read_tools

log = logging.getLogger(__name__)

CALL_GRACE = 60.0
"""Seconds past its deadline after which a call that still runs was cut off."""


@dataclass(frozen=True, slots=True)
class Wrapper:
    """A working Safety Wrapper, before anything listens.

    Args:
        home: The home folder.
        configuration: Its configuration.
        plugins: The active plugins, and the records of all that were found.
        catalog: Every action that can be called, by its name, sorted.
        dispatcher: Takes tool calls.
        tools: What agents are offered; takes their calls.
        cancellations: Ends calls that run.
        relay: Carries conversations between people and agents.
        outcomes: Tells in them what became of calls that waited.
        approvals: The calls that wait for a person.
        allowances: The classes of calls that people have allowed.
        audit: The audit log.
        secrets: The operator's side of the vault.
        pipeline: Takes secrets out of text.
        policies: The policies of the tenant's agents.
        metrics: The counters.
        database: Where everything durable is kept.
        closing: What of OpenClaw its executors keep agents from.
    """

    home: Home
    configuration: Configuration
    plugins: Plugins
    catalog: Mapping[str, Offer]
    dispatcher: Dispatcher
    tools: AgentTools
    cancellations: Cancellations
    relay: Relay
    outcomes: Outcomes
    approvals: Approvals
    allowances: Allowances
    audit: AuditLog
    secrets: SecretDesk
    pipeline: Pipeline
    policies: AgentPolicies
    metrics: Metrics
    database: Database
    closing: Closing


def _database(home: Home) -> Database:
    # A new one in its place would hold no secret to redact, and no audit log.
    if not home.database.exists():
        message = (
            f"{home.database} does not exist: restore it from a backup, or run"
            f" `letsbe init --home {home.folder}` to begin without secrets and log"
        )
        raise ConfigurationError(message)
    return Database(home.database)


@contextlib.contextmanager
def _desk(
    home: Home, *, first: bool = False
) -> Iterator[tuple[Database, SecretDesk, AuditLog]]:
    """Open the vault for changes, which the Secrets Proxy is told of.

    Args:
        home: The home folder.
        first: Whether to see first that what the proxy shares is as it should be.
    """
    audit_key = load_key(home.audit_key)
    with contextlib.closing(_database(home)) as database:
        if first or not home.registry_key.exists():
            prepare(home)
        audit = AuditLog(database, audit_key)
        vault = open_vault(home, database, recorder=recorder(audit))
        yield database, SecretDesk(database, vault, audit), audit


@contextlib.contextmanager
def open_audit(home: Home) -> Iterator[AuditLog]:
    """Open a home's audit log alone, without loading any plugin."""
    key = load_key(home.audit_key)
    with contextlib.closing(_database(home)) as database:
        yield AuditLog(database, key)


@contextlib.contextmanager
def open_allowances(home: Home) -> Iterator[Allowances]:
    """Open a home's allowed classes alone, without loading any plugin."""
    key = load_key(home.audit_key)
    with contextlib.closing(_database(home)) as database:
        yield Allowances(database, AuditLog(database, key))


@contextlib.contextmanager
def open_secrets(home: Home) -> Iterator[SecretDesk]:
    """Open a home's vault alone, for its operator."""
    with _desk(home) as (_, desk, _):
        yield desk


@contextlib.contextmanager
def open_wrapper(
    home: Home, *, port: int | None = None, proxy_port: int | None = None
) -> Iterator[Wrapper]:
    """Build a Safety Wrapper from a home folder, and close it afterwards.

    Args:
        home: The home folder, made by ``letsbe init``.
        port: The port that it will be served at, if not the configured one. Agents'
            tools are kept from it, as from the proxy's.
        proxy_port: The proxy's, likewise.

    Yields:
        The wrapper. Several processes may have one home open at the same time.

    Raises:
        ConfigurationError: The home is missing, wrong or unsafe, or a redaction layer
            that was chosen cannot be used.
        StorageError: The database is from a newer version, or cannot be used.
        LetsBeError: What the block raises, with the secrets taken out of it.
    """
    configuration = load_configuration(home).at_ports(port, proxy_port)
    with _desk(home, first=True) as (database, desk, audit):
        tools = read_tools(home)
        plugins = load_plugins(
            {Kind.EXECUTOR, Kind.TOOL, Kind.REDACTOR},
            lambda name: site_of(home, configuration, name, tools),
            desk.vault,
            read_plugin_set(home.plugin_set),
            hook_timeout=configuration.plugins.hook_timeout,
        )
        if not plugins.redaction_layers:
            message = (
                "no redaction layer is in the plugin set, so secrets could not be taken"
                f" out of what is answered: add one to {home.plugin_set}"
            )
            raise ConfigurationError(message)
        wrapper = assemble(home, configuration, database, desk, audit, plugins)
        try:
            yield wrapper
        except LetsBeError as error:
            raise showable(error, wrapper.pipeline) from None


def assemble(
    home: Home,
    configuration: Configuration,
    database: Database,
    desk: SecretDesk,
    audit: AuditLog,
    plugins: Plugins,
) -> Wrapper:
    """Put the rooms of a wrapper together.

    Args:
        home: The home folder.
        configuration: Its configuration.
        database: Where everything is kept.
        desk: The vault.
        audit: The audit log.
        plugins: The active plugins.
    """
    vault, settings = desk.vault, configuration.wrapper
    pipeline = Pipeline(plugins.redaction_layers)
    run_seconds = settings.call_timeout + CALL_GRACE
    approvals = Approvals(database, settings.approval_hours, run_seconds)
    capacity = Capacity(settings.concurrent_calls, settings.waiting_calls)
    retries, metrics = Retries(database), Metrics(capacity)
    policies, allowances = AgentPolicies(home.agents), Allowances(database, audit)
    journal = Journal(database, audit, approvals, retries, allowances, pipeline)
    runner = Runner(plugins, vault, pipeline, journal, capacity, settings.call_timeout)
    relay = Relay(Gateway(home), pipeline, Records(database))
    catalog = catalog_of(home, plugins, relay, settings.concurrent_calls)
    dispatcher = Dispatcher(
        catalog=catalog,
        intake=_intake(home, database, plugins, vault, pipeline),
        gate=Gate(policies, allowances),
        runner=runner,
        journal=journal,
        approvals=approvals,
        retries=retries,
        metrics=metrics,
        pipeline=pipeline,
    )
    return Wrapper(
        home=home,
        configuration=configuration,
        plugins=plugins,
        catalog=catalog,
        dispatcher=dispatcher,
        tools=AgentTools(catalog, settings.native_operations, dispatcher, approvals),
        cancellations=runner.cancellations,
        relay=relay,
        outcomes=Outcomes(approvals, relay),
        approvals=approvals,
        allowances=allowances,
        audit=audit,
        secrets=desk,
        pipeline=pipeline,
        policies=policies,
        metrics=metrics,
        database=database,
        closing=Closing.of(home),
    )


def _intake(
    home: Home, database: Database, plugins: Plugins, vault: Vault, pipeline: Pipeline
) -> Intake:
    references = References(database, load_key(home.audit_key))
    additions = Additions(home.classification)
    return Intake(plugins, vault, pipeline, additions, references)


def read_listed(home: Home) -> tuple[AgentTool, ...]:
    """Return the tools that agents' prompts carry, as a wrapper would list them.

    Raises:
        ConfigurationError: The home is missing, wrong or unsafe.
    """
    configuration = load_configuration(home)
    tools = read_tools(home)
    with contextlib.closing(_database(home)) as database:
        plugins = load_plugins(
            {Kind.EXECUTOR, Kind.TOOL},
            lambda name: site_of(home, configuration, name, tools),
            open_vault(home, database),
            read_plugin_set(home.plugin_set),
            hook_timeout=configuration.plugins.hook_timeout,
        )
        relay = Relay(Gateway(home), Pipeline(()), Records(database))
        catalog = catalog_of(home, plugins, relay, 2)
        return listed(catalog, configuration.wrapper.native_operations)


def site_of(
    home: Home,
    configuration: Configuration,
    plugin: str,
    tools: Mapping[str, tuple[ToolSite, ...]],
) -> Site:
    """Return what one plugin may know of a home.

    Args:
        home: The home folder, itself closed to plugins.
        configuration: Its configuration.
        plugin: The plugin's name, for its own settings and its own tools.
        tools: The tenant's tools, by the name of their adapter.
    """
    files, settings = configuration.files, configuration.wrapper
    own_ports = {settings.port, configuration.proxy.port}
    closing = Closing.of(home)
    return Site(
        roots=files.roots,
        forbidden=(home.folder.resolve(), *closing.paths, *files.forbidden),
        closed_ports=closing.ports | own_ports,
        settings=_settings(configuration, plugin),
        output_limit=settings.output_limit,
        tools=tools.get(plugin, ()),
    )


def _settings(configuration: Configuration, plugin: str) -> Mapping[str, Any]:
    return configuration.plugins.settings.get(plugin, {})
