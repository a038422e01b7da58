"""What the catalog offers: an action, and guarded ways to classify and run it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import UnionType
from typing import Any

import anyio

from letsbe.discovery.records import Kind, PluginRecord, type_name
from letsbe.errors import LetsBeError, Refused, ToolFailed
from letsbe.plugin._actions import Action
from letsbe.plugin._calls import Execution, Result, ToolCall
from letsbe.plugin._deadline import GuardedCallError, within
from letsbe.plugin._previews import Preview, Redact
from letsbe.plugin._protocols import Executor, ToolAdapter
from letsbe.policy.tiers import Tier
from letsbe.policy.verdict import Verdict

_FIELDS: dict[str, type | UnionType] = {
    "tier": Tier,
    "rule": str,
    "reason": str,
    "external": bool,
    "refused": bool,
    "alternative": str | None,
    "plan": Mapping,
    "trace": tuple,
    "paths": Mapping,
    "steps": tuple | None,
}

PREVIEW_SECONDS = 5.0
"""How long a preview is waited for."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One action of the catalog.

    Args:
        action: What can be called.
        provider: The executor or adapter that does it.
        record: The plugin that it comes from.
    """

    action: Action
    provider: Executor | ToolAdapter
    record: PluginRecord

    def classify(self, call: ToolCall) -> Verdict:
        """Classify a call, holding the provider to what the action declares.

        Args:
            call: A call of this action.

        Returns:
            The provider's verdict, raised to the action's declared tier, and external
            if the action is.

        Raises:
            LetsBeError: The provider refuses the call, or failed to classify it.
        """
        try:
            verdict = self.provider.classify(call)
        except LetsBeError:
            raise
        except BaseException as error:  # noqa: BLE001 - it must not end the process
            raise self._unclassified(f"it raised {type_name(error)}") from None
        if not is_verdict(verdict):
            raise self._unclassified(f"it gave a {type_name(verdict)}")
        action = self.action
        if action.external and not verdict.external:
            verdict = replace(verdict, external=True)
        if verdict.tier < action.tier:
            reason = f"{action.name} is declared {action.tier}: {verdict.reason}"
            verdict = replace(verdict, tier=action.tier, reason=reason)
        return verdict

    async def run(self, call: ToolCall, verdict: Verdict, run: Execution) -> Result:
        """Run a call, so that whatever goes wrong is this call's failure alone.

        Args:
            call: A call of this action.
            verdict: The verdict of :meth:`classify`.
            run: What the core lends to the call.

        Returns:
            The result. Not yet redacted.

        Raises:
            LetsBeError: It could not be done. No other exception comes out, except
                the one that cancels the call.
        """
        provider = self.provider
        executes = self.record.kind is Kind.EXECUTOR
        method: Any = provider.execute if executes else provider.invoke  # type: ignore[union-attr]  # the kind says which
        try:
            result = await method(call, verdict, run)
        except LetsBeError:
            raise
        except anyio.get_cancelled_exc_class():
            raise
        except BaseException as error:
            if isinstance(error, GeneratorExit):
                raise
            raise _failure(self.action, error) from None
        if not isinstance(result, Result):
            message = f"{self.action.name} failed: it gave a {type_name(result)}"
            raise ToolFailed(message)
        return result

    def preview(
        self, call: ToolCall, verdict: Verdict, redact: Redact
    ) -> Preview | None:
        """Ask what a call would take or change. Blocks, five seconds at most.

        Args:
            call: A call of this action.
            verdict: The verdict of :meth:`classify`.
            redact: Takes secrets out of text.

        Returns:
            What the provider says; ``None`` if it has nothing to say. Where it fails,
            that is what is said. Not yet redacted.
        """
        method = getattr(self.provider, "preview", None)
        if method is None:
            return None
        try:
            told = within(PREVIEW_SECONDS, lambda: method(call, verdict, redact))
        except GuardedCallError as error:
            cause = getattr(error, "error", None)
            why = cause.message if isinstance(cause, LetsBeError) else str(error)
            return Preview("what it would change could not be told", left_out=(why,))
        if told is not None and not isinstance(told, Preview):
            why = f"the plugin {self.record.label} gave a {type_name(told)}"
            return Preview("what it would change could not be told", left_out=(why,))
        return told

    def _unclassified(self, what: str) -> Refused:
        return Refused(
            f"{self.action.name} could not be classified ({what}), so it does not run; "
            f"the fault is in the plugin {self.record.label}"
        )


def _failure(action: Action, error: BaseException) -> LetsBeError:
    """Turn what a provider raised into an error that is safe to show.

    A task group wraps errors in a group: one of ours inside still tells why.
    """
    if isinstance(error, BaseExceptionGroup):
        told = [e for e in _leaves(error) if isinstance(e, LetsBeError)]
        if told:
            return told[0]
    return ToolFailed(f"{action.name} failed: it raised {type_name(error)}")


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def is_verdict(answer: object) -> bool:
    """Whether a plugin's answer is a verdict whose fields are what they should be."""
    return isinstance(answer, Verdict) and all(
        isinstance(getattr(answer, name), kind) for name, kind in _FIELDS.items()
    )
