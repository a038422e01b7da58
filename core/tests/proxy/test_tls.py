"""Providers are called over TLS, and only if their certificate is right."""

from __future__ import annotations

import contextlib
import datetime as dt
import http.server
import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from typing_extensions import override

CHAT = "/up/v1/chat/completions"


def certificate(folder: Path, name: str) -> Path:
    """Make a certificate that vouches for itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    hour = dt.timedelta(hours=1)
    try:
        host: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        host = x509.DNSName(name)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - hour)
        .not_valid_after(now + hour)
        .add_extension(x509.SubjectAlternativeName([host]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path


class Provider(http.server.ThreadingHTTPServer):
    """Answers over TLS, and remembers its clients."""

    daemon_threads = True

    def __init__(self, certificate: Path) -> None:
        self.clients: list[object] = []
        super().__init__(("127.0.0.1", 0), Handler)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
        self.socket = context.wrap_socket(self.socket, server_side=True)

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        assert isinstance(self.server, Provider)
        self.rfile.read(int(self.headers["content-length"]))
        self.server.clients.append(self.client_address)
        self.send_response(200)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    @override
    def log_message(self, *_: object) -> None:
        pass


Serve = Callable[[Path], Provider]


@pytest.fixture
def serve() -> Iterator[Serve]:
    with contextlib.ExitStack() as closing:

        def run(path: Path) -> Provider:
            made = Provider(path)
            thread = threading.Thread(target=made.serve_forever)
            thread.start()
            closing.callback(made.server_close)
            closing.callback(thread.join)
            closing.callback(made.shutdown)
            return made

        yield run


def test_a_trusted_provider_is_called(
    start: Any, serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = certificate(tmp_path, "127.0.0.1")
    provider = serve(path)
    monkeypatch.setenv("SSL_CERT_FILE", str(path))
    proxy = start(upstream={"base_url": provider.address})
    for _ in range(2):
        assert proxy.post(CHAT, json={"model": "m"}).json() == {}
    assert len(provider.clients) == 2
    assert len(set(provider.clients)) == 1


@pytest.mark.parametrize("trusted", [True, False])
def test_a_provider_with_a_wrong_certificate_gets_nothing(
    start: Any,
    serve: Serve,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    trusted: bool,
) -> None:
    # Either for another host, or vouched for by nobody.
    path = certificate(tmp_path, "elsewhere.example" if trusted else "127.0.0.1")
    provider = serve(path)
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
    proxy = start(upstream={"base_url": provider.address})
    assert proxy.post(CHAT, json={"model": "m"}).status_code == 502
    assert not provider.clients
