"""Mail through a real SMTP server on loopback."""

import email.message
import email.policy
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session
from hypothesis import given
from hypothesis import strategies as st
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
from letsbe_notifier_email import EmailNotifier, Settings, letsbe_notifiers
from letsbe_notifier_email.letters import letter

pytestmark = pytest.mark.anyio

NOTICE = Notice(
    "apr_1",
    "Approve: delete 3 files",
    "it-admin wants to run\n\nrm -r <old> & more",
    url="https://hub.example/approvals/apr_1?a=1&b=2",
    urgent=True,
)


class Mailbox:
    """Takes mail, and refuses what the name before the @ asks for."""

    def __init__(self) -> None:
        self.letters: list[email.message.EmailMessage] = []
        self.answers = {
            "gone": "550 5.1.1 no such user",
            "plain": "550 no such user",
            "policy": "550 5.7.1 not allowed",
            "full": "452 4.2.2 mailbox full",
        }

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        address: str,
        options: list[str],
    ) -> str:
        answer = self.answers.get(address.split("@", maxsplit=1)[0], "250 OK")
        if answer == "250 OK":
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        parsed = email.message_from_bytes(content, policy=email.policy.default)
        assert isinstance(parsed, email.message.EmailMessage)
        self.letters.append(parsed)
        return "250 OK"


class Anywhere(Controller):
    """A server on a free port, which it has to know before it tries itself."""

    @override
    def _trigger_server(self) -> None:
        self.port = port_of(self)
        super()._trigger_server()  # type: ignore[no-untyped-call]  # aiosmtpd's


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def server(mailbox: Mailbox) -> Iterator[Controller]:
    def authenticate(*parts: Any) -> AuthResult:
        return AuthResult(success=parts[-1].password == b"right", handled=False)

    controller = Anywhere(
        mailbox,
        hostname="127.0.0.1",
        port=0,
        authenticator=authenticate,
        auth_require_tls=False,
        auth_exclude_mechanism=["LOGIN"],  # a second failure ends the session
    )
    controller.start()
    yield controller
    controller.stop()


def port_of(server: Controller) -> int:
    assert server.server is not None
    number: int = server.server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]  # asyncio's server
    return number


@pytest.fixture
def notifier(server: Controller) -> EmailNotifier:
    return EmailNotifier(settings(port_of(server)))


def settings(port: int, **more: Any) -> Settings:
    table = {"host": "127.0.0.1", "port": port, "security": "none"}
    return Settings.model_validate(
        {**table, "sender": "hub@letsbe.example", "timeout": 5, **more}
    )


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as taken:  # bound, and nobody listens
        taken.bind(("127.0.0.1", 0))
        yield taken.getsockname()[1]


class TestEmail(NotifierContract):
    module = "letsbe_notifier_email"
    wrong_addresses = ("owner", "owner@", "Owner <owner@example.com>", "a@b.c, d@e.f")
    secrets = ("right",)

    @pytest.fixture
    @override
    def notifier(self, server: Controller) -> Notifier:
        login = {"username": "hub", "password": "right"}
        return EmailNotifier(settings(port_of(server), **login))

    @pytest.fixture
    @override
    def away(self, closed_port: int) -> Notifier:
        return EmailNotifier(settings(closed_port, username="hub", password="right"))

    @pytest.fixture
    @override
    def address(self) -> str:
        return "owner@example.com"

    @pytest.fixture
    @override
    def dead_address(self) -> str:
        return "gone@example.com"

    @pytest.fixture
    @override
    def arrived(self, mailbox: Mailbox) -> Arrivals:
        return lambda: [str(letter["Subject"]) for letter in mailbox.letters]


async def test_a_notice_arrives_as_a_letter(
    notifier: EmailNotifier, mailbox: Mailbox
) -> None:
    assert (await notifier.check()).healthy
    await notifier.send("owner@example.com", NOTICE)
    await notifier.send("owner@example.com", NOTICE)
    first, second = mailbox.letters
    assert first["Subject"] == "Approve: delete 3 files"
    assert first["To"] == "owner@example.com"
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Auto-Submitted"] == "auto-generated"
    plain = first.get_body(("plain",))
    html = first.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert "rm -r <old> & more" in plain.get_content()
    assert "https://hub.example/approvals/apr_1?a=1&b=2" in plain.get_content()
    assert "rm -r &lt;old&gt; &amp; more" in html.get_content()
    assert "<old>" not in html.get_content()


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("gone", AddressGone),
        ("plain", AddressGone),
        ("policy", Rejected),
        ("full", TryLater),
    ],
)
async def test_each_refusal_is_told_as_what_it_means(
    notifier: EmailNotifier, name: str, error: type[Exception]
) -> None:
    with pytest.raises(error) as caught:
        await notifier.send(f"{name}@example.com", NOTICE)
    assert type(caught.value) is error
    assert name not in str(caught.value)


async def test_a_password_is_used_and_a_wrong_one_is_not_shown(
    server: Controller, mailbox: Mailbox
) -> None:
    right = {"username": "hub", "password": "right"}
    notifier = EmailNotifier(settings(port_of(server), **right))
    await notifier.send("owner@example.com", NOTICE)
    assert len(mailbox.letters) == 1
    wrong = settings(port_of(server), username="hub", password="wrong-canary")
    assert "canary" not in repr(wrong)
    notifier = EmailNotifier(wrong)
    with pytest.raises(TryLater) as caught:
        await notifier.send("owner@example.com", NOTICE)
    assert "canary" not in str(caught.value)
    health = await notifier.check()
    assert not health.healthy
    assert "password" in health.message


@pytest.mark.parametrize(
    "address",
    [
        "",
        "owner",
        "owner@",
        "@example.com",
        "owner@localhost",
        "Owner <owner@example.com>",
        "a@b.com, c@d.com",
        "owner@example.com\nBcc: x@y.com",
        "owner@exa mple.com",
        "x" * 65 + "@example.com",
        "o@" + "x." * 130 + "com",
    ],
)
def test_what_is_no_plain_address_is_refused(address: str) -> None:
    with pytest.raises(InvalidRequest):
        EmailNotifier(settings(25)).check_address(address)


def test_a_hosts_case_does_not_make_two_addresses() -> None:
    notifier = EmailNotifier(settings(25))
    assert notifier.check_address(" Owner@Example.COM ") == "Owner@example.com"


@given(st.text(max_size=60), st.text(max_size=200))
def test_no_title_or_body_adds_a_header(title: str, body: str) -> None:
    made = letter(Notice("k", title, body), "hub@x.example", "o@example.com")
    parsed = email.message_from_bytes(made.as_bytes(), policy=email.policy.default)
    assert parsed.keys() == made.keys()
    assert parsed["To"] == "o@example.com"
    assert "Bcc" not in parsed


@pytest.mark.parametrize(
    "change",
    [
        {"host": "mail.example.com"},
        {"sender": "nobody"},
        {"port": 0},
        {"username": "u"},
        {"password": "secret"},
        {"passwort": "secret"},
        {"security": "maybe"},
    ],
)
def test_wrong_settings_are_refused(change: dict[str, Any]) -> None:
    table = {"host": "127.0.0.1", "security": "none", "sender": "a@b.example"}
    assert letsbe_notifiers(Site(roots=(), settings=table))[0].name == "email"
    with pytest.raises(ValidationError):
        letsbe_notifiers(Site(roots=(), settings={**table, **change}))
