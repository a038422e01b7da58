"""What classification says of a call, before anyone decides about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from letsbe.policy.steps import Step
from letsbe.policy.tiers import Tier


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a call would do, as far as it could be understood without doing it.

    Args:
        tier: How much harm it can do.
        rule: The rule that decided, such as ``sort.write``; stable, for programs.
        reason: What the rule found, in one sentence, for agent and person alike.
        external: Whether it reaches people or systems outside. Kept apart from the
            tier, because a call can be external and destructive.
        refused: Whether it will not be run at all, whoever approves.
        alternative: What to do instead, where there is something.
        hosts: The host names it would contact; ``None`` if they cannot be known,
            which keeps out every secret that is bound to hosts.
        plan: What exactly will run (argv lists, folder, resolved programs, paths),
            as JSON. It is shown to whoever approves and is part of the digest.
        work: What was understood, handed back to the executor when the call runs so
            that nothing is read twice. Never stored or shown.
        trace: Every rule that matched, as JSON with at least ``rule``, ``tier`` and
            ``why``. Shown to whoever approves, but no part of the digest.
        paths: The operands that are paths, each with its class. Shown likewise.
        steps: What a class of such calls would be made of; ``None`` if the provider
            does not say, so that no class is.
    """

    tier: Tier
    rule: str
    reason: str
    external: bool = False
    refused: bool = False
    alternative: str | None = None
    hosts: tuple[str, ...] | None = ()
    plan: Mapping[str, Any] = field(default_factory=dict)
    work: Any = field(default=None, repr=False, compare=False)
    trace: tuple[Mapping[str, Any], ...] = field(default=(), repr=False)
    paths: Mapping[str, str] = field(default_factory=dict, repr=False)
    steps: tuple[Step, ...] | None = field(default=None, repr=False)

    def raised_by(self, others: Iterable[Verdict]) -> Verdict:
        """Combine with other opinions of the same call; the strictest decides.

        Args:
            others: Verdicts of hooks or of the parts of the call. None of them can
                lower the tier, take back ``external`` or undo a refusal.

        Returns:
            This verdict with the strictest tier, rule, reason and alternative, and
            the traces of all.
        """
        strictest = self
        trace = list(self.trace)
        tier, external, refused = self.tier, self.external, self.refused
        for other in others:
            tier = max(tier, other.tier)
            external |= other.external
            refused |= other.refused
            trace.extend(other.trace or [other.row()])
            if (other.refused, other.tier) > (strictest.refused, strictest.tier):
                strictest = other
        return replace(
            self,
            tier=tier,
            rule=strictest.rule,
            reason=strictest.reason,
            alternative=strictest.alternative,
            external=external,
            refused=refused,
            trace=tuple(trace),
        )

    def row(self) -> dict[str, Any]:
        """Return this verdict as one row of a trace."""
        return {
            "rule": self.rule,
            "tier": str(self.tier),
            "why": self.reason,
            "external": self.external,
            "refused": self.refused,
            "alternative": self.alternative,
        }
