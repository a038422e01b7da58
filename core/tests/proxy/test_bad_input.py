"""Whatever is wrong with a request, the answer says so and nothing leaves in clear."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import zlib
from typing import Any
from urllib.parse import urlsplit

import pytest

CANARY = "canary-Zk3v9QpL7wXr2TbN"
CHAT = "/up/v1/chat/completions"
JSON_TYPE = {"content-type": "application/json"}


def body(text: str = CANARY) -> bytes:
    return json.dumps({"model": "m", "text": text}).encode()


def talk(address: str, sent: bytes) -> bytes:
    """Send bytes as they are, and return what comes back."""
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as link:
        link.sendall(sent)
        link.settimeout(10)
        came = b""
        while b"\r\n\r\n" not in came:
            piece = link.recv(65536)
            if not piece:
                break
            came += piece
        return came


def status(came: bytes) -> int:
    return int(came.split()[1])


@pytest.mark.parametrize(
    "path",
    [
        "/up/../admin",
        "/up/v1/%2e%2e/admin",
        "/up/v1/%2E%2E%2Fadmin",
        "/up/v1/..%2fadmin",
        "/up/v1/..;/admin",
        "/up/v1/.%00./admin",
        "/up/v1/%252e%252e/admin",
        "/up/v1/..%5cadmin",
        "/up/./v1",
        "http://169.254.169.254/latest",
        "//169.254.169.254/latest",
        "/upstream",
        "/",
        "/nowhere/v1/chat/completions",
        "*",
    ],
)
def test_paths_lead_nowhere_else(proxy: Any, provider: Any, path: str) -> None:
    host = proxy.address.removeprefix("http://")
    sent = f"GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
    assert status(talk(proxy.address, sent.encode())) in (400, 404)
    assert not provider.received


@pytest.mark.parametrize("method", ["TRACE", "OPTIONS", "PROPFIND", "CONNECT"])
def test_unusual_methods_are_not_forwarded(
    proxy: Any, provider: Any, method: str
) -> None:
    with proxy.client() as client:
        assert client.request(method, CHAT).status_code in (400, 405)
    assert not provider.received


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"x-letsbe-agent": "../etc"},
        {"x-letsbe-agent": "a b"},
    ],
)
def test_foreign_pages_and_names_get_400(
    proxy: Any, provider: Any, headers: dict[str, str]
) -> None:
    # 401 and 403 would make the agent runtime switch the provider off.
    answer = proxy.post(CHAT, content=body(), headers=headers)
    assert answer.status_code == 400
    assert not provider.received


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", gzip.compress),
        ("GZIP", lambda data: gzip.compress(data[:9]) + gzip.compress(data[9:])),
        ("deflate", zlib.compress),
        ("deflate", lambda data: zlib.compress(data)[2:-4]),
        ("identity", lambda data: data),
        ("deflate, gzip", lambda data: gzip.compress(zlib.compress(data))),
    ],
)
def test_packed_bodies_are_searched_and_sent_plain(
    proxy: Any, provider: Any, encoding: str, pack: Any
) -> None:
    headers = {**JSON_TYPE, "content-encoding": encoding}
    proxy.post(CHAT, content=pack(body()), headers=headers)
    assert provider.last.body == body("SECRET_REF(canary)")
    assert provider.last.header("content-encoding") is None


@pytest.mark.parametrize(
    ("encoding", "content", "expected"),
    [
        ("br", b"whatever", 400),
        ("zstd", b"whatever", 400),
        ("rot13", b"whatever", 400),
        ("gzip, gzip, gzip", b"whatever", 400),
        ("gzip", b"not gzip", 400),
        ("gzip", gzip.compress(body(), mtime=0)[:-9], 400),
        ("gzip", gzip.compress(body(), mtime=0) + b"more", 400),
        ("deflate", b"\x78\x9cnonsense", 400),
        ("deflate", zlib.compress(body()) + b"more", 400),
        ("gzip", gzip.compress(b"a" * 60_000_000, mtime=0), 413),
        (
            "gzip",
            gzip.compress(gzip.compress(b"a" * 60_000_000, mtime=0), mtime=0),
            413,
        ),
        ("deflate", zlib.compress(b"\0" * 60_000_000), 413),
    ],
)
def test_bad_packing_and_bombs_are_refused(
    proxy: Any, provider: Any, encoding: str, content: bytes, expected: int
) -> None:
    if expected == 413 and content.startswith(b"\x1f\x8b") and len(content) < 2000:
        encoding = "gzip, gzip"
    headers = {**JSON_TYPE, "content-encoding": encoding}
    answer = proxy.post(CHAT, content=content, headers=headers)
    assert answer.status_code == expected
    assert answer.json()["error"]["message"]
    assert not provider.received


@pytest.mark.parametrize(
    ("kind", "content", "expected"),
    [
        ("application/json", b'{"a": "\xff\xfe"}', 400),
        ("application/json", b'{"a": "\xe2\x82', 400),
        ("application/json", b'{"a": "\xc1\xa1"}', 400),
        ("application/json", b'{"a": "\xed\xa0\x80"}', 400),
        ("application/json", b'{"a": "\0"}', 400),
        ("application/json", body().decode().encode("utf-16"), 400),
        ("application/json", body().decode().encode("utf-32-le"), 400),
        ("application/json; charset=utf-16", body(), 400),
        ('application/json; charset="UTF-7"', body(), 400),
        ("multipart/form-data; boundary=x", b"--x--", 422),
        ("application/octet-stream", body(), 422),
        ("image/png", b"\x89PNG", 422),
    ],
)
def test_what_cannot_be_read_is_not_forwarded(
    proxy: Any, provider: Any, kind: str, content: bytes, expected: int
) -> None:
    answer = proxy.post(CHAT, content=content, headers={"content-type": kind})
    assert answer.status_code == expected
    assert not provider.received


@pytest.mark.parametrize(
    "content",
    [
        f'{{"a": "{CANARY}"',
        f'{{"a": "{CANARY}", "a": "{CANARY}"}}',
        f'{{"a": "\\ud800 {CANARY}"}}',
        f'["{CANARY}"',
        f"plain {CANARY} text",
        "\ufeff" + f'{{"a": "{CANARY}"}}',
        "[" * 100_000 + f'"{CANARY}"' + "]" * 100_000,
        "",
    ],
)
def test_odd_text_is_forwarded_without_its_secrets(
    proxy: Any, provider: Any, content: str
) -> None:
    answer = proxy.post(CHAT, content=content.encode(), headers=JSON_TYPE)
    assert answer.status_code == 200
    expected = content.replace(CANARY, "SECRET_REF(canary)").encode()
    assert provider.last.body == expected


def test_deep_nesting_with_spelled_letters_is_withheld(
    proxy: Any, provider: Any
) -> None:
    content = "[" * 100_000 + '"\\u0063anary"' + "]" * 100_000
    answer = proxy.post(CHAT, content=content.encode(), headers=JSON_TYPE)
    assert answer.status_code == 422
    assert not provider.received


def test_bodies_over_the_limit_are_refused(start: Any, provider: Any) -> None:
    proxy = start(body_limit=10_000)
    assert proxy.post(CHAT, content=b"a" * 10_001).status_code == 413
    with proxy.client() as client:
        chunked = client.post(CHAT, content=iter([b"a" * 5_000] * 3))
    assert chunked.status_code == 413
    packed = gzip.compress(b"a" * 10_001)
    headers = {"content-encoding": "gzip"}
    assert proxy.post(CHAT, content=packed, headers=headers).status_code == 413
    assert not provider.received
    assert proxy.post(CHAT, content=b"a" * 10_000).status_code == 200


def test_a_client_that_stops_in_its_body_is_told(start: Any, provider: Any) -> None:
    proxy = start(write_timeout=0.2)
    host = proxy.address.removeprefix("http://")
    head = f"POST {CHAT} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 100\r\n\r\nabc"
    assert status(talk(proxy.address, head.encode())) == 408
    assert not provider.received


@pytest.mark.parametrize(
    "head",
    [
        "POST {path} HTTP/1.1\r\nhost: {host}\r\nx: " + "y" * 200_000 + "\r\n\r\n",
        "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: 3, 4\r\n\r\nabc",
        "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: -1\r\n\r\nabc",
        "POST {path} HTTP/1.1\r\nhost: {host}\r\nx y: 1\r\n\r\n",
        "POST {path} HTTP/1.1\r\n\r\n",
        "rubbish\r\n\r\n",
    ],
)
def test_broken_http_is_refused(proxy: Any, provider: Any, head: str) -> None:
    host = proxy.address.removeprefix("http://")
    came = talk(proxy.address, head.format(path=CHAT, host=host).encode())
    assert 400 <= status(came) < 500
    assert not provider.received


def test_the_length_and_chunks_together_smuggle_nothing(
    proxy: Any, provider: Any
) -> None:
    host = proxy.address.removeprefix("http://")
    inner = f"POST /up/hidden HTTP/1.1\r\nhost: {host}\r\n\r\n"
    sent = (
        f"POST {CHAT} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {len(inner) + 5}\r\n"
        f"transfer-encoding: chunked\r\nconnection: close\r\n\r\n0\r\n\r\n{inner}"
    )
    talk(proxy.address, sent.encode())
    assert len(provider.received) <= 1
    assert all(r.target == "/v1/chat/completions" for r in provider.received)


def test_errors_are_readable_for_every_api(proxy: Any) -> None:
    answer = proxy.post("/nowhere", json={})
    error = answer.json()
    assert error["type"] == "error"
    assert set(error["error"]) == {"message", "type", "code", "param"}
    assert error["error"]["message"].startswith("Secrets Proxy: ")


@pytest.mark.parametrize("way", ["header", "path"])
def test_an_agents_name_is_not_kept_with_a_secret_in_it(
    proxy: Any, provider: Any, way: str
) -> None:
    path, headers = CHAT, dict(JSON_TYPE)
    if way == "header":
        headers["x-letsbe-agent"] = CANARY
    else:
        path = f"/agents/{CANARY}{CHAT}"
    answer = proxy.post(path, content=body("x"), headers=headers)
    assert answer.status_code == 422
    assert CANARY not in answer.text
    assert not provider.received
    assert not proxy.buckets(0)


def without_end(name: bytes) -> bytes:
    """Begin a request whose head goes on and on."""
    start = b"POST /up/v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    return start + name


@pytest.mark.parametrize(
    "sent",
    [
        without_end(b"X-Long: " + b"a" * 200_000),
        without_end(b"X-A: b\r\n" * 20_000),
        without_end(b"x" * 200_000),
        b"GET /" + b"a" * 200_000,
        b"\0" * 200_000,
    ],
    ids=["one header", "many headers", "a name", "a path", "nothing of it"],
)
def test_a_head_without_end_is_broken_off(
    proxy: Any, provider: Any, sent: bytes
) -> None:
    came = b""
    # It may be closed while we are still sending.
    with contextlib.suppress(ConnectionError):
        came = talk(proxy.address, sent)
    assert not came or status(came) in (400, 431)
    assert proxy.post(CHAT, content=body(), headers=JSON_TYPE).status_code == 200
    assert len(provider.received) == 1


def test_a_long_head_that_ends_is_read(proxy: Any, provider: Any) -> None:
    headers = {**JSON_TYPE, "x-long": "a" * 60_000}
    assert proxy.post(CHAT, content=body(), headers=headers).status_code == 200
    assert provider.last.header("x-long") == "a" * 60_000


def test_requests_one_after_the_other_are_counted_each(
    proxy: Any, provider: Any
) -> None:
    with proxy.client() as client:
        for _ in range(4):
            headers = {**JSON_TYPE, "x-long": "a" * 40_000}
            answer = client.post(CHAT, content=body("x" * 90_000), headers=headers)
            assert answer.status_code == 200
    assert len(provider.received) == 4
