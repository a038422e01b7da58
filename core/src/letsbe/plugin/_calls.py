"""A tool call on its way through: what was asked, decided and answered."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from letsbe.plugin._actions import Arguments
from letsbe.policy.verdict import Verdict


@dataclass(frozen=True, slots=True)
class CallContext:
    """Where a call comes from, as the runtime tells it.

    Args:
        conversation_id: The conversation at the runtime.
        parent_tool_call_id: The call that led to this one.
        tool_call_id: The runtime's id of the call.
        channel: By which channel the person's message came, such as ``telegram``.
        sender_id: Whose message it was, by that channel's id.
        sender_is_owner: Whether the runtime holds that person to be its owner.
    """

    conversation_id: str | None = None
    parent_tool_call_id: str | None = None
    tool_call_id: str | None = None
    channel: str | None = None
    sender_id: str | None = None
    sender_is_owner: bool | None = None


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call whose form has been checked. Secrets are still references.

    Args:
        tool_name: The action or operation.
        arguments: The arguments, checked against the action's model.
        agent_id: Who calls; from the token where a token belongs to one agent.
        session_id: The runtime's session.
        context: Where the call comes from.
    """

    tool_name: str
    arguments: Arguments
    agent_id: str
    session_id: str
    context: CallContext = field(default_factory=CallContext)


class Outcome(enum.StrEnum):
    """What the gate says."""

    RUN = "run"
    ASK = "ask"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Decision:
    """What the gate says of a call, and why.

    Args:
        outcome: Whether it runs, waits for a person, or is denied.
        verdict: The verdict it is based on.
        reason: One sentence that names the rule of the gate.
        allowed_by: The class that a person allowed, if it runs because of one.
    """

    outcome: Outcome
    verdict: Verdict
    reason: str
    allowed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What execution gave: anything that is JSON. It is redacted before it is seen."""

    output: Any


class Execution(Protocol):
    """What the core lends to a running call."""

    @property
    def deadline(self) -> float:
        """The seconds left until the call is cancelled."""
        ...

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables of ``env_refs`` and ``secret_refs``, with their values."""
        ...

    def fill(self, text: str) -> str:
        """Put values in place of every ``SECRET_REF(name)`` in a text.

        Call it at the last moment, on what has been classified: a value is never
        parsed again, so it cannot become a second argument or a second command.

        Args:
            text: A word, a body, a header.

        Returns:
            The text with values. Do not store, log or return it.
        """
        ...

    def redact(self, data: bytes) -> bytes:
        """Take secrets out of what is about to be cut, encoded or left out.

        The core redacts every output anyway, but it sees only what it is given: half
        of a secret, or one inside base64 of something larger, it cannot know. So call
        this on the whole first. It also tells a registered secret, which comes back as
        ``SECRET_REF(name)``, from any other text.

        Args:
            data: UTF-8, or bytes of unknown encoding.

        Returns:
            The data without secrets; the same object if there were none.

        Raises:
            OutputWithheld: A redaction layer failed; let it pass.
        """
        ...

    def registered(self, data: bytes) -> frozenset[str]:
        """Return the names of the registered secrets that some data holds.

        For what leaves without passing the core: a file that is sent as it is.

        Args:
            data: UTF-8, or bytes of unknown encoding.

        Raises:
            OutputWithheld: A redaction layer failed; let it pass.
        """
        ...
