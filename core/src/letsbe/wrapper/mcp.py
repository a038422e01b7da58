"""The route by MCP: the same calls, for runtimes that speak streamable HTTP.

Each request stands for itself (no session to steal), answered with plain JSON. The
bearer token says which agent calls. A denial or a pending approval is a tool's result,
which the model reads, and not a protocol error, which the runtime would hide.

A client is given a session id all the same, and nothing is kept by it: its requests are
numbered anew in each of its sessions, and a cancellation has to name the right one.
"""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import AsyncIterator
from typing import Any

import mcp.types as types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from pydantic import ValidationError
from starlette.types import Message, Receive, Scope, Send

import letsbe
from letsbe.errors import Forbidden, LetsBeError
from letsbe.wrapper.agent_tools import AgentTool
from letsbe.wrapper.answers import Answer, Status, failed, showable
from letsbe.wrapper.cancelling import Place, placed
from letsbe.wrapper.http.failures import failure
from letsbe.wrapper.opening import Wrapper
from letsbe.wrapper.requests import ToolRequest, field_errors, invalid
from letsbe.wrapper.tokens import Caller, Role, Tokens

INSTRUCTIONS = (
    "Tools of this server run behind the Safety Wrapper. Write SECRET_REF(name) where a"
    " secret is due. A result with status pending_approval waits for a person; one with"
    " status denied says why and what to do instead."
)

_CALLER = "letsbe.caller"
_MIRROR = "x-mcp-header"
_SESSION = b"mcp-session-id"
_CANCELLED = "notifications/cancelled"
_LONGEST_NOTE = 16_384
"""The most bytes of a notification that is looked at."""
_NO_MESSAGE = "the body is not one JSON-RPC message: send one request a time"


class McpEndpoint:
    """An ASGI endpoint that speaks MCP.

    Args:
        wrapper: What answers the calls.
        tokens: Who may call; only tokens that belong to one agent may.
        body_limit: The most bytes of a body.
    """

    def __init__(self, wrapper: Wrapper, tokens: Tokens, body_limit: int) -> None:
        self._wrapper = wrapper
        self._tokens = tokens
        self._tools = types.ListToolsResult(
            tools=[tool_of(tool) for tool in wrapper.tools.listed]
        )
        server: Server[Any] = Server(
            "letsbe",
            version=letsbe.__version__,
            instructions=INSTRUCTIONS,
            get_tool_input_schema=_mirrored(self._tools.tools).get,
            on_list_tools=self._list,
            on_call_tool=self._call,
        )
        # Its spans go nowhere here, and would hold what was sent.
        server.middleware.clear()
        self._sessions = StreamableHTTPSessionManager(
            server,
            json_response=True,
            stateless=True,
            max_request_body_size=body_limit,
        )

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve while the block runs."""
        async with self._sessions.run():
            yield

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        try:
            scope[_CALLER] = self._admit(scope)
        except LetsBeError as error:
            await failure(error)(scope, receive, send)
            return
        await self._sessions.handle_request(
            scope, self._cancelling(scope, receive), self._guarded(send)
        )

    def _admit(self, scope: Scope) -> Caller:
        header = dict(scope["headers"]).get(b"authorization", b"")
        caller = self._tokens.caller(header.decode("latin-1"))
        if caller.role is not Role.AGENT:
            message = "MCP needs the token of one agent, from tokens/agents in the home"
            raise Forbidden(message)
        return caller

    async def _list(
        self, _: ServerRequestContext[Any], __: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        return self._tools

    async def _call(
        self, context: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        assert context.request is not None
        agent_id = context.request.scope[_CALLER].agent_id
        try:
            request = _request(params, f"mcp:{agent_id}")
            with placed(_place(context.request.scope, context.request_id)):
                answer = await self._wrapper.tools.call(request, agent_id)
        except LetsBeError as error:
            answer = failed(showable(error, self._wrapper.pipeline))
        return result_of(answer)

    def _cancelling(self, scope: Scope, receive: Receive) -> Receive:
        """Look at what comes in, and end the call that a notification cancels.

        The SDK would look for it among the requests of this one alone.
        """
        pieces: list[bytes] = []

        async def looked_at() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                pieces.append(message.get("body", b""))
                if not message.get("more_body", False):
                    self._cancel(scope, b"".join(pieces[:4]))
            return message

        return looked_at

    def _cancel(self, scope: Scope, body: bytes) -> None:
        if len(body) > _LONGEST_NOTE or _CANCELLED.encode() not in body:
            return
        try:
            message = json.loads(body)
            named = message["params"]["requestId"]
            meant = message["method"] == _CANCELLED
        except (ValueError, KeyError, TypeError):
            return  # the SDK says what is wrong with it
        place = _place(scope, named)
        if meant and place is not None:
            self._wrapper.cancellations.cancel(place)

    def _guarded(self, send: Send) -> Send:
        """Let no error pass in which the SDK quotes what was sent."""
        held: list[Message] = []

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                held.append(message)
                return
            if held:
                start, body = held.pop(), message.get("body", b"")
                clean = self._clean_error(body)
                if clean is not body:
                    length = (b"content-length", str(len(clean)).encode())
                    others = [h for h in start["headers"] if h[0] != length[0]]
                    start = {**start, "headers": [*others, length]}
                    message = {**message, "body": clean}
                if b'"serverInfo"' in body and b'"protocolVersion"' in body:
                    session = (_SESSION, secrets.token_hex(16).encode())
                    start = {**start, "headers": [*start["headers"], session]}
                await send(start)
            await send(message)

        return guarded

    def _clean_error(self, body: bytes) -> bytes:
        if b'"error"' not in body:
            return body
        answer = json.loads(body)
        error = answer.get("error")
        if error is None:
            return body
        text = str(error["message"])
        quoted = text.startswith("Validation error")
        shown = _NO_MESSAGE if quoted else self._wrapper.pipeline.redact_text(text)
        answer["error"] = {"code": error["code"], "message": shown}
        return json.dumps(answer).encode()


def _place(scope: Scope, request_id: object) -> Place | None:
    """What a call can be cancelled by: its agent, its session, its number there."""
    session = dict(scope["headers"]).get(_SESSION)
    if session is None or not isinstance(request_id, int | str):
        return None
    return (scope[_CALLER].agent_id, f"mcp/{session!r}", json.dumps(request_id))


def _request(params: types.CallToolRequestParams, session_id: str) -> ToolRequest:
    try:
        return ToolRequest(
            session_id=session_id,
            tool_name=params.name,
            tool_args=params.arguments or {},
        )
    except ValidationError as error:
        raise invalid("the call's form is wrong", field_errors(error)) from None


def _mirrored(tools: list[types.Tool]) -> dict[str, dict[str, Any]]:
    """Return the schemas that mirror an argument in a header, by tool.

    Without this the SDK lists all tools before each call, to look for one.
    """
    found = {tool.name: tool.input_schema for tool in tools}
    return {n: schema for n, schema in found.items() if _MIRROR in json.dumps(schema)}


def tool_of(tool: AgentTool) -> types.Tool:
    """Describe a tool to an MCP client."""
    return types.Tool(
        name=tool.name,
        description=tool.description,
        input_schema=tool.parameters,
        annotations=types.ToolAnnotations(
            read_only_hint=None,
            destructive_hint=tool.destructive,
            idempotent_hint=tool.idempotent,
            open_world_hint=tool.external,
        ),
    )


def result_of(answer: Answer) -> types.CallToolResult:
    """Turn an answer into a tool's result, its JSON as the text."""
    text = answer.model_dump_json(exclude_none=True, exclude_defaults=True)
    return types.CallToolResult(
        content=[types.TextContent(type="text", text=text)],
        is_error=answer.status in {Status.DENIED, Status.ERROR},
    )
