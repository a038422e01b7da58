"""Notices to a push endpoint on loopback that decrypts what it gets."""

import base64
import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from hypothesis import given
from hypothesis import strategies as st
from py_vapid import Vapid02
from pydantic import ValidationError
from typing_extensions import override

from letsbe.plugin import (
    AddressGone,
    InvalidRequest,
    Notice,
    Notifier,
    Rejected,
    Site,
    TryLater,
)
from letsbe.testing import Arrivals, NotifierContract
from letsbe_notifier_webpush import Settings, WebPushNotifier, letsbe_notifiers
from letsbe_notifier_webpush.notifier import payload_of, topic_of
from letsbe_notifier_webpush.settings import PUSH_SERVICES
from letsbe_notifier_webpush.subscriptions import read_subscription

pytestmark = pytest.mark.anyio

NOTICE = Notice(
    "apr_1",
    "Approve: delete 3 files",
    "it-admin wants to",
    url="https://hub.example/approvals/apr_1",
    urgent=True,
    lifetime=600,
    category="approval",
    data={"approvalId": "apr_1"},
)


def encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Browser:
    """A browser's keys and its push service, which decrypts what comes in."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.auth = os.urandom(16)
        self.answer = 201
        self.shown: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.origin = f"http://127.0.0.1:{self.server.server_port}"

    @property
    def address(self) -> str:
        point = self.key.public_key().public_bytes(
            Encoding.X962, PublicFormat.UncompressedPoint
        )
        keys = {"p256dh": encoded(point), "auth": encoded(self.auth)}
        return json.dumps({"endpoint": f"{self.origin}/push/1", "keys": keys})

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        browser = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                clear = http_ece.decrypt(
                    body, private_key=browser.key, auth_secret=browser.auth
                )
                browser.shown.append(json.loads(clear))
                names = {k.lower(): v for k, v in self.headers.items()}
                browser.headers.append(names)
                self.send_response(browser.answer)
                self.send_header("retry-after", "7")
                self.end_headers()

            @override
            def log_message(self, *_: Any) -> None:
                pass

        return Handler


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def browser() -> Iterator[Browser]:
    made = Browser()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.05,))
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def table() -> dict[str, Any]:
    pem = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    return {"vapid_key": pem.decode(), "contact": "mailto:ops@letsbe.example"}


@pytest.fixture
def notifier(browser: Browser, table: dict[str, Any]) -> WebPushNotifier:
    settings = Settings.model_validate({**table, "services": (browser.origin,)})
    return WebPushNotifier(settings)


class TestWebPush(NotifierContract):
    module = "letsbe_notifier_webpush"
    wrong_addresses = ("{}", "https://push.example/1", '{"endpoint": "http://x"}')

    @pytest.fixture
    @override
    def notifier(self, browser: Browser, table: dict[str, Any]) -> Notifier:
        settings = Settings.model_validate({**table, "services": (browser.origin,)})
        return WebPushNotifier(settings)

    @pytest.fixture
    @override
    def away(self, browser: Browser, table: dict[str, Any]) -> Notifier:
        browser.answer = 503
        settings = Settings.model_validate({**table, "services": (browser.origin,)})
        return WebPushNotifier(settings)

    @pytest.fixture
    @override
    def address(self, browser: Browser) -> str:
        return browser.address

    @pytest.fixture
    @override
    def dead_address(self, browser: Browser) -> str:
        browser.answer = 410
        return browser.address

    @pytest.fixture
    @override
    def arrived(self, browser: Browser) -> Arrivals:
        return lambda: [str(notice["title"]) for notice in browser.shown]


async def test_the_browser_decrypts_what_was_sent(
    browser: Browser, notifier: WebPushNotifier
) -> None:
    address = notifier.check_address(browser.address)
    assert await notifier.send(address, NOTICE) is None
    assert browser.shown == [
        {
            "title": NOTICE.title,
            "body": NOTICE.body,
            "url": NOTICE.url,
            "tag": "apr_1",
            "category": "approval",
            "urgent": True,
            "data": {"approvalId": "apr_1"},
        }
    ]
    (headers,) = browser.headers
    assert headers["ttl"] == "600"
    assert headers["urgency"] == "high"
    assert headers["content-encoding"] == "aes128gcm"
    assert headers["topic"] == topic_of(NOTICE)


async def test_the_signature_is_for_this_service_and_made_by_our_key(
    browser: Browser, notifier: WebPushNotifier
) -> None:
    await notifier.send(browser.address, NOTICE)
    authorization = browser.headers[0]["authorization"]
    assert Vapid02.verify(authorization)
    parts = dict(p.split("=", 1) for p in authorization.split(" ")[1].split(","))
    assert parts["k"].rstrip("=") == notifier.public_key
    claims = json.loads(base64.urlsafe_b64decode(parts["t"].split(".")[1] + "=="))
    assert claims["aud"] == browser.origin
    assert claims["sub"] == "mailto:ops@letsbe.example"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, AddressGone),
        (410, AddressGone),
        (429, TryLater),
        (503, TryLater),
        (400, Rejected),
        (403, Rejected),
        (413, Rejected),
        (307, Rejected),
    ],
)
async def test_each_answer_is_told_as_what_it_means(
    browser: Browser, notifier: WebPushNotifier, status: int, error: type[Exception]
) -> None:
    browser.answer = status
    with pytest.raises(error) as caught:
        await notifier.send(browser.address, NOTICE)
    assert type(caught.value) is error
    if isinstance(caught.value, TryLater):
        assert caught.value.retry_after == 7


async def test_a_service_that_is_not_there_means_later(
    browser: Browser, notifier: WebPushNotifier
) -> None:
    address = browser.address.replace("/push/1", "/push/2")
    browser.server.server_close()
    with pytest.raises(TryLater):
        await notifier.send(address, NOTICE)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://127.0.0.1:1/x",
        "https://127.0.0.1/x",
        "https://10.0.0.1/x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://evil.example/fcm.googleapis.com",
        "https://fcm.googleapis.com@evil.example/x",
        "https://fcm.googleapis.com:8443/x",
        "http://fcm.googleapis.com/x",
        "https://push.apple.com.evil.example/x",
        "https://notfcm.googleapis.com/x",
        "file:///etc/passwd",
        "",
        "https://[::1/x",
    ],
)
def test_a_subscription_must_lead_to_a_push_service(
    browser: Browser, table: dict[str, Any], endpoint: str
) -> None:
    notifier = WebPushNotifier(Settings.model_validate(table))
    read = json.loads(browser.address)
    good = {**read, "endpoint": "https://fcm.googleapis.com/fcm/send/abc"}
    assert notifier.check_address(json.dumps(good))
    with pytest.raises(InvalidRequest, match=r"address"):
        notifier.check_address(json.dumps({**read, "endpoint": endpoint}))


OBJECTS = st.dictionaries(st.sampled_from(["endpoint", "keys", "x"]), st.text())


@given(st.text(max_size=80) | st.builds(json.dumps, OBJECTS))
def test_whatever_is_no_subscription_is_refused(address: str) -> None:
    with pytest.raises(InvalidRequest):
        read_subscription(address, PUSH_SERVICES)


def test_wrong_keys_are_refused(browser: Browser, notifier: WebPushNotifier) -> None:
    read = json.loads(browser.address)
    for name, value in [("p256dh", "AAAA"), ("auth", "AAAA"), ("p256dh", 7)]:
        keys = {**read["keys"], name: value}
        with pytest.raises(InvalidRequest):
            notifier.check_address(json.dumps({**read, "keys": keys}))


@given(st.text(max_size=5_000))
def test_whatever_is_told_fits(body: str) -> None:
    assert len(payload_of(Notice("k", "t", body))) <= 3_800


def test_what_cannot_fit_is_rejected() -> None:
    with pytest.raises(Rejected):
        payload_of(Notice("k", "t" * 4_000, ""))


async def test_it_is_healthy_and_registers(table: dict[str, Any]) -> None:
    (made,) = letsbe_notifiers(Site(roots=(), settings=table))
    assert (await made.check()).healthy
    assert await made.receipts(["x"]) == {}


@pytest.mark.parametrize("change", [{"contact": "ops"}, {"vapid_key": "no key"}])
def test_wrong_settings_are_refused(
    table: dict[str, Any], change: dict[str, str]
) -> None:
    with pytest.raises(ValidationError):
        letsbe_notifiers(Site(roots=(), settings={**table, **change}))
