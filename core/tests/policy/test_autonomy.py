from __future__ import annotations

import itertools

import pytest

from letsbe.policy.autonomy import (
    DEFAULT_LEVEL,
    TABLE,
    AgentPolicy,
    AutonomyLevel,
    permit,
)
from letsbe.policy.tiers import Tier

# DESIGN's table, once more and independently: at each level, the tiers that run
# unasked while nothing leaves the machine, and those that run if it is unlocked.
RUNS = {
    1: {Tier.GREEN},
    2: {Tier.GREEN, Tier.YELLOW},
    3: {Tier.GREEN, Tier.YELLOW, Tier.RED},
}
RUNS_UNLOCKED = {level: set(tiers) for level, tiers in RUNS.items()}
RUNS_UNLOCKED[2] |= {Tier.YELLOW_EXTERNAL}
RUNS_UNLOCKED[3] |= {Tier.YELLOW_EXTERNAL}

EVERY = list(itertools.product(AutonomyLevel, Tier, (False, True), (False, True)))


@pytest.mark.parametrize(("level", "tier", "external", "unlocked"), EVERY)
def test_every_cell(
    level: AutonomyLevel, tier: Tier, external: bool, unlocked: bool
) -> None:
    tools = frozenset({"mail.send"}) if unlocked else frozenset[str]()
    policy = AgentPolicy(level, tools)
    found = permit("mail.send", tier, external=external, policy=policy)
    leaves = external or tier is Tier.YELLOW_EXTERNAL
    runs = RUNS_UNLOCKED[level] if unlocked else RUNS[level]
    assert found.run == (tier in runs and (unlocked or not leaves))
    assert found.reason


def test_critical_always_asks_and_green_reads_always_run() -> None:
    for level in AutonomyLevel:
        assert TABLE[level][Tier.CRITICAL_RED].value == "ask"
        assert TABLE[level][Tier.GREEN].value == "run"


def test_an_unlock_counts_for_that_tool_alone() -> None:
    policy = AgentPolicy(AutonomyLevel.TRUSTED, frozenset({"mail.send"}))
    for other in ("mail.send_all", "mail", "mail.*", "ghost.publish"):
        assert not permit(other, Tier.YELLOW, external=True, policy=policy).run


def test_the_default_is_level_two() -> None:
    assert DEFAULT_LEVEL == 2
