"""The chat relay: turns outlive connections, streams are resumed, aborts end turns."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncGenerator, Callable, Iterator
from typing import Any

import anyio
import httpx
import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from letsbe.errors import AgentUnavailable
from letsbe.wrapper.chat import conversations, records
from letsbe.wrapper.chat.gateway import Gateway
from letsbe.wrapper.chat.outcomes import Outcomes
from letsbe.wrapper.chat.records import Records
from letsbe.wrapper.chat.relay import Relay
from letsbe.wrapper.http.app import make_app
from letsbe.wrapper.tokens import Tokens, create_token, read_token

SOCKET = "ws://127.0.0.1:8200/api/v1/chat/socket"


class Agent:
    """A gateway whose agent says what the message asks for."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, str]] = []
        self.ended = 0

    async def reply(self, *heard: str) -> AsyncGenerator[str, None]:
        self.heard.append(heard)  # type: ignore[arg-type] # three texts
        try:
            if heard[2] == "fail":
                raise AgentUnavailable("the agent's turn failed")
            for word in heard[2].split():
                yield f"{word} "
            while heard[2].startswith("forever"):
                await anyio.sleep(0.01)
        finally:
            self.ended += 1

    async def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def agent() -> Agent:
    return Agent()


@contextlib.contextmanager
def serving(bench: Any, agent: Agent) -> Iterator[TestClient]:
    """Serve the chat, as anew: what was said before is known from the disk alone."""
    relay = Relay(agent, bench.wrapper.pipeline, Records(bench.database))  # type: ignore[arg-type]
    object.__setattr__(bench.wrapper, "relay", relay)
    outcomes = Outcomes(bench.wrapper.approvals, relay)
    object.__setattr__(bench.wrapper, "outcomes", outcomes)
    app = make_app(bench.wrapper, Tokens(bench.home))
    token = read_token(bench.home.operator_token)
    headers = {"authorization": f"Bearer {token}"}
    with TestClient(app, "http://127.0.0.1:8200", headers=headers) as served:
        yield served
    # A process that ends stores what is queued.
    bench.database.write(lambda _: None)


@pytest.fixture
def client(bench: Any, agent: Agent) -> Iterator[TestClient]:
    with serving(bench, agent) as served:
        yield served


def say(client: TestClient, message: str, **more: Any) -> Any:
    place = {"agent_id": "main", "conversation_id": "c1"}
    body = {**place, "message": message, **more}
    return client.post("/api/v1/chat", json=body)


def events(text: str) -> list[tuple[str, str, dict[str, Any]]]:
    found = []
    for block in filter(None, text.strip().split("\n\n")):
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        found.append((fields["id"], fields["event"], json.loads(fields["data"])))
    return found


class TestByHttp:
    def test_a_reply_comes_as_a_stream(self, client: TestClient, agent: Agent) -> None:
        answer = say(client, "good day")
        assert answer.headers["content-type"].startswith("text/event-stream")
        told = [(kind, data["text"]) for _, kind, data in events(answer.text)]
        assert told == [
            ("delta", "good "),
            ("delta", "day "),
            ("done", "good day "),
        ]
        assert agent.heard == [("main", "c1", "good day")]

    def test_a_reply_comes_whole_where_that_is_asked(self, client: TestClient) -> None:
        answer = say(client, "good day", stream=False).json()
        assert answer["text"] == "good day "
        assert answer["aborted"] is False

    def test_a_stream_is_resumed_by_event_id(self, client: TestClient) -> None:
        first = events(say(client, "one two three").text)
        headers = {"last-event-id": first[1][0]}
        again = client.get("/api/v1/chat/c1/events?agent_id=main", headers=headers)
        assert events(again.text) == first[2:]
        whole = client.get("/api/v1/chat/c1/events?agent_id=main")
        assert events(whole.text) == first

    def test_an_id_of_another_run_starts_over_and_says_so(
        self, client: TestClient
    ) -> None:
        first = events(say(client, "one").text)
        for lost in ("deadbeef-1", "nonsense", first[-1][0] + "9"):
            headers = {"last-event-id": lost}
            again = client.get("/api/v1/chat/c1/events?agent_id=main", headers=headers)
            assert [kind for _, kind, _ in events(again.text)] == [
                "reset",
                "delta",
                "done",
            ]

    def test_events_that_are_dropped_are_missed_aloud(
        self, client: TestClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(conversations, "MOST_EVENTS", 3)
        first = events(say(client, "a b c d e").text)
        assert [kind for _, kind, _ in first][-1] == "done"
        early = {"last-event-id": f"{first[-1][0].partition('-')[0]}-1"}
        again = client.get("/api/v1/chat/c1/events?agent_id=main", headers=early)
        assert events(again.text)[0][1] == "reset"

    def test_a_failed_turn_is_told_and_the_next_one_works(
        self, client: TestClient
    ) -> None:
        told = events(say(client, "fail").text)
        assert told[0][1] == "error"
        assert told[0][2]["code"] == "agent_unavailable"
        assert say(client, "fail", stream=False).status_code == 502
        assert say(client, "again", stream=False).json()["text"] == "again "

    def test_only_the_operator_chats(self, client: TestClient, bench: Any) -> None:
        token = read_token(bench.home.agent_tokens / "main")
        headers = {"authorization": f"Bearer {token}"}
        body = {"agent_id": "main", "conversation_id": "c1", "message": "hi"}
        assert (
            client.post("/api/v1/chat", json=body, headers=headers).status_code == 403
        )

    @pytest.mark.parametrize(
        "wrong",
        [{"conversation_id": "../x"}, {"message": ""}, {"agent_id": "a/b"}, {"x": 1}],
    )
    def test_a_wrong_message_is_refused(
        self, client: TestClient, wrong: dict[str, Any]
    ) -> None:
        assert say(client, **{"message": "hi", **wrong}).status_code == 400

    def test_a_conversation_that_is_not_kept_is_not_found(
        self, client: TestClient
    ) -> None:
        assert client.get("/api/v1/chat/nobody/events?agent_id=main").status_code == 404

    def test_a_registered_secret_is_taken_out(
        self, client: TestClient, bench: Any
    ) -> None:
        bench.provide()
        answer = say(client, f"it is {bench.canary}", stream=False)
        assert bench.canary not in answer.text
        assert "SECRET_REF(token)" in answer.text


class TestAfterARestart:
    PLACE = "/api/v1/chat/c1/events?agent_id=main"

    def _after(self, client: TestClient, event_id: str) -> list[Any]:
        answer = client.get(self.PLACE, headers={"last-event-id": event_id})
        assert answer.status_code == 200, answer.text
        return events(answer.text)

    def test_a_stream_is_resumed_and_the_conversation_goes_on(
        self, bench: Any, agent: Agent
    ) -> None:
        with serving(bench, agent) as client:
            first = events(say(client, "one two").text)
        with serving(bench, agent) as client:
            assert self._after(client, first[0][0]) == first[-1:]
            assert self._after(client, first[-1][0]) == []
            second = events(say(client, "three").text)
            assert [kind for _, kind, _ in second] == ["delta", "done"]
            assert self._after(client, first[-1][0]) == second
        with serving(bench, agent) as client:
            whole = events(client.get(self.PLACE).text)
        assert whole == [first[-1], second[-1]]

    def test_a_turn_that_was_cut_off_has_ended_and_says_so(
        self, bench: Any, agent: Agent
    ) -> None:
        with serving(bench, agent) as client:
            url = SOCKET
            place = {"agent_id": "main", "conversation_id": "c1"}
            with client.websocket_connect(url) as socket:
                socket.send_json({"type": "send", **place, "message": "forever"})
                seen = socket.receive_json()
        with serving(bench, agent) as client:
            (told,) = self._after(client, seen["id"])
            assert told[1] == "error"
            assert told[2]["code"] == "interrupted"
            assert say(client, "again", stream=False).json()["text"] == "again "

    def test_what_is_kept_is_bounded_and_missed_aloud(
        self, bench: Any, agent: Agent, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(records, "MOST_TURNS_KEPT", 2)
        monkeypatch.setattr(records, "MOST_KEPT", 1)
        with serving(bench, agent) as client:
            told = [events(say(client, word).text)[-1] for word in ["a", "b", "c", "d"]]
        with serving(bench, agent) as client:
            kinds = [kind for _, kind, _ in self._after(client, told[0][0])]
            assert kinds == ["reset", "done", "done", "done"]
            assert self._after(client, told[2][0]) == told[3:]
            say(client, "elsewhere", conversation_id="c2")
        with serving(bench, agent) as client:
            assert client.get(self.PLACE).status_code == 404


class TestBySocket:
    def test_messages_streams_and_aborts(
        self, client: TestClient, agent: Agent
    ) -> None:
        place = {"agent_id": "marketing", "conversation_id": "c2"}
        with client.websocket_connect(SOCKET) as socket:
            socket.send_json({"type": "send", **place, "message": "forever and ever"})
            said = [socket.receive_json() for _ in range(3)]
            assert "".join(event["text"] for event in said) == "forever and ever "
            socket.send_json({"type": "send", **place, "message": "too soon"})
            assert socket.receive_json()["code"] == "conflict"
            socket.send_json({"type": "abort", **place})
            last = [socket.receive_json() for _ in range(2)]
            by_type = {event["type"]: event for event in last}
            assert by_type["aborted"]["aborted"] is True
            assert by_type["done"]["aborted"] is True
            socket.send_json({"type": "follow", **place, "after": said[1]["id"]})
            assert socket.receive_json()["text"] == "ever "
        assert agent.ended == 1

    def test_a_turn_outlives_its_connection(
        self, client: TestClient, agent: Agent
    ) -> None:
        place = {"agent_id": "main", "conversation_id": "c3"}
        with client.websocket_connect(SOCKET) as socket:
            socket.send_json({"type": "send", **place, "message": "forever on"})
            first = socket.receive_json()
        with client.websocket_connect(SOCKET) as socket:
            socket.send_json({"type": "follow", **place, "after": first["id"]})
            assert socket.receive_json()["text"] == "on "
            assert agent.ended == 0
            socket.send_json({"type": "abort", **place})

    @pytest.mark.parametrize("text", ["{", "{}", '{"type": "send"}', "[1]"])
    def test_a_wrong_command_is_refused_and_nothing_more(
        self, client: TestClient, text: str
    ) -> None:
        with client.websocket_connect(SOCKET) as socket:
            socket.send_text(text)
            assert socket.receive_json()["code"] == "invalid_request"
            place = {"agent_id": "main", "conversation_id": "c"}
            socket.send_json({"type": "abort", **place})
            assert socket.receive_json()["aborted"] is False

    @pytest.mark.parametrize(
        "headers",
        [
            {"authorization": "Bearer " + "x" * 43},
            {"origin": "https://evil.example"},
            {"host": "evil.example"},
        ],
    )
    def test_strangers_are_not_let_in(
        self, client: TestClient, headers: dict[str, str]
    ) -> None:
        with (
            pytest.raises(WebSocketDisconnect) as closed,
            client.websocket_connect(SOCKET, headers=headers),
        ):
            pass
        assert closed.value.code == 1008


@pytest.mark.anyio
class TestTheGateway:
    """What comes of a gateway's answers, good and bad."""

    @staticmethod
    async def _said(
        home: Any, answer: Callable[[httpx.Request], httpx.Response]
    ) -> list[str]:
        with contextlib.suppress(FileExistsError):
            create_token(home.gateway_token)
        gateway = Gateway(home)
        gateway._client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
        try:
            return [piece async for piece in gateway.reply("main", "c1", "hi")]
        finally:
            await gateway.close()

    async def test_a_message_is_one_of_a_stable_session(self, home: Any) -> None:
        seen: list[Any] = []

        def answer(request: httpx.Request) -> httpx.Response:
            seen.append((request.headers["authorization"], json.loads(request.content)))
            lines = [
                ': comment\ndata: {"choices": [{"delta": {"role": "assistant"}}]}\n',
                'data: {"choices": [{"delta": {"content": "a"}}]}\n',
                'data: {"choices": [], "usage": {}}\n\ndata: [DONE]\n\n',
            ]
            return httpx.Response(200, text="\n".join(lines))

        assert await self._said(home, answer) == ["a"]
        bearer, body = seen[0]
        assert bearer == f"Bearer {read_token(home.gateway_token)}"
        assert body["model"] == "openclaw/main"
        assert body["user"] == "c1"

    @pytest.mark.parametrize(
        ("status", "text"),
        [
            (401, ""),
            (500, "canary"),
            (200, 'data: {"error": {"message": "canary"}}\n\n'),
            (200, "data: not json, canary\n\n"),
            (200, 'data: {"choices": [1]}\n\n'),
        ],
    )
    async def test_what_went_wrong_there_is_told_without_its_text(
        self, home: Any, status: int, text: str
    ) -> None:
        with pytest.raises(AgentUnavailable) as failed:
            await self._said(home, lambda _: httpx.Response(status, text=text))
        assert "canary" not in failed.value.message

    async def test_a_gateway_that_is_not_there_is_told(self, home: Any) -> None:
        def answer(_: httpx.Request) -> httpx.Response:
            raise httpx.ConnectError("canary")

        with pytest.raises(AgentUnavailable, match="cannot be reached") as failed:
            await self._said(home, answer)
        assert "canary" not in failed.value.message
