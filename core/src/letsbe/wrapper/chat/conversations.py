"""What was said in a conversation, kept so that a lost stream can be resumed."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import anyio

Kind = Literal["delta", "done", "error", "reset"]

MOST_EVENTS = 4096
"""The most events of one conversation that are kept."""

_RUN = secrets.token_hex(4)
"""Tells events of this process from those of one before it."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a conversation.

    Args:
        number: Counts up within the conversation.
        kind: ``delta`` (a piece of what the agent says), ``done`` (all of it), or
            ``error``; ``reset`` if events before it are not kept any more.
        data: What it holds, as JSON.
    """

    number: int
    kind: Kind
    data: Mapping[str, Any]

    @property
    def id(self) -> str:
        """What a client gives back to resume after this event."""
        return f"{_RUN}-{self.number}"


class Conversation:
    """One conversation with one agent.

    Args:
        agent_id: The agent.
        conversation_id: The person's side's own id, the same for all its messages.
    """

    def __init__(self, agent_id: str, conversation_id: str) -> None:
        self.agent_id = agent_id
        self.conversation_id = conversation_id
        self.turn: anyio.CancelScope | None = None
        """Ends the turn that is under way."""
        self._events: deque[Event] = deque(maxlen=MOST_EVENTS)
        self._last = 0
        self._changed = anyio.Event()

    @property
    def last_id(self) -> str:
        """The id of the newest event."""
        return f"{_RUN}-{self._last}"

    def add(self, kind: Kind, **data: Any) -> None:  # noqa: ANN401 - any JSON
        """Append an event and wake whoever follows."""
        self._last += 1
        self._events.append(Event(self._last, kind, data))
        self.wake()

    def wake(self) -> None:
        """Let whoever follows look again."""
        changed, self._changed = self._changed, anyio.Event()
        changed.set()

    async def change(self) -> None:
        """Wait until something happens."""
        await self._changed.wait()

    def since(self, event_id: str | None) -> list[Event]:
        """Return the events after one.

        Args:
            event_id: The id of the last event that was seen; ``None`` begins with the
                oldest that is kept.

        Returns:
            The events; the first is a ``reset`` if some between are lost.
        """
        if event_id is None:
            return list(self._events)
        run, _, number = event_id.partition("-")
        seen = int(number) if run == _RUN and number.isdecimal() else -1
        first = self._events[0].number if self._events else self._last + 1
        newer = [event for event in self._events if event.number > seen]
        if seen < 0 or seen > self._last or seen + 1 < first:
            reason = "events after the one that was named are not kept any more"
            return [Event(0, "reset", {"reason": reason}), *self._events]
        return newer
