from __future__ import annotations

import itertools
from typing import Any

import pytest

from letsbe.errors import InvalidRequest, StorageError
from letsbe.policy.autonomy import AgentPolicy, AutonomyLevel, permit
from letsbe.policy.tiers import Tier
from letsbe.wrapper.agents import AgentPolicies, AgentSettings

pytestmark = pytest.mark.anyio

LEVELS = (None, *AutonomyLevel)
EVERY = list(
    itertools.product(AutonomyLevel, LEVELS, Tier, (False, True), (False, True))
)


async def test_tenant_level_override_tier_external_and_lock(bench: Any) -> None:
    """All combinations, through the stored policy and the whole walk."""
    policies = bench.wrapper.policies
    for tenant, own, tier, external, unlocked in EVERY:
        policies.set_tenant_level(tenant)
        tools = frozenset({"deed"} if unlocked else ())
        policies.put(AgentSettings(agent_id="main", level=own, unlocked=tools))
        policy = policies.policy("main")
        assert policy.level == (own or tenant)
        expected = permit("deed", tier, external=external, policy=policy).run
        answer = await bench.call(tier=tier.name, external=external)
        case = (tenant, own, tier, external, unlocked)
        assert (answer.status == "ok") is expected, case
        assert answer.status in {"ok", "pending_approval"}, case


async def test_an_override_of_one_agent_is_not_anothers(bench: Any) -> None:
    settings = AgentSettings(agent_id="main", level=AutonomyLevel.TRUSTED)
    bench.wrapper.policies.put(settings)
    assert (await bench.call(tier="RED")).status == "ok"
    other = await bench.call(tier="RED", agent="marketing")
    assert other.status == "pending_approval"


async def test_a_change_by_another_process_counts_at_once(bench: Any) -> None:
    assert (await bench.call(tier="YELLOW")).status == "ok"
    AgentPolicies(bench.home.agents).set_tenant_level(AutonomyLevel.CAREFUL)
    assert (await bench.call(tier="YELLOW")).status == "pending_approval"


@pytest.mark.parametrize(
    "broken",
    [
        '{"agents": {"1": ',
        '{"agents": {"1": {"agent_id": "main", "level": 9}}}',
        '{"tenant": {"1": {"level": "high"}}}',
        '{"agents": {"1": {"agent_id": "main", "nonsense": 1}}}',
        "",
    ],
)
async def test_a_broken_policy_gates_everything(bench: Any, broken: str) -> None:
    bench.home.agents.write_text(broken, encoding="utf-8")
    answer = await bench.call(tier="GREEN")
    assert answer.status == "pending_approval"
    assert "agents.json" in answer.reason
    with pytest.raises(StorageError):
        bench.wrapper.policies.tenant_level()
    assert bench.home.agents.read_text(encoding="utf-8") == broken


async def test_a_mended_policy_counts_again(bench: Any) -> None:
    bench.home.agents.write_text("{", encoding="utf-8")
    assert (await bench.call()).status == "pending_approval"
    bench.home.agents.unlink()
    assert (await bench.call()).status == "ok"


async def test_a_tool_outside_the_scope_runs_for_nobody(bench: Any) -> None:
    bench.wrapper.policies.set_scope("main", ["file_*", "ghost.publish"])
    answer = await bench.call(tier="GREEN")
    assert answer.status == "denied"
    assert answer.code == "refused"
    assert "not among the tools of main" in answer.reason
    assert (await bench.call(tier="GREEN", agent="other")).status == "ok"
    bench.wrapper.policies.set_scope("main", ["de*"])
    assert (await bench.call(tier="GREEN")).status == "ok"


async def test_what_a_tool_needs_is_in_the_scope_too(bench: Any) -> None:
    bench.wrapper.policies.set_scope("main", ["helping"])
    answer = await bench.call("helping")
    assert answer.status == "denied"
    assert "deed is not among the tools of main, and helping needs it" in answer.reason
    bench.wrapper.policies.set_scope("main", ["helping", "deed"])
    assert (await bench.call("helping")).status == "pending_approval"


@pytest.mark.parametrize(
    ("scope", "tool", "allowed"),
    [
        (None, "shell", True),
        (("*",), "ghost.publish", True),
        (("ghost.*",), "ghost.publish", True),
        (("ghost.*",), "ghostly", False),
        (("shell",), "shell_extra", False),
        ((), "shell", False),
    ],
)
def test_a_scope_names_tools_or_their_beginning(
    scope: tuple[str, ...] | None, tool: str, allowed: bool
) -> None:
    assert AgentPolicy(tools=scope).may_use(tool) is allowed


@pytest.mark.parametrize("tool", ["", "*x", "file_**", "Shell", "a b", "-"])
def test_a_scope_of_another_form_is_refused(bench: Any, tool: str) -> None:
    with pytest.raises(InvalidRequest, match="tools"):
        bench.wrapper.policies.set_scope("main", [tool])
