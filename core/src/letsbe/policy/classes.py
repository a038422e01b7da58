"""Classes of calls that a person may allow: what one holds, and what it covers.

A class is what is left of one approved call when its operands are taken away: program,
subcommand, flags, the class of its paths, and every rule that it met. A class covers a
call whose own class asks for nothing more. Whatever is compared here can only make a
class narrower, so a part that somebody forgets to fill in never widens one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from letsbe.errors import Refused
from letsbe.policy.steps import Step
from letsbe.policy.tiers import Tier
from letsbe.policy.verdict import Verdict


class NoClass(Refused):
    """No class can be made of this call; it can only be approved by itself."""

    code = "no_class"


@dataclass(frozen=True, slots=True)
class CallClass:
    """A class of calls of one tool.

    Args:
        tool: The tool's name.
        tier: How much harm one of its calls can do at most.
        rules: The rules that may have decided about it, those of its steps included.
        steps: What its calls do.
        external: Whether they may reach the outside.
        hosts: The hosts that they may contact; ``None`` if that was not known.
        secrets: The secrets that they may use, and the variables that hold them, as
            ``VARIABLE=name``.
    """

    tool: str
    tier: Tier
    rules: frozenset[str]
    steps: tuple[Step, ...]
    external: bool = False
    hosts: tuple[str, ...] | None = ()
    secrets: frozenset[str] = frozenset()

    def covers(self, other: CallClass) -> bool:
        """Tell whether another class asks for nothing more than this one.

        Args:
            other: The class of a call that would run.
        """
        return (
            other.tool == self.tool
            and other.tier <= self.tier < Tier.CRITICAL_RED
            and other.rules <= self.rules
            and other.external <= self.external
            and other.secrets <= self.secrets
            and self._reaches(other)
            and bool(other.steps)
            and all(any(s.covers(step) for s in self.steps) for step in other.steps)
        )

    def _reaches(self, other: CallClass) -> bool:
        if self.hosts is None:
            return True
        return other.hosts is not None and set(other.hosts) <= set(self.hosts)

    def text(self) -> str:
        """Say what it allows, in words that a person sees before it is stored."""
        parts = [f"{self.tool}: {'; '.join(step.text() for step in self.steps)}"]
        if self.external:
            hosts = "hosts that are not known" if self.hosts is None else None
            parts.append(
                f"reaching {hosts or ', '.join(self.hosts or ()) or 'outside'}"
            )
        if self.secrets:
            parts.append(f"with the secrets {', '.join(sorted(self.secrets))}")
        parts.append(f"{self.tier} at most")
        return ", ".join(parts)

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON, to be read by :meth:`from_json`."""
        return {
            "tool": self.tool,
            "tier": self.tier.name,
            "rules": sorted(self.rules),
            "steps": [step.as_json() for step in self.steps],
            "external": self.external,
            "hosts": None if self.hosts is None else list(self.hosts),
            "secrets": sorted(self.secrets),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read what :meth:`as_json` gave."""
        hosts = data["hosts"]
        return cls(
            tool=data["tool"],
            tier=Tier[data["tier"]],
            rules=frozenset(data["rules"]),
            steps=tuple(Step.from_json(step) for step in data["steps"]),
            external=data["external"],
            hosts=None if hosts is None else tuple(hosts),
            secrets=frozenset(data["secrets"]),
        )


def class_of(
    tool: str, verdict: Verdict, secrets: frozenset[str], *, is_operation: bool
) -> CallClass:
    """Make the class that one call stands for.

    Args:
        tool: The tool's name.
        verdict: What the call would do, after every hook.
        secrets: The secrets that it names; see :class:`CallClass`.
        is_operation: Whether it is an adapter's operation: then the operation is the
            class, unless the adapter says more.

    Raises:
        NoClass: There can be none: the call is CRITICAL_RED, runs code or other
            commands, is not understood, or its executor does not know classes.
    """
    if verdict.refused or verdict.tier >= Tier.CRITICAL_RED:
        raise _no_class(f"{verdict.tier} calls are approved one by one")
    steps = verdict.steps
    if steps is None and is_operation:
        rules = frozenset({verdict.rule})
        steps = (Step(tool, verdict.tier, rules, external=verdict.external),)
    if not steps:
        raise _no_class(f"{tool} does not say what its calls have in common")
    for step in steps:
        if step.unfit:
            raise _no_class(step.unfit)
        if step.tier >= Tier.CRITICAL_RED:
            raise _no_class(f"{step.tier} calls are approved one by one")
    return CallClass(
        tool=tool,
        tier=verdict.tier,
        rules=frozenset({verdict.rule}).union(*(step.rules for step in steps)),
        steps=tuple(dict.fromkeys(steps)),
        external=verdict.external or any(step.external for step in steps),
        hosts=verdict.hosts,
        secrets=secrets,
    )


def _no_class(why: str) -> NoClass:
    instead = "approve the call by itself"
    return NoClass(f"no class can be allowed: {why}", alternative=instead)
