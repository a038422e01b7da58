"""The chat relay's endpoints: messages, streams that can be resumed, aborts."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated

import anyio
from pydantic import BaseModel, Field
from starlette.responses import Response, StreamingResponse

from letsbe.errors import AgentUnavailable, LetsBeError
from letsbe.wrapper.answers import showable
from letsbe.wrapper.chat.conversations import Event
from letsbe.wrapper.chat.relay import Relay
from letsbe.wrapper.http.endpoints import (
    Body,
    Endpoint,
    Exchange,
    answered,
    parsed,
    queried,
)
from letsbe.wrapper.http.failures import body_of
from letsbe.wrapper.requests import AgentName
from letsbe.wrapper.tokens import Role

OPERATOR = frozenset({Role.OPERATOR})
ConversationId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$")]
KEEP_ALIVE_SECONDS = 15.0
"""How long a stream may be silent before a comment keeps its connection open."""


class Place(Body):
    """Which conversation."""

    agent_id: AgentName
    """With which agent."""
    conversation_id: ConversationId
    """Chosen by whoever begins it, and the same for all its messages."""


class ChatBody(Place):
    """A person's message."""

    message: Annotated[str, Field(min_length=1, max_length=200_000)]
    """What the person says."""
    stream: bool = True
    """Whether to answer with server-sent events as the agent speaks."""


class FollowQuery(Body):
    """Where to go on."""

    agent_id: AgentName
    """With which agent."""
    after: str | None = None
    """The id of the last event seen; the header ``Last-Event-ID`` says it too."""
    stay: bool = False
    """Whether to wait for turns to come, such as one that tells what became of a call
    that was approved."""


class AbortBody(Body):
    """Whose turn to end."""

    agent_id: AgentName
    """The agent's."""


class Reply(BaseModel):
    """What an agent answered."""

    conversation_id: str
    text: str
    aborted: bool
    last_event_id: str


class Aborted(BaseModel):
    """Whether a turn was ended."""

    aborted: bool
    """False: none was under way."""


async def send(exchange: Exchange) -> Response:
    """Send a message to an agent, and answer with what it says."""
    body = await parsed(exchange.request, ChatBody)
    relay = exchange.wrapper.relay
    before = relay.send(body.agent_id, body.conversation_id, body.message)
    events = relay.follow(body.agent_id, body.conversation_id, before)
    if body.stream:
        return streamed(exchange, events)
    async for event in events:
        if event.kind == "error":
            raise AgentUnavailable(
                str(event.data["message"]), alternative=event.data["alternative"]
            )
        if event.kind == "done":
            return answered(
                Reply(
                    conversation_id=body.conversation_id,
                    last_event_id=event.id,
                    **event.data,
                )
            )
    raise AgentUnavailable("the turn ended without an answer")


async def follow(exchange: Exchange) -> Response:
    """Stream a conversation from where a stream was lost."""
    query = queried(exchange.request, FollowQuery)
    after = exchange.request.headers.get("last-event-id", query.after)
    relay: Relay = exchange.wrapper.relay
    relay.check(query.agent_id, exchange.id)
    events = relay.follow(query.agent_id, exchange.id, after, stay=query.stay)
    return streamed(exchange, events)


async def abort(exchange: Exchange) -> Response:
    """End the turn that an agent is at."""
    body = await parsed(exchange.request, AbortBody)
    ended = exchange.wrapper.relay.abort(body.agent_id, exchange.id)
    return answered(Aborted(aborted=ended))


def streamed(exchange: Exchange, events: AsyncIterator[Event]) -> Response:
    """Answer with server-sent events."""
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(
        _lines(exchange, events), media_type="text/event-stream", headers=headers
    )


async def _lines(
    exchange: Exchange, events: AsyncIterator[Event]
) -> AsyncIterator[bytes]:
    try:
        async for event in _kept_alive(events):
            yield b": still here\n\n" if event is None else _line(event)
    except LetsBeError as error:
        body = body_of(showable(error, exchange.wrapper.pipeline))
        yield f"event: error\ndata: {json.dumps(body['error'])}\n\n".encode()


def _line(event: Event) -> bytes:
    data = json.dumps(event.data, ensure_ascii=False)
    return f"id: {event.id}\nevent: {event.kind}\ndata: {data}\n\n".encode()


async def _kept_alive(events: AsyncIterator[Event]) -> AsyncIterator[Event | None]:
    """Yield events, and nothing where there is none for long."""
    sender, receiver = anyio.create_memory_object_stream[Event](0)

    async def pump() -> None:
        async with sender:
            async for event in events:
                await sender.send(event)

    async with anyio.create_task_group() as group:
        group.start_soon(pump)
        async with receiver:
            while True:
                event = None
                with anyio.move_on_after(KEEP_ALIVE_SECONDS):
                    try:
                        event = await receiver.receive()
                    except anyio.EndOfStream:
                        return
                yield event


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/v1/chat",
        send,
        OPERATOR,
        "Send a message to an agent",
        body=ChatBody,
        answer=Reply,
    ),
    Endpoint(
        "GET",
        "/api/v1/chat/{id}/events",
        follow,
        OPERATOR,
        "Follow a conversation from an event on",
        query=FollowQuery,
    ),
    Endpoint(
        "POST",
        "/api/v1/chat/{id}/abort",
        abort,
        OPERATOR,
        "End the turn that an agent is at",
        body=AbortBody,
        answer=Aborted,
    ),
)
