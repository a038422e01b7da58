"""Who may do what unasked: one table, and two look-ups.

The table is DESIGN's; it is written out in full so that it can be read beside it. The
external gate stands apart from it: an external call runs only where that very tool is
unlocked for that agent, at every level.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from letsbe.policy.tiers import Tier


class AutonomyLevel(enum.IntEnum):
    """How much an agent may do before a person is asked."""

    CAREFUL = 1
    """Reads run; everything else asks."""
    NORMAL = 2
    """What can be undone runs; what destroys asks."""
    TRUSTED = 3
    """Everything runs but what is catastrophic."""


DEFAULT_LEVEL = AutonomyLevel.NORMAL


class Permission(enum.Enum):
    """A cell of the table."""

    RUN = "run"
    ASK = "ask"
    IF_UNLOCKED = "run if unlocked"


_RUN, _ASK, _UNLOCKED = Permission.RUN, Permission.ASK, Permission.IF_UNLOCKED

TABLE: dict[AutonomyLevel, dict[Tier, Permission]] = {
    AutonomyLevel.CAREFUL: {
        Tier.GREEN: _RUN,
        Tier.YELLOW: _ASK,
        Tier.YELLOW_EXTERNAL: _ASK,
        Tier.RED: _ASK,
        Tier.CRITICAL_RED: _ASK,
    },
    AutonomyLevel.NORMAL: {
        Tier.GREEN: _RUN,
        Tier.YELLOW: _RUN,
        Tier.YELLOW_EXTERNAL: _UNLOCKED,
        Tier.RED: _ASK,
        Tier.CRITICAL_RED: _ASK,
    },
    AutonomyLevel.TRUSTED: {
        Tier.GREEN: _RUN,
        Tier.YELLOW: _RUN,
        Tier.YELLOW_EXTERNAL: _UNLOCKED,
        Tier.RED: _RUN,
        Tier.CRITICAL_RED: _ASK,
    },
}


@dataclass(frozen=True, slots=True)
class AgentPolicy:
    """What is settled for one agent.

    Args:
        level: Its autonomy level: its own, else the tenant's.
        unlocked: The tools whose external calls may run.
        tools: The tools it may use at all, ``*`` at the end standing for all that
            begin so; ``None`` for every tool.
    """

    level: AutonomyLevel = DEFAULT_LEVEL
    unlocked: frozenset[str] = frozenset()
    tools: tuple[str, ...] | None = None

    def may_use(self, tool: str) -> bool:
        """Whether a tool is in the agent's scope."""
        if self.tools is None:
            return True
        return any(
            tool.startswith(name[:-1]) if name.endswith("*") else tool == name
            for name in self.tools
        )


@dataclass(frozen=True, slots=True)
class Permit:
    """Whether a call may run unasked, and the rule that says so."""

    run: bool
    reason: str


def permit(tool: str, tier: Tier, *, external: bool, policy: AgentPolicy) -> Permit:
    """Look a call up in the table, then at the external gate.

    Args:
        tool: The tool's name; an unlock counts for exactly this name.
        tier: The call's tier.
        external: Whether it reaches the outside, whatever its tier.
        policy: The agent's policy.

    Returns:
        Whether it runs unasked. If not, the reason says what a person could change.
    """
    cell = TABLE[policy.level][tier]
    if cell is Permission.ASK:
        return Permit(False, f"{tier} asks a person at autonomy level {policy.level:d}")
    leaves = external or cell is Permission.IF_UNLOCKED
    if leaves and tool not in policy.unlocked:
        return Permit(False, f"{tool} reaches the outside and is not unlocked")
    return Permit(True, f"{tier} runs at autonomy level {policy.level:d}")
