"""Calling an adapter's operations as the wrapper does, without the gate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from letsbe.plugin import Json, Tier, ToolAdapter, Verdict
from letsbe.testing._calls import make_call
from letsbe.testing._execution import FakeExecution


class ToolCaller:
    """Calls the operations of an adapter; what they give is not redacted.

    Args:
        adapter: The adapter.
        secrets: The values of the secrets that it may fill in, by name.
        deadline: The seconds that a call may take.
    """

    def __init__(
        self,
        adapter: ToolAdapter,
        secrets: Mapping[str, str] | None = None,
        deadline: float = 60.0,
    ) -> None:
        self.adapter = adapter
        self._secrets = dict(secrets or {})
        self._deadline = deadline
        self._actions = {
            action.name.partition(".")[2]: action for action in adapter.operations
        }

    async def __call__(self, operation: str, **arguments: Any) -> Json:  # noqa: ANN401 - checked by the operation's model
        """Call an operation.

        Args:
            operation: Its name without the tool's.
            arguments: Its arguments as JSON.

        Returns:
            Its output.

        Raises:
            LetsBeError: As the operation does.
        """
        call = make_call(self._actions[operation], arguments)
        run = FakeExecution(secrets=self._secrets, deadline=self._deadline)
        verdict = self.adapter.classify(call)
        return (await self.adapter.invoke(call, verdict, run)).output

    def judge(self, operation: str, **arguments: Any) -> Verdict:  # noqa: ANN401 - as above
        """Classify a call, held to what the operation declares as the wrapper does."""
        action = self._actions[operation]
        verdict = self.adapter.classify(make_call(action, arguments))
        declared = Verdict(action.tier, verdict.rule, verdict.reason, action.external)
        return verdict.raised_by([declared])

    def tier(self, operation: str, **arguments: Any) -> Tier:  # noqa: ANN401 - as above
        """Return the tier of a call."""
        return self.judge(operation, **arguments).tier
