"""Carries conversations between people and agents.

A turn belongs to its conversation and not to the connection that began it: whoever
lost a stream resumes it, and only an abort ends the turn.
"""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator
from typing import Any

import anyio
from anyio.abc import TaskGroup

from letsbe.errors import AgentUnavailable, Busy, Conflict, LetsBeError, NotFound
from letsbe.redaction.pipeline import Pipeline
from letsbe.wrapper.chat.conversations import Conversation, Event, Kind
from letsbe.wrapper.chat.gateway import Gateway
from letsbe.wrapper.chat.records import Records

MOST_CONVERSATIONS = 256
"""The most conversations whose events are kept."""

MOST_TURNS = 16
"""The most turns under way at once."""

SESSION_MARK = ":openai-user:"
"""What stands before a conversation's id in the key of its session at OpenClaw, where
all of the key is in lower case."""


class Relay:
    """The chat relay's tenant half.

    Args:
        gateway: Where the agents are.
        pipeline: Takes secrets out of what they say.
        records: Where the ends of turns are kept.
    """

    def __init__(self, gateway: Gateway, pipeline: Pipeline, records: Records) -> None:
        self._gateway = gateway
        self._pipeline = pipeline
        self._records = records
        self._conversations: OrderedDict[tuple[str, str], Conversation] = OrderedDict()
        self._group: TaskGroup | None = None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve while the block runs; turns that are under way end with it."""
        async with anyio.create_task_group() as group:
            self._group = group
            try:
                yield
            finally:
                self._group = None
                group.cancel_scope.cancel()
                for conversation in self._conversations.values():
                    conversation.wake()
        await self._gateway.close()

    def send(self, agent_id: str, conversation_id: str, message: str) -> str:
        """Begin a turn.

        Args:
            agent_id: Who is spoken to.
            conversation_id: The same for all messages of a conversation.
            message: What the person says.

        Returns:
            The id of the last event before the turn: follow after it.

        Raises:
            Conflict: The agent is still answering the message before.
            Busy: Too many turns are under way.
            AgentUnavailable: Nothing is served: a command works on the home alone.
        """
        if self._group is None:
            message = "agents are spoken to by the running server alone"
            raise AgentUnavailable(message, alternative="run `letsbe up`")
        conversation = self._at(agent_id, conversation_id)
        if conversation.turn is not None:
            message = "the agent still answers the message before: wait, or abort it"
            raise Conflict(message)
        turns = [c for c in self._conversations.values() if c.turn is not None]
        if len(turns) >= MOST_TURNS:
            raise Busy(f"{MOST_TURNS} turns are under way: send it again in a while")
        turn = conversation.begin()
        before = conversation.last_id
        self._records.begun(conversation)
        self._group.start_soon(self._play, conversation, turn, message)
        return before

    async def follow(
        self,
        agent_id: str,
        conversation_id: str,
        after: str | None,
        *,
        stay: bool = False,
    ) -> AsyncIterator[Event]:
        """Yield a conversation's events until no turn is under way.

        Args:
            agent_id: With whom it is.
            conversation_id: Which one.
            after: The id of the last event seen; ``None`` begins with the oldest kept.
            stay: Whether to wait for turns to come, too, as long as anything is served.

        Raises:
            NotFound: Nothing of this conversation is kept.
        """
        conversation = self.check(agent_id, conversation_id)
        with conversation.read():
            while True:
                more = conversation.turn is not None or stay
                for event in conversation.since(after):
                    yield event
                    after = event.id if event.kind != "reset" else conversation.last_id
                if not more or self._group is None:
                    return
                waits = stay or conversation.turn is not None
                if waits and not conversation.since(after):
                    await conversation.change()

    def check(self, agent_id: str, conversation_id: str) -> Conversation:
        """Return a conversation that is kept.

        Raises:
            NotFound: Nothing of it is.
        """
        conversation = self._known((agent_id, conversation_id))
        if conversation is None:
            raise NotFound("nothing of this conversation is kept: send a message")
        return conversation

    def conversation_of(self, agent_id: str, session_id: str) -> str | None:
        """Return the conversation that one of the runtime's sessions is, if it is one.

        Args:
            agent_id: The agent.
            session_id: The session's key, as the runtime tells it.
        """
        named = session_id.partition(SESSION_MARK)[2].lower()
        here = [
            c for a, c in self._conversations if (a, c.lower()) == (agent_id, named)
        ]
        return here[-1] if here else self._records.named(agent_id, named)

    def is_busy(self, agent_id: str, conversation_id: str) -> bool:
        """Tell whether a turn of the conversation is under way."""
        conversation = self._conversations.get((agent_id, conversation_id))
        return conversation is not None and conversation.turn is not None

    def abort(self, agent_id: str, conversation_id: str) -> bool:
        """End the turn that is under way; tell whether there was one."""
        conversation = self._conversations.get((agent_id, conversation_id))
        if conversation is None or conversation.turn is None:
            return False
        conversation.turn.cancel()
        return True

    def _at(self, agent_id: str, conversation_id: str) -> Conversation:
        place = (agent_id, conversation_id)
        found = self._known(place) or Conversation(*place)
        self._conversations[place] = found
        self._conversations.move_to_end(place)
        idle = [key for key, c in self._conversations.items() if c.is_idle]
        excess = len(self._conversations) - MOST_CONVERSATIONS
        for key in [key for key in idle if key != place][: max(0, excess)]:
            del self._conversations[key]
        return found

    def _known(self, place: tuple[str, str]) -> Conversation | None:
        """A conversation that is in memory, or was before a restart."""
        found = self._conversations.get(place)
        if found is None:
            found = self._records.found(*place)
            if found is not None:
                self._conversations[place] = found
        return found

    async def _play(
        self, conversation: Conversation, turn: anyio.CancelScope, message: str
    ) -> None:
        said: list[str] = []
        try:
            with turn:
                await self._listen(conversation, message, said)
            if turn.cancelled_caught:
                text = self._clean("".join(said))
                self._end(conversation, "done", text=text, aborted=True)
        except LetsBeError as error:
            details = {"code": error.code, "message": error.message}
            self._end(conversation, "error", **details, alternative=error.alternative)
        finally:
            conversation.turn = None
            conversation.wake()

    async def _listen(
        self, conversation: Conversation, message: str, said: list[str]
    ) -> None:
        place = (conversation.agent_id, conversation.conversation_id)
        pieces = self._gateway.reply(*place, message)
        async with contextlib.aclosing(pieces):
            async for piece in pieces:
                said.append(piece)
                conversation.add("delta", text=self._clean(piece))
        text = self._clean("".join(said))
        self._end(conversation, "done", text=text, aborted=False)

    def _end(self, conversation: Conversation, kind: Kind, **data: Any) -> None:  # noqa: ANN401 - any JSON
        self._records.ended(conversation, conversation.add(kind, **data))

    def _clean(self, text: str) -> str:
        return self._pipeline.redact_text(text)
