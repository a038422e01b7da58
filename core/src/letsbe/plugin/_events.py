"""Calling plugins' event hooks: under a deadline, and failing as each must."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from letsbe.discovery.records import shown, type_name
from letsbe.errors import Refused
from letsbe.plugin._calls import Decision, Result, ToolCall
from letsbe.plugin._deadline import GuardedCallError, TooLate, within
from letsbe.plugin._loading import Loaded
from letsbe.plugin._offers import is_verdict
from letsbe.plugin._protocols import UsageRecord
from letsbe.policy.verdict import Verdict

if TYPE_CHECKING:
    import click

_log = logging.getLogger("letsbe.plugin")


class Events:
    """The event hooks of the active plugins.

    A plugin whose hook did not return is not called again: its gates refuse from then
    on, its observers are left out.

    Args:
        plugins: The active plugins, in order.
        timeout: Seconds that one hook of one plugin may take.
    """

    def __init__(self, plugins: Sequence[Loaded], timeout: float) -> None:
        self._timeout = timeout
        self._listeners: dict[str, list[tuple[Loaded, Callable[..., Any]]]] = {}
        self.stalled: dict[str, str] = {}
        """Why a plugin is no longer called, by its label."""
        seen: dict[int, Loaded] = {}
        for loaded in plugins:
            # One object may be listed in two groups; its events are called once.
            if seen.setdefault(id(loaded.plugin), loaded) is loaded:
                self._listen(loaded)

    def _listen(self, loaded: Loaded) -> None:
        if loaded.hooks is None:
            return
        for caller in loaded.hooks.get_hookcallers(loaded.plugin) or ():
            self._listeners.setdefault(caller.name, []).append((loaded, caller))

    def classify(self, call: ToolCall, proposed: Verdict) -> Verdict:
        """Ask for other opinions of a call; see ``letsbe_classify``.

        Args:
            call: The call.
            proposed: What its provider says of it.

        Returns:
            The strictest of all opinions.

        Raises:
            Refused: A plugin failed to answer, so nobody knows what it would say.
        """
        listeners = self._listeners.get("letsbe_classify")
        if not listeners:
            return proposed
        opinions: list[Verdict] = []
        for loaded, hook in listeners:
            lent = _lent(proposed)
            answers, problem = self._ask(loaded, hook, call=call, proposed=lent)
            for answer in answers:
                if not is_verdict(answer):
                    problem = f"it gave a {type_name(answer)}"
            if problem is not None:
                raise Refused(_refusal(loaded, "letsbe_classify", problem))
            opinions += answers
        return proposed.raised_by(opinions)

    def before_execute(self, call: ToolCall, decision: Decision) -> str | None:
        """Ask whether a call may run; see ``letsbe_before_execute``.

        Args:
            call: The call.
            decision: What the gate says of it.

        Returns:
            Why it may not run, or ``None``.
        """
        for loaded, hook in self._listeners.get("letsbe_before_execute", ()):
            lent = replace(decision, verdict=_lent(decision.verdict))
            answers, problem = self._ask(loaded, hook, call=call, decision=lent)
            if problem is None and answers and not isinstance(answers[0], str):
                problem = f"it gave a {type_name(answers[0])}"
            if problem is not None:
                return _refusal(loaded, "letsbe_before_execute", problem)
            if answers:
                reason = shown(answers[0], 500) or "it gives no reason"
                return f"the plugin {loaded.record.label} refuses it: {reason}"
        return None

    def after_execute(self, call: ToolCall, result: Result) -> None:
        """Show a call and its redacted result to observers."""
        self._tell("letsbe_after_execute", call=call, result=result)

    def usage(self, record: UsageRecord) -> None:
        """Show a usage record to observers."""
        self._tell("letsbe_usage", record=record)

    def cli(self, group: click.Group) -> None:
        """Let plugins add commands."""
        self._tell("letsbe_cli", group=group)

    def _tell(self, event: str, **arguments: object) -> None:
        for loaded, hook in self._listeners.get(event, ()):
            if loaded.record.label not in self.stalled:
                self._ask(loaded, hook, **arguments)

    def _ask(
        self, loaded: Loaded, hook: Callable[..., Any], **arguments: object
    ) -> tuple[list[Any], str | None]:
        """Call one plugin's hook; give its answers, or why there are none."""
        label = loaded.record.label
        if label in self.stalled:
            return [], self.stalled[label]
        try:
            return within(self._timeout, lambda: hook(**arguments)), None
        except GuardedCallError as error:
            problem = str(error)
            if isinstance(error, TooLate):
                self.stalled[label] = f"{problem}; it is not called again"
            _log.warning("A hook of the plugin %s failed: %s", label, problem)
            return [], problem


def _lent(verdict: Verdict) -> Verdict:
    """Copy a verdict for a plugin, which must not change what will run."""
    return replace(
        verdict,
        plan=deepcopy(dict(verdict.plan)),
        trace=deepcopy(verdict.trace),
        paths=dict(verdict.paths),
        work=None,
    )


def _refusal(loaded: Loaded, hook: str, problem: str) -> str:
    return (
        f"the plugin {loaded.record.label} guards every call and its {hook} failed "
        f"({problem}), so nothing runs until it is mended or taken out"
    )
