"""The objects that do the work. A hook registers them; these types bind them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from letsbe.plugin._actions import Action
from letsbe.plugin._calls import Execution, Result, ToolCall
from letsbe.policy.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Health:
    """How a plugin is doing.

    Args:
        healthy: Whether it can do its work now.
        message: One line for the operator; no secret, no exception's text.
    """

    healthy: bool
    message: str = ""


@runtime_checkable
class Executor(Protocol):
    """Runs actions on this machine."""

    @property
    def actions(self) -> Sequence[Action]:
        """What it can do; fixed for the life of the process."""
        ...

    def classify(self, call: ToolCall) -> Verdict:
        """Say what a call would do, in well under a millisecond and without doing it.

        Raises:
            LetsBeError: The call will not be run; the error says what to do instead.
        """
        ...

    async def execute(self, call: ToolCall, verdict: Verdict, run: Execution) -> Result:
        """Do what the verdict describes; ``verdict.work`` is what classify left.

        Cancelled at the deadline: by then everything it started has been ended.

        Raises:
            ToolFailed: It could not be done; the message is safe to show.
        """
        ...

    async def check(self) -> Health:
        """Say whether it can work here."""
        ...


@runtime_checkable
class ToolAdapter(Protocol):
    """Speaks to one of the tenant's tools."""

    name: str
    """The tool's name, the first part of its operations' names."""

    @property
    def operations(self) -> Sequence[Action]:
        """What it can do, each named ``tool.operation``."""
        ...

    def classify(self, call: ToolCall) -> Verdict:
        """As :meth:`Executor.classify`."""
        ...

    async def invoke(self, call: ToolCall, verdict: Verdict, run: Execution) -> Result:
        """As :meth:`Executor.execute`."""
        ...

    async def check(self) -> Health:
        """Say whether the tool answers."""
        ...


@dataclass(frozen=True, slots=True)
class UsageRecord:
    """Tokens used by one agent and model in one hour; absolute, not a difference.

    Args:
        hour: The hour's start, in seconds since 1970 (UTC).
        agent_id: Whose calls.
        model: Which model.
        input_tokens: Tokens sent, cached ones included.
        output_tokens: Tokens received.
        cached_tokens: Of the tokens sent, those read from the provider's cache.
        revision: Grows with every change of the same hour, agent and model.
    """

    hour: int
    agent_id: str
    model: str
    input_tokens: int
    output_tokens: int
    cached_tokens: int
    revision: int
