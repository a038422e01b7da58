"""OpenClaw's gateway as the relay uses it: one message in, pieces of the reply out."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from typing import Any

import httpx

from letsbe.errors import AgentUnavailable, LetsBeError
from letsbe.home import Home
from letsbe.openclaw.document import TenantDocument
from letsbe.wrapper.tokens import read_token

CONNECT_SECONDS, SILENT_SECONDS = 5.0, 900.0
"""How long a connection may take, and how long an agent may be at work unheard."""


class Gateway:
    """Sends messages to agents. Its token, a full operator's, stays in here.

    Args:
        home: Where the token and the gateway's port are kept.
    """

    def __init__(self, home: Home) -> None:
        self._home = home
        self._client: httpx.AsyncClient | None = None

    async def close(self) -> None:
        """Close its connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _connected(self) -> httpx.AsyncClient:
        if self._client is None:
            timeout = httpx.Timeout(SILENT_SECONDS, connect=CONNECT_SECONDS)
            self._client = httpx.AsyncClient(timeout=timeout, trust_env=False)
        return self._client

    async def reply(
        self, agent_id: str, conversation_id: str, message: str
    ) -> AsyncGenerator[str, None]:
        """Send a message and yield the reply as it comes.

        Leaving the loop, or cancelling it, ends the agent's turn.

        Args:
            agent_id: Who is spoken to.
            conversation_id: The same for all messages of a conversation, so that they
                are one session of the agent.
            message: What the person says.

        Raises:
            AgentUnavailable: The gateway cannot be reached, or the turn failed there.
            ConfigurationError: Its token is missing or unsafe.
        """
        port = TenantDocument(self._home.tenant).runtime().gateway_port
        token = read_token(self._home.gateway_token)
        body = {
            "model": f"openclaw/{agent_id}",
            "user": conversation_id,
            "stream": True,
            "messages": [{"role": "user", "content": message}],
        }
        try:
            async with self._connected().stream(
                "POST",
                f"http://127.0.0.1:{port}/v1/chat/completions",
                json=body,
                headers={"authorization": f"Bearer {token}"},
            ) as answer:
                if answer.status_code != httpx.codes.OK:
                    raise _refused(answer.status_code)
                async for line in answer.aiter_lines():
                    for piece in _pieces(line):
                        yield piece
        except httpx.HTTPError:
            message = "OpenClaw's gateway cannot be reached, or broke off its answer"
            instead = "see that it runs, then send the message again"
            raise AgentUnavailable(message, alternative=instead) from None


def _refused(status: int) -> LetsBeError:
    if status in {401, 403}:
        message = "OpenClaw's gateway does not take the relay's token"
        instead = "run `letsbe openclaw configure` and restart the gateway"
        return AgentUnavailable(message, alternative=instead)
    message = f"OpenClaw's gateway answered with status {status}"
    return AgentUnavailable(message, alternative="see the gateway's log")


def _pieces(line: str) -> list[str]:
    """What a line of the stream adds to the reply."""
    if not line.startswith("data:"):
        return []
    text = line.removeprefix("data:").strip()
    if text in {"", "[DONE]"}:
        return []
    try:
        event: dict[str, Any] = json.loads(text)
        failed = "error" in event
        deltas = [choice["delta"] for choice in event.get("choices", [])]
        pieces = [str(delta["content"]) for delta in deltas if delta.get("content")]
    except (ValueError, TypeError, KeyError, AttributeError):
        raise AgentUnavailable("the gateway's stream is not as expected") from None
    if failed:
        message = "the agent's turn failed"
        raise AgentUnavailable(message, alternative="see the gateway's log")
    return pieces
