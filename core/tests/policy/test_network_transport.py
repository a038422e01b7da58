"""The transport against real servers on loopback: pinned, named, judged each hop."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import anyio.abc
import anyio.streams.tls
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from letsbe.errors import UrlRefused
from letsbe.policy.network import Origin, UrlVerdict
from letsbe.policy.network.connections import CheckedBackend, system_resolve
from letsbe.policy.network.transport import ConfinedTransport, confined_client

pytestmark = pytest.mark.anyio


@dataclass
class Seen:
    """A request that a server got."""

    line: str
    headers: dict[str, str]
    peer: str


@dataclass
class Server:
    """An HTTP/1.1 server that notes every request and answers by its path."""

    port: int
    answers: dict[str, bytes] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)
    server_names: list[str | None] = field(default_factory=list)
    connections: int = 0

    def redirect(self, path: str, location: str, status: int = 302) -> None:
        self.answers[path] = (
            f"HTTP/1.1 {status} Moved\r\nLocation: {location}\r\n"
            "Content-Length: 0\r\n\r\n"
        ).encode()

    async def serve(self, stream: anyio.abc.ByteStream) -> None:
        self.connections += 1
        received = b""
        while True:
            try:
                received += await stream.receive()
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                return
            head, end, rest = received.partition(b"\r\n\r\n")
            if end:
                received = await self.answer(stream, head.decode(), rest)

    async def answer(
        self, stream: anyio.abc.ByteStream, head: str, rest: bytes
    ) -> bytes:
        line, *fields = head.split("\r\n")
        headers = {
            name.lower(): value for name, value in (f.split(": ", 1) for f in fields)
        }
        length = int(headers.get("content-length", "0"))
        while len(rest) < length:
            rest += await stream.receive()
        peer = str(stream.extra(anyio.abc.SocketAttribute.local_address)[0])
        self.seen.append(Seen(line, headers, peer))
        path = line.split(" ")[1]
        plain = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
        await stream.send(self.answers.get(path, plain))
        return rest[length:]


@asynccontextmanager
async def running(
    tls: ssl.SSLContext | None = None, host: str = "127.0.0.1"
) -> AsyncIterator[Server]:
    listener = await anyio.create_tcp_listener(local_host=host)
    port = listener.extra(anyio.abc.SocketAttribute.local_port)
    server = Server(port)

    def note(_: ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> None:
        server.server_names.append(name)

    async def handle(stream: anyio.abc.SocketStream) -> None:
        async with stream:
            if tls is None:
                await server.serve(stream)
                return
            tls.sni_callback = note
            # A client that does not like the certificate ends the handshake.
            with suppress(ssl.SSLError, anyio.EndOfStream, anyio.BrokenResourceError):
                await server.serve(
                    await anyio.streams.tls.TLSStream.wrap(
                        stream,
                        server_side=True,
                        ssl_context=tls,
                        standard_compatible=False,
                    )
                )

    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, handle)
        yield server
        tasks.cancel_scope.cancel()


class Names:
    """A resolver that counts; the last answer of a name is given from then on."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def __call__(self, host: str) -> Sequence[str]:
        self.asked.append(host)
        rounds = self.answers[host.partition(".")[0]]
        return rounds[min(self.asked.count(host), len(rounds)) - 1]


def client_for(
    names: Callable[[str], Sequence[str]], *own: Origin
) -> httpx.AsyncClient:
    return confined_client(ConfinedTransport(resolve=names, allowed=own), timeout=5)


LOCAL = [["127.0.0.1"]]


async def test_a_name_is_looked_up_once_and_its_checked_address_connected_to() -> None:
    names = Names(tool=[["127.0.0.7"], ["169.254.169.254"]])
    async with (
        running(host="127.0.0.7") as server,
        client_for(names, Origin("tool.example", server.port)) as client,
    ):
        first = await client.get(f"http://Tool.example:{server.port}/a?b=c%20d")
        await client.get(f"http://tool.example:{server.port}/again")

    assert (first.status_code, first.text) == (200, "ok")
    assert names.asked == ["tool.example"]
    assert server.connections == 1
    assert server.seen[0].line == "GET /a?b=c%20d HTTP/1.1"
    assert server.seen[0].headers["host"] == f"tool.example:{server.port}"
    assert server.seen[0].peer == "127.0.0.7"


async def test_a_rebinding_name_is_refused_at_its_next_connection() -> None:
    names = Names(tool=[["127.0.0.1"], ["169.254.169.254"]])
    async with running() as server:
        server.answers["/"] = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
        async with client_for(names, Origin("tool.example", server.port)) as client:
            await client.get(f"http://tool.example:{server.port}/")
            with pytest.raises(UrlRefused, match="link-local"):
                await client.get(f"http://tool.example:{server.port}/")

    assert len(server.seen) == 1
    assert names.asked == ["tool.example"] * 2


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://other.example:{port}/",
        "http://mixed.example:{port}/",
        "http://localhost:{port}/",
        "http://2130706433:{port}/",
        "http://user:word@tool.example:{port}/",
        "ftp://tool.example:{port}/",
    ],
)
async def test_what_is_not_allowed_is_never_connected_to(url: str) -> None:
    names = Names(other=LOCAL, tool=LOCAL, mixed=[["8.8.8.8", "127.0.0.1"]])
    async with (
        running() as server,
        client_for(names, Origin("tool.example", server.port)) as client,
    ):
        with pytest.raises((UrlRefused, httpx.UnsupportedProtocol)):
            await client.get(url.format(port=server.port))

    assert server.connections == 0


async def test_a_refusal_says_why_without_the_url() -> None:
    async with client_for(Names(canary=[["10.0.0.1"]])) as client:
        with pytest.raises(UrlRefused) as caught:
            await client.get("http://canary.example/?token=canary")

    assert "private" in caught.value.message
    assert "canary" not in caught.value.message


async def test_the_next_address_is_tried_if_the_first_does_not_answer() -> None:
    names = Names(tool=[["127.0.0.9", "127.0.0.1"]])
    async with (
        running() as server,
        client_for(names, Origin("tool.example", server.port)) as client,
    ):
        answer = await client.get(f"http://tool.example:{server.port}/")

    assert answer.status_code == 200


async def test_nothing_listening_is_httpx_own_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    async with client_for(Names(), Origin("127.0.0.1", port)) as client:
        with pytest.raises(httpx.ConnectError):
            await client.get(f"http://127.0.0.1:{port}/")


async def test_a_slow_look_up_counts_as_connecting() -> None:
    def slow(host: str) -> Sequence[str]:
        time.sleep(0.5)
        return ["8.8.8.8"]

    transport = ConfinedTransport(resolve=slow)
    async with confined_client(transport, timeout=0.05) as client:
        with pytest.raises(httpx.ConnectTimeout):
            await client.get("http://slow.example/")


async def test_a_broken_answer_is_httpx_own_error() -> None:
    async with running() as server:
        server.answers["/head"] = b"nonsense\r\n\r\n"
        server.answers["/body"] = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"
        async with client_for(Names(), Origin("127.0.0.1", server.port)) as client:
            with pytest.raises(httpx.RemoteProtocolError):
                await client.get(f"http://127.0.0.1:{server.port}/head")
            with pytest.raises(httpx.TimeoutException):
                await client.get(f"http://127.0.0.1:{server.port}/body", timeout=0.1)


async def test_the_callers_host_header_and_sni_do_not_count() -> None:
    async with (
        running() as server,
        client_for(Names(), Origin("127.0.0.1", server.port)) as client,
    ):
        await client.get(
            f"http://127.0.0.1:{server.port}/",
            headers={"Host": "internal.example"},
            extensions={"target": b"/other", "sni_hostname": "internal.example"},
        )

    assert server.seen[0].headers["host"] == f"127.0.0.1:{server.port}"
    assert server.seen[0].line == "GET / HTTP/1.1"


async def test_proxies_of_the_environment_are_ignored(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with running() as proxy, running() as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        async with client_for(Names(), Origin("127.0.0.1", server.port)) as client:
            await client.get(f"http://127.0.0.1:{server.port}/")

    assert (len(server.seen), proxy.connections) == (1, 0)


async def test_a_redirect_is_judged_before_it_is_followed() -> None:
    async with running() as server, running() as closed:
        for path, location in {
            "/address": f"http://127.0.0.1:{closed.port}/",
            "/name": f"http://inside.example:{closed.port}/",
            "/user": f"http://u:p@127.0.0.1:{server.port}/",
            "/number": f"http://0x7f000001:{server.port}/",
        }.items():
            server.redirect(path, location)
        own = Origin("127.0.0.1", server.port)
        async with client_for(Names(inside=LOCAL), own) as client:
            for path in list(server.answers):
                with pytest.raises(UrlRefused):
                    await client.get(f"http://127.0.0.1:{server.port}{path}")

    assert closed.connections == 0


async def test_redirects_are_followed_to_allowed_places_only_so_often() -> None:
    async with running() as server:
        for number in range(20):
            server.redirect(f"/{number}", f"/{number + 1}")
        async with client_for(Names(), Origin("127.0.0.1", server.port)) as client:
            base = f"http://127.0.0.1:{server.port}"
            near = await client.get(f"{base}/10")
            client.max_redirects = 99
            with pytest.raises(UrlRefused, match="too many"):
                await client.get(f"{base}/0")

    assert near.url.path == "/20"
    assert [seen.line.split()[1] for seen in server.seen[11:]] == [
        f"/{number}" for number in range(11)
    ]


SECRETS = {"X-API-Key": "canary", "Authorization": "canary", "Cookie": "a=canary"}


async def test_secrets_stay_with_the_site_that_they_are_meant_for() -> None:
    names = Names(one=LOCAL, two=LOCAL)
    async with running() as server:
        one = f"http://one.example:{server.port}"
        two = f"http://two.example:{server.port}"
        server.redirect("/same", "/plain")
        server.redirect("/other", f"{two}/hop")
        server.redirect("/hop", "/plain")
        own = [Origin(f"{name}.example", server.port) for name in ("one", "two")]
        async with client_for(names, *own) as client:
            headers = {**SECRETS, "Accept": "text/plain"}
            await client.get(f"{one}/same", headers=headers)
            await client.get(f"{one}/other", headers=headers)

    mine = [seen for seen in server.seen if seen.headers["host"].startswith("one")]
    others = [seen for seen in server.seen if seen.headers["host"].startswith("two")]
    assert [seen.line.split()[1] for seen in mine] == ["/same", "/plain", "/other"]
    assert all(seen.headers["x-api-key"] == "canary" for seen in mine)
    assert [seen.line.split()[1] for seen in others] == ["/hop", "/plain"]
    assert "canary" not in repr(others)
    assert others[0].headers["accept"] == "text/plain"


async def test_a_body_is_not_sent_on_to_another_site() -> None:
    async with running() as server, running() as other:
        server.redirect("/keep", f"http://127.0.0.1:{other.port}/", status=307)
        server.redirect("/same", "/plain", status=307)
        server.redirect("/get", f"http://127.0.0.1:{other.port}/", status=303)
        own = [Origin("127.0.0.1", port) for port in (server.port, other.port)]
        base = f"http://127.0.0.1:{server.port}"
        async with client_for(Names(), *own) as client:
            await client.post(f"{base}/same", content=b"canary")
            await client.post(f"{base}/get", content=b"canary")
            with pytest.raises(UrlRefused, match="body"):
                await client.post(f"{base}/keep", content=b"canary")

    assert server.seen[1].line == "POST /plain HTTP/1.1"
    assert [seen.line for seen in other.seen] == ["GET / HTTP/1.1"]


def contexts(folder: Path, *names: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's and a client's TLS settings for a certificate of these names."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    alternatives: list[x509.GeneralName] = [x509.DNSName(name) for name in names]
    alternatives.append(x509.IPAddress(ipaddress.ip_address("127.0.0.3")))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    path = folder / "server.pem"
    path.write_bytes(
        pem
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path)
    return server, ssl.create_default_context(cadata=pem.decode())


async def test_the_certificate_is_checked_against_the_name_not_the_address(
    tmp_path: Path,
) -> None:
    server_tls, client_tls = contexts(tmp_path, "right.example")
    names = Names(right=LOCAL, wrong=LOCAL)
    async with running(server_tls) as server:
        own = [Origin(f"{n}.example", server.port) for n in ("right", "wrong")]
        transport = ConfinedTransport(resolve=names, allowed=own, tls=client_tls)
        async with confined_client(transport, timeout=5) as client:
            answer = await client.get(f"https://right.example.:{server.port}/")
            with pytest.raises(httpx.ConnectError):
                # Same address, connection kept: it must not be shared.
                await client.get(f"https://wrong.example:{server.port}/")

    assert answer.text == "ok"
    assert server.server_names == ["right.example", "wrong.example"]
    assert [seen.headers["host"] for seen in server.seen] == [
        f"right.example:{server.port}"
    ]


async def test_the_certificate_of_an_address_names_the_address(tmp_path: Path) -> None:
    server_tls, client_tls = contexts(tmp_path)
    async with running(server_tls, "127.0.0.3") as server:
        own = [Origin("127.0.0.3", server.port)]
        transport = ConfinedTransport(allowed=own, tls=client_tls)
        async with confined_client(transport, timeout=5) as client:
            answer = await client.get(f"https://127.0.0.3:{server.port}/")

    assert answer.text == "ok"


async def test_an_unknown_certificate_is_refused_whatever_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server_tls, _ = contexts(tmp_path, "right.example")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))
    async with running(server_tls) as server:
        own = Origin("right.example", server.port)
        async with client_for(Names(right=LOCAL), own) as client:
            with pytest.raises(httpx.ConnectError):
                await client.get(f"https://right.example:{server.port}/")

    assert server.seen == []


async def test_a_redirect_may_not_lead_from_https_to_http(tmp_path: Path) -> None:
    server_tls, client_tls = contexts(tmp_path, "right.example")
    async with running(server_tls) as server, running() as plain:
        server.redirect("/", f"http://right.example:{plain.port}/")
        own = [Origin("right.example", port) for port in (server.port, plain.port)]
        transport = ConfinedTransport(
            resolve=Names(right=LOCAL), allowed=own, tls=client_tls
        )
        async with confined_client(transport, timeout=5) as client:
            with pytest.raises(UrlRefused, match="https to http"):
                await client.get(f"https://right.example:{server.port}/")

    assert plain.connections == 0


async def test_a_response_can_be_streamed() -> None:
    async with (
        running() as server,
        client_for(Names(), Origin("127.0.0.1", server.port)) as client,
    ):
        url = f"http://127.0.0.1:{server.port}/"
        async with client.stream("GET", url) as answer:
            parts = [part async for part in answer.aiter_raw()]

    assert b"".join(parts) == b"ok"


async def test_the_system_knows_this_machine() -> None:
    assert "127.0.0.1" in system_resolve("127.0.0.1")


async def test_sending_a_request_again_is_not_a_redirect() -> None:
    async with (
        running() as server,
        client_for(Names(), Origin("127.0.0.1", server.port)) as client,
    ):
        url = f"http://127.0.0.1:{server.port}/"
        request = client.build_request("POST", url, content=b"x", headers=SECRETS)
        for _ in range(12):
            await client.send(request)

    assert [seen.headers["x-api-key"] for seen in server.seen] == ["canary"] * 12


async def test_a_socket_file_is_never_opened() -> None:
    backend = CheckedBackend(lambda origin: UrlVerdict(True, "public", "test"))

    with pytest.raises(UrlRefused):
        await backend.connect_unix_socket("/var/run/docker.sock")
