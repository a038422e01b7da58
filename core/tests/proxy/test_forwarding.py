"""What a request and its answer become on their way."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest

from letsbe.redaction.finding import Finding

KEY = "provider-key-9QmX4vTz"
CANARY = "canary-Zk3v9QpL7wXr2TbN"
CHAT = "/up/v1/chat/completions"


def said(text: str) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": text}]}


class Broken:
    name = "broken"
    order = 20

    def find(self, text: bytes) -> list[Finding]:
        message = f"broken by {text!r}"
        raise ValueError(message)


def test_a_registered_secret_becomes_its_reference(proxy: Any, provider: Any) -> None:
    answer = proxy.post(CHAT, json=said(f"it is {CANARY}"))
    assert answer.json() == {"ok": True}
    text = json.loads(provider.last.body)["messages"][0]["content"]
    assert text == "it is SECRET_REF(canary)"
    assert provider.last.target == "/v1/chat/completions"


def test_a_clean_body_arrives_byte_for_byte(proxy: Any, provider: Any) -> None:
    body = '{ "model":"m",\n "a": 1, "a": 2, "t": "\\ud800 \\u00e9 \u2713" }'.encode()
    proxy.post(CHAT, content=body, headers={"content-type": "application/json"})
    assert provider.last.body == body


def test_the_real_key_takes_the_place_of_all_credentials(
    proxy: Any, provider: Any
) -> None:
    sent = {
        "authorization": "Bearer dummy",
        "x-api-key": "dummy",
        "cookie": "session=dummy",
        "proxy-authorization": "Basic dummy",
    }
    proxy.post(CHAT, json=said("x"), headers=sent)
    assert provider.last.header("authorization") == f"Bearer {KEY}"
    assert b"dummy" not in provider.last.everything


def test_anthropics_key_goes_into_its_own_header(start: Any, provider: Any) -> None:
    proxy = start(upstream={"api": "anthropic-messages"})
    proxy.post("/up/v1/messages", json=said("x"), headers={"x-api-key": "dummy"})
    assert provider.last.header("x-api-key") == KEY
    assert provider.last.header("authorization") is None


def test_a_key_may_go_into_any_header(start: Any, provider: Any) -> None:
    proxy = start(upstream={"send_key_as": "X-Goog-Api-Key"})
    proxy.post(CHAT, json=said("x"))
    assert provider.last.header("x-goog-api-key") == KEY


def test_headers_of_one_connection_stay_there(proxy: Any, provider: Any) -> None:
    proxy.post(
        CHAT,
        json=said("x"),
        headers={
            "connection": "keep-alive, X-Private",
            "x-private": "1",
            "te": "trailers",
            "keep-alive": "timeout=5",
            "x-forwarded-for": "10.0.0.7",
            "x-letsbe-agent": "main",
            "anthropic-beta": "yes",
        },
    )
    names = {name for name, _ in provider.last.headers}
    assert "anthropic-beta" in names
    gone = {"x-private", "te", "keep-alive", "x-forwarded-for", "x-letsbe-agent"}
    assert not names & gone
    assert provider.last.header("accept-encoding") == "identity"
    assert provider.last.header("host") == provider.address.removeprefix("http://")


def test_answers_lose_what_leads_around_the_proxy(proxy: Any, provider: Any) -> None:
    async def script(reply: Any) -> None:
        headers = [
            (b"Alt-Svc", b'h3=":443"'),
            (b"Set-Cookie", b"a=b"),
            (b"Connection", b"X-Odd"),
            (b"X-Odd", b"1"),
            (b"X-Request-Id", b"r1"),
            (b"X-Twice", b"1"),
            (b"X-Twice", b"2"),
        ]
        await reply.whole(b"{}", headers=headers)

    provider.script = script
    headers = proxy.post(CHAT, json=said("x")).headers
    assert not {"alt-svc", "set-cookie", "x-odd"} & set(headers)
    assert headers["x-request-id"] == "r1"
    assert headers.get_list("x-twice") == ["1", "2"]


def test_secrets_in_headers_are_taken_out_too(proxy: Any, provider: Any) -> None:
    proxy.post(CHAT, json=said("x"), headers={"x-title": f"my {CANARY}"})
    assert provider.last.header("x-title") == "my SECRET_REF(canary)"


@pytest.mark.parametrize("spelling", [CANARY, CANARY.replace("-", "%2D")])
def test_a_secret_in_the_url_stops_the_request(
    proxy: Any, provider: Any, spelling: str
) -> None:
    answer = proxy.post(f"/up/v1/files?name={spelling}")
    assert answer.status_code == 422
    assert not provider.received
    assert CANARY not in answer.text


def test_a_secret_spelled_in_escapes_is_taken_out(proxy: Any, provider: Any) -> None:
    spelled = "".join(f"\\u{ord(c):04x}" for c in CANARY)
    proxy.post(CHAT, content=f'{{"model": "m", "t": "{spelled}"}}'.encode())
    assert json.loads(provider.last.body)["t"] == "SECRET_REF(canary)"


def test_streams_come_piece_by_piece_and_unchanged(proxy: Any, provider: Any) -> None:
    seen = threading.Event()
    pieces = [f'data: {{"n": {n}, "text": "{CANARY}"}}\n\n'.encode() for n in range(3)]

    async def script(reply: Any) -> None:
        await reply.start(headers=[(b"content-type", b"text/event-stream")])
        await reply.body(pieces[0], more=True)
        # Only a client that has the first piece lets the others come.
        while not seen.is_set():
            await anyio.sleep(0.01)
        await reply.body(pieces[1], more=True)
        await reply.body(pieces[2])

    provider.script = script
    with proxy.client() as client, client.stream("POST", CHAT, json=said("x")) as came:
        chunks = came.iter_raw()
        first = next(chunks)
        seen.set()
        assert first + b"".join(chunks) == b"".join(pieces)


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503, 529])
def test_an_upstreams_errors_are_passed_on(
    proxy: Any, provider: Any, status: int
) -> None:
    body = b'{"error": {"message": "no", "type": "rate_limit"}}'

    async def script(reply: Any) -> None:
        await reply.whole(body, status, [(b"retry-after", b"7")])

    provider.script = script
    answer = proxy.post(CHAT, json=said("x"))
    assert (answer.status_code, answer.content) == (status, body)
    assert answer.headers["retry-after"] == "7"


def test_an_error_that_repeats_the_key_does_not_tell_it(
    proxy: Any, provider: Any
) -> None:
    async def script(reply: Any) -> None:
        await reply.whole(f'{{"error": "bad key {KEY}"}}'.encode(), 401)

    provider.script = script
    answer = proxy.post(CHAT, json=said("x"))
    assert answer.json() == {"error": "bad key SECRET_REF(up_key)"}
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_redirects_are_not_for_the_client_to_follow(proxy: Any, provider: Any) -> None:
    async def script(reply: Any) -> None:
        await reply.whole(b"", 307, [(b"location", b"http://127.0.0.1:1/")])

    provider.script = script
    answer = proxy.post(CHAT, json=said(CANARY))
    assert answer.status_code == 502
    assert "location" not in answer.headers


def test_other_methods_and_paths_pass_too(proxy: Any, provider: Any) -> None:
    with proxy.client() as client:
        assert client.get("/up/v1/models?limit=2").json() == {"ok": True}
        assert provider.last.target == "/v1/models?limit=2"
        assert client.head("/up/v1/models").content == b""
        assert client.delete("/up/v1/files/f1").status_code == 200
    assert [r.method for r in provider.received] == ["GET", "HEAD", "DELETE"]
    assert provider.last.body == b""


def test_chunked_requests_are_sent_whole(proxy: Any, provider: Any) -> None:
    parts = [b'{"model": "m", "t": "canary-Zk3', b'v9QpL7wXr2TbN"}']
    with proxy.client() as client:
        client.post(CHAT, content=iter(parts))
    assert json.loads(provider.last.body)["t"] == "SECRET_REF(canary)"
    assert provider.last.header("content-length") == str(len(provider.last.body))


def test_a_large_body_is_redacted_at_its_end(proxy: Any, provider: Any) -> None:
    answer = proxy.post(CHAT, json=said("x" * 20_000_000 + CANARY))
    assert answer.status_code == 200
    assert provider.last.body.endswith(b'xSECRET_REF(canary)"}]}')


def test_a_client_that_reads_slowly_slows_the_upstream(
    proxy: Any, provider: Any
) -> None:
    sent = 0

    async def script(reply: Any) -> None:
        nonlocal sent
        await reply.start()
        for _ in range(100):
            await reply.body(b"x" * 1_000_000, more=True)
            sent += 1
        await reply.body(b"")

    provider.script = script
    with proxy.client() as client, client.stream("POST", CHAT, json=said("x")) as came:
        time.sleep(0.5)
        # The rest waits with the upstream, not in the proxy's memory.
        assert sent < 50
        assert sum(len(chunk) for chunk in came.iter_raw()) == 100_000_000
    assert sent == 100


def test_unreachable_upstreams_are_a_gateways_error(start: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    proxy = start(upstream={"base_url": f"http://127.0.0.1:{port}"})
    answer = proxy.post(CHAT, json=said("x"))
    assert answer.status_code == 502
    assert answer.json()["error"]["code"] == "upstream_failed"


def test_a_silent_upstream_times_out(start: Any, raw: Callable[..., str]) -> None:
    proxy = start(upstream={"base_url": raw(b"", silent=3)}, read_timeout=0.2)
    answer = proxy.post(CHAT, json=said("x"))
    assert answer.status_code == 504


@pytest.mark.parametrize(
    "sent",
    [
        b"not http at all\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 5, 6\r\n\r\nhello",
        b"",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 300_000 + b"\r\n\r\n",
    ],
)
def test_what_is_no_http_is_a_gateways_error(
    start: Any, raw: Callable[..., str], sent: bytes
) -> None:
    proxy = start(upstream={"base_url": raw(sent)})
    assert proxy.post(CHAT, json=said("x")).status_code == 502


@pytest.mark.parametrize("reset", [True, False])
def test_a_stream_that_breaks_off_is_seen_to(
    start: Any, raw: Callable[..., str], reset: bool
) -> None:
    head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    address = raw(head + b"6\r\ndata: \r\n", reset=reset, silent=0.1)
    proxy = start(upstream={"base_url": address})
    with proxy.client() as client, client.stream("POST", CHAT, json=said("x")) as came:
        assert came.status_code == 200
        with pytest.raises(httpx.RemoteProtocolError):
            came.read()


def test_a_client_that_goes_away_ends_the_upstream_call(
    proxy: Any, provider: Any
) -> None:
    ended = threading.Event()

    async def script(reply: Any) -> None:
        await reply.start(headers=[(b"content-type", b"text/event-stream")])
        await reply.body(b"data: 1\n\n", more=True)
        await reply.gone()
        ended.set()

    provider.script = script
    with proxy.client() as client, client.stream("POST", CHAT, json=said("x")) as came:
        # Kept until then: a dropped iterator closes its connection.
        chunks = came.iter_raw()
        assert next(chunks) == b"data: 1\n\n"
        assert not ended.is_set()
    assert ended.wait(5)
    (bucket,) = proxy.buckets()
    assert bucket.usage.estimated_requests == 1


def test_a_client_that_leaves_before_the_answer_ends_it_too(
    proxy: Any, provider: Any
) -> None:
    ended = threading.Event()

    async def script(reply: Any) -> None:
        await reply.gone()
        ended.set()

    provider.script = script
    with proxy.client() as client, pytest.raises(httpx.ReadTimeout):
        client.post(CHAT, json=said("x"), timeout=0.3)
    assert ended.wait(5)


def test_connections_to_the_upstream_are_kept(proxy: Any, provider: Any) -> None:
    with proxy.client() as client:
        for _ in range(5):
            client.post(CHAT, json=said("x"))
    assert len({request.client for request in provider.received}) == 1


def test_an_upstream_that_closed_an_idle_connection_is_called_anew(
    start: Any, raw: Callable[..., str]
) -> None:
    answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
    proxy = start(upstream={"base_url": raw(answer)})
    for _ in range(3):
        assert proxy.post(CHAT, json=said("x")).json() == {}
        time.sleep(0.05)


def test_what_cannot_be_redacted_is_not_forwarded(start: Any, provider: Any) -> None:
    proxy = start(layers=[Broken()])
    answer = proxy.post(CHAT, json=said(CANARY))
    assert answer.status_code == 422
    error = answer.json()["error"]
    assert error["code"] == "output_withheld"
    assert "broken" in error["message"]
    assert CANARY not in answer.text
    assert not provider.received


def test_a_key_that_is_missing_or_not_for_this_is_said_so(
    start: Any, provider: Any
) -> None:
    base = {"base_url": provider.address}
    proxy = start(
        upstreams={
            "a": {**base, "secret": "nowhere"},
            "b": {**base, "secret": "elsewhere"},
            "c": {**base, "secret": "tools_only"},
        }
    )
    proxy.vault.provide("elsewhere", KEY + "2", hosts=("api.example.com",))
    proxy.vault.provide("tools_only", KEY + "3", tools=("shell",))
    time.sleep(0.2)
    for path, name in (("a", "nowhere"), ("b", "elsewhere"), ("c", "tools_only")):
        answer = proxy.post(f"/{path}/v1/chat/completions", json=said("x"))
        assert answer.status_code == 422
        assert name in answer.json()["error"]["message"]
    assert not provider.received


def test_a_new_secret_counts_within_a_tenth_of_a_second(
    proxy: Any, provider: Any
) -> None:
    proxy.vault.provide("fresh", "fresh-Uw5nR8sKqP1c")
    time.sleep(0.1)
    proxy.post(CHAT, json=said("fresh-Uw5nR8sKqP1c"))
    text = json.loads(provider.last.body)["messages"][0]["content"]
    assert text == "SECRET_REF(fresh)"


def test_the_longest_prefix_is_the_upstream(start: Any, provider: Any) -> None:
    base = {"base_url": provider.address + "/base/"}
    proxy = start(
        upstreams={
            "short": {**base, "prefix": "/v1"},
            "long": {"base_url": provider.address, "prefix": "/v1/eu"},
        }
    )
    proxy.post("/v1/chat", json={})
    assert provider.last.target == "/base/chat"
    assert provider.last.header("authorization") is None
    proxy.post("/v1/eu/chat", json={})
    assert provider.last.target == "/chat"
    assert proxy.post("/v1eu/chat", json={}).status_code == 404


def test_it_says_that_it_lives(proxy: Any) -> None:
    with proxy.client() as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        assert client.get("/readyz").json()["checks"] == {"vault": "ok"}
