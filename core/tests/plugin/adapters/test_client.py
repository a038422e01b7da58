"""The client of an adapter, against a server that says what a test wants."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from letsbe.errors import (
    InvalidRequest,
    ToolConflict,
    ToolFailed,
    ToolForbidden,
    ToolInvalid,
    ToolNotFound,
    ToolRateLimited,
    ToolUnauthenticated,
    ToolUnavailable,
    ToolUnexpected,
)
from letsbe.testing import ToolCaller
from letsbe.testing._wire import Received, Reply, WireServer

pytestmark = pytest.mark.anyio

TOKEN = "canary-7Qx2Lm9Zr4Tk8Wv1"
SENT = TOKEN[::-1]
Serve = Callable[..., tuple[WireServer, ToolCaller]]
OK = Reply(200, {"id": 7})


async def test_arguments_go_where_the_route_says(serve: Serve) -> None:
    server, call = serve(OK)
    assert await call("create", text="SECRET_REF(other)") == {"id": 7}
    assert await call("read", id="a b", text="SECRET_REF(other)") == {"id": 7}
    await call("drop", id="9", text="x")
    made, read, dropped = server.received
    assert made.json() == {"id": "1", "text": "value-of-other"}
    assert (read.path, read.query) == ("/things/a%20b", {"text": ["value-of-other"]})
    assert (dropped.method, dropped.query) == ("DELETE", {"text": ["x"]})
    assert made.headers["authorization"] == f"Signed {SENT}"


async def test_a_path_may_hold_a_setting_and_a_query_stand_beside_a_body(
    serve: Serve,
) -> None:
    server, call = serve(OK, settings={"account_id": "3/4 x"})
    with pytest.raises(InvalidRequest, match=r"\$account_id cannot stand in a path"):
        await call("search", text="t")
    server, call = serve(OK, settings={"account_id": "3"})
    await call("search", id="9", text="t")
    await call("wipe")
    searched, wiped = server.received
    assert (searched.path, searched.query) == ("/accounts/3/search", {"id": ["9"]})
    assert searched.json() == {"text": "t"}
    assert (wiped.path, wiped.content) == ("/wipe/big", b"")


async def test_a_header_may_name_another_place_of_the_tool(serve: Serve) -> None:
    server, call = serve(OK, settings={"kind": "old"})
    there = await call("carry", id="a b", text="SECRET_REF(other)")
    assert there == f"{server.url}/of/old/a%20b"
    (carried,) = server.received
    assert (carried.method, carried.headers["destination"]) == ("MOVE", there)
    assert carried.content == b"value-of-other"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ToolInvalid),
        (401, ToolUnauthenticated),
        (403, ToolForbidden),
        (404, ToolNotFound),
        (409, ToolConflict),
        (412, ToolConflict),
        (422, ToolInvalid),
        (429, ToolRateLimited),
        (418, ToolUnexpected),
        (500, ToolUnexpected),
        (503, ToolUnavailable),
    ],
)
async def test_a_status_is_a_named_error_in_the_tools_words(
    serve: Serve, status: int, kind: type[ToolFailed]
) -> None:
    _, call = serve(
        Reply(status, {"error": f"no {SENT} {TOKEN}\n\x1b[31m" + "x" * 999})
    )
    with pytest.raises(kind) as caught:
        await call("create")
    assert type(caught.value) is kind
    assert f"HTTP {status}" in caught.value.message
    assert "[REDACTED:credential] SECRET_REF(tool_token)" in caught.value.message
    assert TOKEN not in caught.value.message
    assert SENT not in caught.value.message
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 600
    assert caught.value.alternative


async def test_an_error_that_answers_200_is_one(serve: Serve) -> None:
    _, call = serve(Reply(200, {"ok": False, "why": "it is there"}))
    with pytest.raises(ToolConflict, match="it is there"):
        await call("create")


async def test_an_error_of_another_shape_is_told_by_its_status(serve: Serve) -> None:
    _, call = serve(Reply(404, b"<html>no</html>", {"content-type": "text/html"}))
    with pytest.raises(ToolNotFound):
        await call("read")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"<!DOCTYPE html><title>Sign in</title>", "a web page"),
        (b'{"id": 7', "JSON that is broken"),
        (b"[" * 100_000, "JSON that is broken"),
        (b'{"id": NaN}', "JSON that is broken"),
    ],
)
async def test_what_is_not_json_is_said_to_be(
    serve: Serve, body: bytes, told: str
) -> None:
    _, call = serve(Reply(200, body))
    with pytest.raises(ToolUnexpected, match=told):
        await call("read")


async def test_an_answer_that_breaks_off_is_unavailable(serve: Serve) -> None:
    _, call = serve(Reply(200, b'{"id":', cut=100))
    with pytest.raises(ToolUnavailable, match="may have been made all the same"):
        await call("create")
    with pytest.raises(ToolUnavailable) as caught:
        await call("read")
    assert "all the same" not in caught.value.message


async def test_a_huge_answer_is_not_read(serve: Serve) -> None:
    _, call = serve(Reply(200, b" " * (9 * 1024 * 1024)))
    with pytest.raises(ToolUnexpected, match="larger than 8 MiB") as caught:
        await call("read")
    assert "limit" in str(caught.value.alternative)


async def test_a_packed_answer_is_not_unpacked(serve: Serve) -> None:
    _, call = serve(Reply(200, b"\x1f\x8b", {"content-encoding": "gzip"}))
    with pytest.raises(ToolUnexpected, match="packed"):
        await call("read")


async def test_more_than_may_be_returned_is_an_error(serve: Serve) -> None:
    _, call = serve(Reply(200, {"x": "y" * 2000}), output_limit=1000)
    with pytest.raises(ToolUnexpected, match="at most 1000"):
        await call("read")


async def test_what_took_effect_before_an_error_is_said(serve: Serve) -> None:
    _, call = serve(OK, Reply(422, {"error": "no"}))
    with pytest.raises(ToolInvalid, match="before that, this took effect: PUT /first"):
        await call("change_both")
    _, call = serve(OK, Reply(500, {"error": "no"}))
    with pytest.raises(ToolUnexpected, match=r"PUT /first; the change may have been"):
        await call("change_both")
    _, call = serve(OK, Reply(200, {}))
    with pytest.raises(ToolUnexpected, match=r"KeyError.*PUT /first, PUT /second"):
        await call("change_both")


async def test_only_what_is_idempotent_is_sent_again(serve: Serve) -> None:
    busy = Reply(503, {"error": "busy"})
    server, call = serve(busy, busy, OK)
    assert await call("read") == {"id": 7}
    assert len(server.received) == 3
    server, call = serve(busy, OK)
    with pytest.raises(ToolUnavailable):
        await call("create")
    assert len(server.received) == 1


async def test_retry_after_is_kept_if_it_is_short(serve: Serve) -> None:
    server, call = serve(Reply(429, {}, {"retry-after": "1"}), OK)
    began = time.monotonic()
    assert await call("read") == {"id": 7}
    assert time.monotonic() - began >= 1
    server, call = serve(Reply(429, {}, {"retry-after": "3600"}), OK)
    with pytest.raises(ToolRateLimited, match="again in 3600 seconds"):
        await call("read")
    assert len(server.received) == 1


def slow(_: Received) -> Reply:
    time.sleep(1.5)
    return OK


async def test_a_slow_answer_is_given_up_before_the_call_ends(
    call_at: Callable[..., ToolCaller],
) -> None:
    with WireServer(slow).running() as server:
        call = call_at(server.url, deadline=1.0)
        with pytest.raises(ToolUnavailable, match=r"no answer within.*all the same"):
            await call("create")


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example/things/1",
        "//evil.example/",
        "http://127.0.0.1:1/",
        "/other",
        "/base/../other",
        "/base/%2e%2e/other",
    ],
)
async def test_a_redirect_elsewhere_is_not_followed(
    serve: Serve, call_at: Callable[..., ToolCaller], location: str
) -> None:
    server, _ = serve(Reply(302, None, {"location": location}), OK)
    call = call_at(f"{server.url}/base")
    with pytest.raises(ToolUnexpected, match="redirects elsewhere"):
        await call("read")
    assert len(server.received) == 1


async def test_a_redirect_within_the_tool_is_followed_for_reads(serve: Serve) -> None:
    moved = Reply(301, None, {"location": "/things/1/"})
    server, call = serve(moved, OK)
    assert await call("read") == {"id": 7}
    assert server.received[1].path == "/things/1/"
    server, call = serve(moved, OK)
    with pytest.raises(ToolUnexpected):
        await call("create")
    assert len(server.received) == 1


async def test_a_base_path_is_kept(
    serve: Serve, call_at: Callable[..., ToolCaller]
) -> None:
    server, _ = serve(OK)
    call = call_at(f"{server.url}/base")
    await call("read")
    await call("request", method="GET", path="/x")
    assert [r.path for r in server.received] == ["/base/things/1", "/base/x"]


@pytest.mark.parametrize("value", ["..", "a/b", "%2e%2e", "a%2fb", "x\\y"])
async def test_no_argument_leaves_its_place(serve: Serve, value: str) -> None:
    server, call = serve(OK)
    with pytest.raises(InvalidRequest):
        await call("read", id=value)
    with pytest.raises(InvalidRequest):
        await call("request", method="GET", path=f"/{value}/../x")
    assert server.received == []


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://127.0.0.1:1", "nothing answers"),
        ("http://127.0.0.1:8200", "always closed"),
        ("http://169.254.169.254", "link-local"),
        ("http://no-such-host.invalid", "looked up"),
    ],
)
async def test_an_address_that_cannot_be_reached_is_named_so(
    call_at: Callable[..., ToolCaller], url: str, told: str
) -> None:
    with pytest.raises(ToolUnavailable, match=told) as caught:
        await call_at(url)("create")
    assert "all the same" not in caught.value.message


async def test_a_port_without_tls_is_told(serve: Serve, call_at: Any) -> None:
    server, _ = serve(OK)
    call = call_at(server.url.replace("http:", "https:"))
    with pytest.raises(ToolUnavailable, match="TLS"):
        await call("read")


async def test_a_tool_without_an_address_says_what_to_do(call_at: Any) -> None:
    call = call_at(None)
    with pytest.raises(ToolUnavailable, match="no address for tool") as caught:
        await call("read")
    assert "letsbe tools generate" in str(caught.value.alternative)
    assert (await call.adapter.check()).healthy


async def test_a_credential_or_setting_that_is_missing_is_named(serve: Serve) -> None:
    server, call = serve(OK, secrets={})
    with pytest.raises(ToolUnauthenticated, match="credential `token`"):
        await call("read")
    with pytest.raises(ToolUnavailable, match="no `account_id`"):
        await call("account")
    assert server.received == []
    _, call = serve(OK, settings={"account_id": "3"})
    assert await call("account") == {"account": "3", "kind": "big"}


async def test_what_proves_who_asks_is_taken_out_of_answers(serve: Serve) -> None:
    _, call = serve(Reply(200, {"echo": f"Signed {SENT}"}))
    assert await call("read") == {"echo": "Signed [REDACTED:credential]"}
