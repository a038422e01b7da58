"""The gate: whether a classified call runs now or waits for a person."""

from __future__ import annotations

from letsbe.errors import Refused, StorageError
from letsbe.plugin import Action, Decision, Outcome, ToolCall, Verdict
from letsbe.policy.autonomy import permit
from letsbe.policy.classes import NoClass
from letsbe.wrapper.agents import AgentPolicies
from letsbe.wrapper.allowances import Allowances, AllowedClass
from letsbe.wrapper.cases import Case


class Gate:
    """Decides by the agent's policy, and by the classes that people have allowed.

    Args:
        policies: The policies of the tenant's agents.
        allowances: The allowed classes.
    """

    def __init__(self, policies: AgentPolicies, allowances: Allowances) -> None:
        self._policies = policies
        self._allowances = allowances

    def admit(self, call: ToolCall, action: Action) -> None:
        """See that a tool, and what it needs, is in the agent's scope.

        Args:
            call: The call.
            action: What it calls.

        Raises:
            Refused: It is not, whoever would approve the call.
        """
        try:
            policy = self._policies.policy(call.agent_id)
        except StorageError:
            return  # everything asks then, as decide() says
        missing = [t for t in (action.name, *action.needs) if not policy.may_use(t)]
        if missing:
            message = f"{missing[0]} is not among the tools of {call.agent_id}"
            if missing[0] != action.name:
                message += f", and {action.name} needs it"
            instead = (
                "say which agent should do it, or ask the owner to widen the scope"
            )
            raise Refused(message, alternative=instead)

    def decide(self, case: Case, verdict: Verdict) -> Decision:
        """Decide about a call that its verdict did not refuse.

        Args:
            case: The call.
            verdict: What it would do.

        Returns:
            Run or ask. With a policy that cannot be read, everything asks.
        """
        call = case.call
        try:
            policy = self._policies.policy(call.agent_id)
        except StorageError as error:
            reason = f"everything asks until the policy can be read: {error}"
            return Decision(Outcome.ASK, verdict, reason)
        found = permit(
            call.tool_name, verdict.tier, external=verdict.external, policy=policy
        )
        if found.run:
            return Decision(Outcome.RUN, verdict, found.reason)
        allowed = self._covering(case, verdict)
        if allowed is None:
            return Decision(Outcome.ASK, verdict, found.reason)
        reason = f"{allowed.created_by} allowed {allowed.id}: {allowed.text}"
        return Decision(Outcome.RUN, verdict, reason, allowed.id)

    def _covering(self, case: Case, verdict: Verdict) -> AllowedClass | None:
        try:
            asked = case.call_class(verdict)
        except NoClass:
            return None
        call = case.call
        return self._allowances.covering(asked, call.agent_id, call.session_id)
