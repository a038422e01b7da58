"""The hook specifications: five to register with, five events.

A hook implementation may leave out arguments that it does not need. Who calls a hook,
when, and what an exception in it means is said with each.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import click

    from letsbe.plugin._billing import BillingBackend
    from letsbe.plugin._calls import Decision, Result, ToolCall
    from letsbe.plugin._notifying import Notifier
    from letsbe.plugin._protocols import Executor, ToolAdapter, UsageRecord
    from letsbe.plugin._site import Site
    from letsbe.policy.verdict import Verdict
    from letsbe.redaction.finding import RedactionLayer
    from letsbe.vault.secret import RegisteredSecrets

PROJECT = "letsbe"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def letsbe_executors(site: Site) -> Iterable[Executor]:
    """Register executors.

    Called once, when the Safety Wrapper starts. An exception leaves this plugin out,
    with the status ``load_error``; the others are not affected.
    """
    raise NotImplementedError


@hookspec
def letsbe_tool_adapters(site: Site) -> Iterable[ToolAdapter]:
    """Register tool adapters. Called and failing as :func:`letsbe_executors`."""
    raise NotImplementedError


@hookspec
def letsbe_redaction_layers(
    site: Site, secrets: RegisteredSecrets
) -> Iterable[RedactionLayer]:
    """Register redaction layers.

    Called once, when a process that redacts starts. An exception stops that process:
    a redactor that was chosen and is missing must not go unnoticed.
    """
    raise NotImplementedError


@hookspec
def letsbe_billing_backends(site: Site) -> Iterable[BillingBackend]:
    """Register billing backends. An exception leaves usage waiting in the outbox."""
    raise NotImplementedError


@hookspec
def letsbe_notifiers(site: Site) -> Iterable[Notifier]:
    """Register notifiers.

    Called once, when the Hub starts. An exception leaves this plugin out; people are
    told by the channels that are left, and notices to it wait in the outbox.
    """
    raise NotImplementedError


@hookspec
def letsbe_classify(call: ToolCall, proposed: Verdict) -> Verdict | None:
    """Give another opinion of a call, after its executor or adapter gave one.

    Every answer counts and the strictest wins; nobody can lower a tier. An exception
    or an answer that comes too late refuses the call.
    """
    raise NotImplementedError


@hookspec
def letsbe_before_execute(call: ToolCall, decision: Decision) -> str | None:
    """Stop a call that is about to run by returning why.

    Called after the gate (and after the approval, if one was needed). Any refusal
    stops the call, and so does an exception or an answer that comes too late.
    """
    raise NotImplementedError


@hookspec
def letsbe_after_execute(call: ToolCall, result: Result) -> None:
    """Observe a call that ran, with its redacted result. Exceptions are logged."""
    raise NotImplementedError


@hookspec
def letsbe_usage(record: UsageRecord) -> None:
    """Observe a usage record. Exceptions are logged."""
    raise NotImplementedError


@hookspec
def letsbe_cli(group: click.Group) -> None:
    """Add commands to ``letsbe``.

    Called when the command line meets a command that it does not know, so that a
    plugin costs nothing until it is used. An exception is reported and ignored.
    """
    raise NotImplementedError
