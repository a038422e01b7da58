"""The gate: whether a classified call runs now or waits for a person."""

from __future__ import annotations

from letsbe.errors import StorageError
from letsbe.plugin import Decision, Outcome, ToolCall, Verdict
from letsbe.policy.autonomy import permit
from letsbe.wrapper.agents import AgentPolicies


class Gate:
    """Decides by the agent's policy.

    Args:
        policies: The policies of the tenant's agents.
    """

    def __init__(self, policies: AgentPolicies) -> None:
        self._policies = policies

    def decide(self, call: ToolCall, verdict: Verdict) -> Decision:
        """Decide about a call that its verdict did not refuse.

        Args:
            call: The call.
            verdict: What it would do.

        Returns:
            Run or ask. With a policy that cannot be read, everything asks.
        """
        try:
            policy = self._policies.policy(call.agent_id)
        except StorageError as error:
            reason = f"everything asks until the policy can be read: {error}"
            return Decision(Outcome.ASK, verdict, reason)
        found = permit(
            call.tool_name, verdict.tier, external=verdict.external, policy=policy
        )
        outcome = Outcome.RUN if found.run else Outcome.ASK
        return Decision(outcome, verdict, found.reason)
