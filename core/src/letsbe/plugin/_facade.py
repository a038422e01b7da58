"""The plugins of a process behind types; nobody else touches pluggy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import anyio

from letsbe.discovery.finding import discover
from letsbe.discovery.plugin_set import PluginSet
from letsbe.discovery.records import Kind, PluginRecord, Status
from letsbe.errors import ConfigurationError
from letsbe.plugin._billing import BillingBackend
from letsbe.plugin._calls import Decision, Result, ToolCall
from letsbe.plugin._events import Events
from letsbe.plugin._health import Checkable, ask
from letsbe.plugin._loading import Loaded, load
from letsbe.plugin._notifying import Notifier
from letsbe.plugin._offers import Offer
from letsbe.plugin._protocols import Executor, ToolAdapter, UsageRecord
from letsbe.plugin._site import Site
from letsbe.policy.rules import RuleTables
from letsbe.policy.verdict import Verdict
from letsbe.redaction.finding import RedactionLayer
from letsbe.vault.secret import RegisteredSecrets

if TYPE_CHECKING:
    import click

START_TIMEOUT = 30.0
"""Seconds that an import, and then a registration, may take. Far longer than an event
hook may: a first import compiles, and nobody waits for an answer yet."""


class Plugins:
    """What the plugins of this process offer.

    Args:
        plugins: Every plugin found, in order, after loading.
        hook_timeout: Seconds that one event hook of one plugin may take.
        rules: The rule tables that the executors have added to.
    """

    executors: tuple[Executor, ...]
    """What the active plugins registered as executors."""
    tool_adapters: tuple[ToolAdapter, ...]
    """Their tool adapters."""
    redaction_layers: tuple[RedactionLayer, ...]
    """Their redaction layers, in the order in which they run."""
    billing_backends: tuple[BillingBackend, ...]
    """Their billing backends."""
    notifiers: tuple[Notifier, ...]
    """Their notifiers."""
    catalog: Mapping[str, Offer]
    """Every action that can be called, by its name, sorted."""

    def __init__(
        self,
        plugins: Sequence[Loaded],
        *,
        hook_timeout: float,
        rules: RuleTables | None = None,
    ) -> None:
        self._rules = rules
        self._plugins = tuple(plugins)
        self._active = [p for p in plugins if p.record.status is Status.ACTIVE]
        self._events = Events(self._active, hook_timeout)
        self._unhealthy: dict[str, str] = {}
        self._notes: dict[str, str] = {}
        self.executors = tuple(self._registered(Kind.EXECUTOR))
        self.tool_adapters = tuple(self._registered(Kind.TOOL))
        layers: list[RedactionLayer] = self._registered(Kind.REDACTOR)
        self.redaction_layers = tuple(sorted(layers, key=lambda x: (x.order, x.name)))
        self.billing_backends = tuple(self._registered(Kind.BILLING))
        self.notifiers = tuple(self._registered(Kind.NOTIFIER))
        offers = {
            action.name: Offer(action, checked.provider, loaded.record)
            for loaded in self._active
            for checked in loaded.objects
            for action in checked.actions
        }
        self.catalog = MappingProxyType(dict(sorted(offers.items())))

    def _registered(self, kind: Kind) -> list[Any]:
        return [
            checked.provider
            for loaded in self._active
            if loaded.record.kind is kind
            for checked in loaded.objects
        ]

    @property
    def records(self) -> tuple[PluginRecord, ...]:
        """Every plugin found, sorted, with its present status."""
        return tuple(self._present(loaded.record) for loaded in self._plugins)

    def _present(self, record: PluginRecord) -> PluginRecord:
        if record.status is not Status.ACTIVE:
            return record
        problem = self._events.stalled.get(record.label)
        if problem is not None:
            problem = f"a hook failed: {problem}"
        problem = problem or self._unhealthy.get(record.label)
        if problem:
            return record.turned(Status.UNHEALTHY, problem)
        return replace(record, reason=self._notes.get(record.label, record.reason))

    def classify(self, call: ToolCall, proposed: Verdict) -> Verdict:
        """Let plugins raise a verdict; see the hook ``letsbe_classify``.

        Blocks for as long as the hooks take, at most ``hook_timeout`` each.

        Raises:
            Refused: A plugin failed to answer.
        """
        return self._events.classify(call, proposed)

    def before_execute(self, call: ToolCall, decision: Decision) -> str | None:
        """Return why a plugin stops this call; see ``letsbe_before_execute``.

        A plugin that fails to answer stops it. Blocks as :meth:`classify` does.
        """
        return self._events.before_execute(call, decision)

    def after_execute(self, call: ToolCall, result: Result) -> None:
        """Show a call and its redacted result to observers."""
        self._events.after_execute(call, result)

    def usage(self, record: UsageRecord) -> None:
        """Show a usage record to observers."""
        self._events.usage(record)

    def cli(self, group: click.Group) -> None:
        """Let plugins add commands to the command line."""
        self._events.cli(group)

    async def check(self, *, timeout: float) -> tuple[PluginRecord, ...]:  # noqa: ASYNC109 - each provider has its own deadline
        """Ask every provider whether it can work, all at once.

        Args:
            timeout: Seconds that one provider may take.

        Returns:
            The records, with ``unhealthy`` and the reason where it applies; otherwise
            the reason is what the provider says of itself.
        """
        problems: dict[str, str] = {}
        notes: dict[str, str] = {}

        async def examine(record: PluginRecord, provider: Checkable) -> None:
            health = await ask(provider, timeout)
            told = notes if health.healthy else problems
            if health.message:
                told.setdefault(record.label, health.message)

        async with anyio.create_task_group() as tasks:
            for loaded in self._active:
                for checked in loaded.objects:
                    if isinstance(checked.provider, Checkable):
                        tasks.start_soon(examine, loaded.record, checked.provider)
        self._unhealthy, self._notes = problems, notes
        return self.records

    def prepare(self) -> None:
        """Read the rule tables now, so that no first call waits for it."""
        if self._rules is not None and self.executors:
            _ = self._rules.book

    def require(self) -> None:
        """Make sure that every plugin that must not be missing is active.

        Raises:
            ConfigurationError: A chosen redactor, a plugin that holds a gate, or one
                that the set marks as required is not active; the error names each.
        """
        missing = [
            f"{p.record.label} is {p.record.status} ({p.record.reason})"
            for p in self._plugins
            if p.required and p.record.status is not Status.ACTIVE
        ]
        if missing:
            message = f"nothing starts without these plugins: {'; '.join(missing)}"
            raise ConfigurationError(message)


def load_plugins(
    kinds: Collection[Kind],
    site_for: Callable[[str], Site],
    secrets: RegisteredSecrets | None,
    plugin_set: PluginSet,
    *,
    hook_timeout: float,
    start_timeout: float = START_TIMEOUT,
    strict: bool = True,
) -> Plugins:
    """Find, import and register the chosen plugins.

    Args:
        kinds: The kinds that this process needs; nothing else is looked at.
        site_for: Gives the site for a plugin's name, with that plugin's settings.
        secrets: What redactors are given; needed if ``kinds`` has them.
        plugin_set: What the tenant chose; nothing else is imported.
        hook_timeout: Seconds that one event hook of one plugin may take.
        start_timeout: Seconds that an import, and then a registration, may take.
        strict: Whether a required plugin that is not active is an error. Only a
            command that reports on plugins says no.

    Returns:
        The plugins; each that failed is in ``records`` with the reason.

    Raises:
        ConfigurationError: See :meth:`Plugins.require`.
        ValueError: Redactors are to be loaded without secrets.
    """
    if Kind.REDACTOR in kinds and secrets is None:
        message = "redactors need the registered secrets"
        raise ValueError(message)
    rules = RuleTables()

    def site_with_rules(name: str) -> Site:
        return replace(site_for(name), rules=rules)

    loaded = [
        load(candidate, site_with_rules, secrets, start_timeout)
        for candidate in discover(kinds, plugin_set)
    ]
    clean = _refuse_clashes(loaded)
    plugins = Plugins(clean, hook_timeout=hook_timeout, rules=rules)
    if strict:
        plugins.require()
    return plugins


def _refuse_clashes(plugins: Sequence[Loaded]) -> list[Loaded]:
    """Refuse every plugin that claims a name which another one claims too."""
    claimants = defaultdict[tuple[str, str], list[Loaded]](list)
    for loaded in plugins:
        for claim in (claim for each in loaded.objects for claim in each.claims):
            claimants[claim].append(loaded)
    clashes = {c: who for c, who in sorted(claimants.items()) if len(who) > 1}
    return [_refuse(loaded, clashes) for loaded in plugins]


def _refuse(
    loaded: Loaded, clashes: Mapping[tuple[str, str], Sequence[Loaded]]
) -> Loaded:
    for (space, name), claimants in clashes.items():
        if any(claimant is loaded for claimant in claimants):
            who = " and ".join(
                f"{c.record.label} ({c.record.source})" for c in claimants
            )
            reason = f"the {space} {name} is offered by {who}: choose one of them"
            record = loaded.record.turned(Status.DUPLICATE, reason)
            return replace(loaded, record=record, objects=())
    return loaded
