"""What was said in a conversation, kept so that a lost stream can be resumed."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal

import anyio

Kind = Literal["delta", "done", "error", "reset"]

MOST_EVENTS = 4096
"""The most events of one conversation that are kept in memory."""

STRIDE = 1 << 20
"""How far the numbers of two turns are apart, whatever was told in between."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened in a conversation.

    Args:
        run: Names the conversation's first beginning.
        number: Counts up within the conversation, with gaps between turns.
        kind: ``delta`` (a piece of what the agent says), ``done`` (all of it), or
            ``error``; ``reset`` if events before it are not kept any more.
        data: What it holds, as JSON.
    """

    run: str
    number: int
    kind: Kind
    data: Mapping[str, Any]

    @property
    def id(self) -> str:
        """What a client gives back to resume after this event."""
        return f"{self.run}-{self.number}"

    @property
    def ends(self) -> bool:
        """Whether it ends a turn; such an event is kept through restarts."""
        return self.kind in {"done", "error"}


class Conversation:
    """One conversation with one agent.

    Args:
        agent_id: The agent.
        conversation_id: The person's side's own id, the same for all its messages.
        run: What its events' ids begin with; anew for a new conversation.
        turns: How many turns it has had.
        events: How they ended, as far as it is kept.
    """

    def __init__(
        self,
        agent_id: str,
        conversation_id: str,
        run: str | None = None,
        turns: int = 0,
        events: Sequence[Event] = (),
    ) -> None:
        self.agent_id = agent_id
        self.conversation_id = conversation_id
        self.run = secrets.token_hex(4) if run is None else run
        self.turns = turns
        self.turn: anyio.CancelScope | None = None
        """Ends the turn that is under way."""
        self._readers = 0
        self._events: deque[Event] = deque(events)
        self._last = events[-1].number if events else turns * STRIDE
        # The pieces of a turn that has ended are not missed: its end holds all of them.
        first = events[0].number // STRIDE if events else 1
        self._dropped = (first - 1) * STRIDE + STRIDE - 1 if first > 1 else 0
        self._changed = anyio.Event()

    @property
    def place(self) -> tuple[str, str]:
        """Which conversation it is."""
        return self.agent_id, self.conversation_id

    @property
    def last_id(self) -> str:
        """The id of the newest event."""
        return f"{self.run}-{self._last}"

    @property
    def is_idle(self) -> bool:
        """Whether no turn is under way and nobody follows it."""
        return self.turn is None and not self._readers

    @contextmanager
    def read(self) -> Iterator[None]:
        """Keep it in memory while somebody follows it."""
        self._readers += 1
        try:
            yield
        finally:
            self._readers -= 1

    def begin(self) -> anyio.CancelScope:
        """Begin a turn."""
        self.turns += 1
        self._last = self.turns * STRIDE
        self.turn = anyio.CancelScope()
        return self.turn

    def add(self, kind: Kind, **data: Any) -> Event:  # noqa: ANN401 - any JSON
        """Append an event and wake whoever follows."""
        self._last += 1
        event = Event(self.run, self._last, kind, data)
        if len(self._events) >= MOST_EVENTS:
            self._dropped = self._events.popleft().number
        self._events.append(event)
        self.wake()
        return event

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
        seen = int(number) if run == self.run and number.isdecimal() else -1
        if seen < self._dropped or seen < 0 or seen > self._last:
            reason = "events after the one that was named are not kept any more"
            return [Event(self.run, 0, "reset", {"reason": reason}), *self._events]
        return [event for event in self._events if event.number > seen]
