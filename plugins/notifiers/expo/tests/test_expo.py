"""Notices to a fake of Expo's push service on loopback.

The fake keeps what Expo's page says: tokens have a form, a ticket for each message,
receipts that come later and are kept for a day, dead devices told by a code
(https://docs.expo.dev/push-notifications/sending-notifications/).
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr, ValidationError
from typing_extensions import override

from letsbe.plugin import (
    AddressGone,
    Delivered,
    InvalidRequest,
    Notice,
    Notifier,
    Rejected,
    Site,
    TryLater,
)
from letsbe.testing import Arrivals, NotifierContract
from letsbe_notifier_expo import ExpoNotifier, Settings, letsbe_notifiers
from letsbe_notifier_expo.notifier import message_of

pytestmark = pytest.mark.anyio

TOKEN = "ExponentPushToken[abcdefgh12345678]"
NOTICE = Notice("apr_1", "Approve?", "b" * 2_000, urgent=True, category="approval")


class FakeExpo:
    """A fake of the service."""

    def __init__(self) -> None:
        self.status = 200
        self.code: str | None = None
        self.sent: list[dict[str, Any]] = []
        self.receipts: dict[str, dict[str, Any]] = {}
        self.authorization: list[str | None] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def answer(self, path: str, body: Any) -> Any:
        if path == "/--/api/v2/push/getReceipts":
            assert len(body["ids"]) <= 1_000
            known = {i: r for i, r in self.receipts.items() if i in body["ids"]}
            return {"data": known}
        assert path == "/--/api/v2/push/send"
        if self.code is not None:
            details = {"error": self.code}
            return {"data": {"status": "error", "message": "x", "details": details}}
        self.sent.append(body)
        return {"data": {"status": "ok", "id": f"receipt-{len(self.sent)}"}}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        fake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["content-length"]))
                fake.authorization.append(self.headers["authorization"])
                answer = json.dumps(fake.answer(self.path, json.loads(raw))).encode()
                self.send_response(fake.status)
                self.send_header("retry-after", "9")
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            @override
            def log_message(self, *_: Any) -> None:
                pass

        return Handler


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def fake() -> Iterator[FakeExpo]:
    made = FakeExpo()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.05,))
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def notifier(fake: FakeExpo) -> ExpoNotifier:
    return ExpoNotifier(Settings(service=fake.url))


class TestExpo(NotifierContract):
    module = "letsbe_notifier_expo"
    wrong_addresses = ("ExponentPushToken", "ExponentPushToken[]", "https://exp.host")
    secrets = ("secret-token",)

    @pytest.fixture
    @override
    def notifier(self, fake: FakeExpo) -> Notifier:
        token = SecretStr("secret-token")
        return ExpoNotifier(Settings(service=fake.url, access_token=token))

    @pytest.fixture
    @override
    def away(self) -> Notifier:
        token, nowhere = SecretStr("secret-token"), "http://127.0.0.1:9"
        return ExpoNotifier(Settings(service=nowhere, access_token=token, timeout=2))

    @pytest.fixture
    @override
    def address(self) -> str:
        return TOKEN

    @pytest.fixture
    @override
    def dead_address(self, fake: FakeExpo) -> str:
        fake.code = "DeviceNotRegistered"
        return TOKEN

    @pytest.fixture
    @override
    def arrived(self, fake: FakeExpo) -> Arrivals:
        return lambda: [str(sent["title"]) for sent in fake.sent]


async def test_a_notice_is_handed_in_and_its_receipt_asked_for(
    fake: FakeExpo, notifier: ExpoNotifier
) -> None:
    receipt = await notifier.send(notifier.check_address(f" {TOKEN} "), NOTICE)
    assert receipt == "receipt-1"
    (sent,) = fake.sent
    assert sent["to"] == TOKEN
    assert sent["categoryId"] == "approval"
    assert sent["priority"] == "high"
    assert len(sent["body"]) == 1_000
    pending, delivered, gone, failed = "r-1", "r-2", "r-3", "r-4"
    fake.receipts = {
        delivered: {"status": "ok"},
        gone: {"status": "error", "details": {"error": "DeviceNotRegistered"}},
        failed: {"status": "error", "details": {"error": "MessageTooBig"}},
    }
    assert await notifier.receipts([pending, delivered, gone, failed]) == {
        pending: Delivered.PENDING,
        delivered: Delivered.DELIVERED,
        gone: Delivered.GONE,
        failed: Delivered.FAILED,
    }


async def test_more_receipts_than_fit_are_asked_in_parts(
    fake: FakeExpo, notifier: ExpoNotifier
) -> None:
    ids = [f"r-{n}" for n in range(2_500)]
    fake.receipts = {id_: {"status": "ok"} for id_ in ids}
    told = await notifier.receipts(ids)
    assert set(told.values()) == {Delivered.DELIVERED}
    assert len(fake.authorization) == 3


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("DeviceNotRegistered", AddressGone),
        ("MessageRateExceeded", TryLater),
        ("MessageTooBig", Rejected),
        ("InvalidCredentials", Rejected),
        ("not an identifier: canary", Rejected),
    ],
)
async def test_each_code_is_told_as_what_it_means(
    fake: FakeExpo, notifier: ExpoNotifier, code: str, error: type[Exception]
) -> None:
    fake.code = code
    with pytest.raises(error) as caught:
        await notifier.send(TOKEN, NOTICE)
    assert type(caught.value) is error
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "error"),
    [(400, Rejected), (401, TryLater), (429, TryLater), (502, TryLater)],
)
async def test_each_status_is_told_as_what_it_means(
    fake: FakeExpo, notifier: ExpoNotifier, status: int, error: type[Exception]
) -> None:
    assert (await notifier.check()).healthy
    fake.status = status
    with pytest.raises(error):
        await notifier.send(TOKEN, NOTICE)
    assert not (await notifier.check()).healthy


async def test_the_access_token_is_sent(fake: FakeExpo) -> None:
    token = SecretStr("secret-token")
    settings = Settings(service=fake.url, access_token=token)
    await ExpoNotifier(settings).send(TOKEN, NOTICE)
    assert fake.authorization == ["Bearer secret-token"]
    assert "secret-token" not in repr(settings)


@given(st.text(max_size=60))
def test_only_tokens_are_addresses(text: str) -> None:
    with pytest.raises(InvalidRequest):
        ExpoNotifier(Settings()).check_address(text)


@given(st.text(max_size=3_000), st.text(max_size=300))
def test_a_message_is_json_of_a_bounded_size(body: str, key: str) -> None:
    made = message_of(TOKEN, Notice(key, "t", body))
    assert len(made["body"]) <= 1_000
    assert len(made["collapseId"]) <= 64


def test_it_registers_and_refuses_wrong_settings() -> None:
    assert letsbe_notifiers(Site(roots=()))[0].name == "expo"
    for wrong in (
        {"service": "http://exp.host"},
        {"access_token": 7},
        {"x": 1},
    ):
        with pytest.raises(ValidationError):
            letsbe_notifiers(Site(roots=(), settings=wrong))
