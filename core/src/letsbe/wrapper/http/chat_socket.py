"""The chat relay by WebSocket: one connection for all conversations of a client."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

import anyio
from anyio.abc import TaskGroup
from pydantic import Field, TypeAdapter, ValidationError
from starlette.websockets import WebSocket, WebSocketDisconnect

from letsbe.errors import Forbidden, LetsBeError
from letsbe.wrapper.answers import showable
from letsbe.wrapper.chat.conversations import Event
from letsbe.wrapper.http.chat import ChatBody, Place
from letsbe.wrapper.opening import Wrapper
from letsbe.wrapper.requests import field_errors, invalid
from letsbe.wrapper.tokens import Role, Tokens

PATH = "/api/v1/chat/socket"
POLICY_VIOLATION = 1008


class Send(ChatBody):
    """A person's message; its events follow."""

    type: Literal["send"]


class Follow(Place):
    """Go on after an event."""

    type: Literal["follow"]
    after: str | None = None
    stay: bool = False


class Abort(Place):
    """End the turn that is under way."""

    type: Literal["abort"]


Command = Annotated[Send | Follow | Abort, Field(discriminator="type")]
_COMMANDS: TypeAdapter[Send | Follow | Abort] = TypeAdapter(Command)


class ChatSocket:
    """An ASGI endpoint for WebSockets.

    Args:
        wrapper: Whose relay it serves.
        tokens: Who may connect: the operator alone.
    """

    def __init__(self, wrapper: Wrapper, tokens: Tokens) -> None:
        self._wrapper = wrapper
        self._tokens = tokens

    async def serve(self, socket: WebSocket) -> None:
        """Serve one connection to its end."""
        try:
            caller = self._tokens.caller(socket.headers.get("authorization"))
            if caller.role is not Role.OPERATOR:
                raise Forbidden("this needs the token of: operator")
        except LetsBeError as error:
            await socket.close(POLICY_VIOLATION, error.message)
            return
        await socket.accept()
        sending = anyio.Lock()

        async def say(**message: Any) -> None:  # noqa: ANN401 - any JSON
            async with sending:
                await socket.send_text(json.dumps(message, ensure_ascii=False))

        async with anyio.create_task_group() as group:
            try:
                while True:
                    await self._obey(await socket.receive_text(), group, say)
            except (WebSocketDisconnect, KeyError):
                group.cancel_scope.cancel()

    async def _obey(self, text: str, group: TaskGroup, say: Any) -> None:  # noqa: ANN401 - a function of this module
        relay = self._wrapper.relay
        try:
            command = _command(text)
            place = (command.agent_id, command.conversation_id)
            if isinstance(command, Abort):
                await say(type="aborted", **_named(place), aborted=relay.abort(*place))
                return
            after = (
                relay.send(*place, command.message)
                if isinstance(command, Send)
                else command.after
            )
            relay.check(*place)
        except LetsBeError as error:
            clean = showable(error, self._wrapper.pipeline)
            await say(type="refused", code=clean.code, message=clean.message)
            return
        stay = isinstance(command, Follow) and command.stay
        group.start_soon(self._tell, place, after, stay, say)

    async def _tell(
        self,
        place: tuple[str, str],
        after: str | None,
        stay: bool,
        say: Any,  # noqa: ANN401 - a function of this module
    ) -> None:
        event: Event
        async for event in self._wrapper.relay.follow(*place, after, stay=stay):
            await say(type=event.kind, **_named(place), id=event.id, **event.data)


def _command(text: str) -> Send | Follow | Abort:
    try:
        return _COMMANDS.validate_json(text)
    except ValidationError as error:
        raise invalid("the command's form is wrong", field_errors(error)) from None


def _named(place: tuple[str, str]) -> dict[str, str]:
    return {"agent_id": place[0], "conversation_id": place[1]}
