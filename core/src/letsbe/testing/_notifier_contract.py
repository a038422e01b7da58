"""What every notifier must do, as tests to inherit."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from typing import ClassVar, TypeAlias

import anyio
import pytest

from letsbe.discovery.records import Kind
from letsbe.errors import AddressGone, InvalidRequest, TryLater
from letsbe.plugin._notifying import Delivered, Notice, Notifier
from letsbe.testing._actions import CANARY
from letsbe.testing._contract import Contract

_NO_ADDRESSES = ("", "   ", f"{CANARY}\nlines@example.com", f"{CANARY}\0", "x" * 20_000)
_ODD = (
    *("", "a\r\nSubject: another\n\nbody", "t" * 2_000, "\N{RIGHT-TO-LEFT OVERRIDE}x"),
    *("<b>&amp;</b>", "\x1b[2J\x00", "Grüße \N{PARTY POPPER}", "{{ 7 * 7 }} %s {0}"),
)
_MANY = 8

Arrivals: TypeAlias = Callable[[], Iterable[str]]
"""Reads the title of each notice that reached an address."""


class NotifierContract(Contract):
    """Tests for a notifier: inherit, and give ``module`` and the fixtures.

    Each test runs in an event loop of its own, so a notifier must be good in any.

    Attributes:
        module: The plugin's module.
        wrong_addresses: Texts that are no address of this channel, beside those that
            are none of any.
        secrets: Values of its settings that must never be shown.
    """

    kind = Kind.NOTIFIER
    wrong_addresses: ClassVar[tuple[str, ...]]
    secrets: ClassVar[tuple[str, ...]] = ()

    @pytest.fixture
    def notifier(self) -> Notifier:
        """Return the notifier under test, its service running."""
        raise NotImplementedError

    @pytest.fixture
    def address(self) -> str:
        """Return an address that takes what is sent to it."""
        raise NotImplementedError

    @pytest.fixture
    def dead_address(self) -> str | None:
        """Return an address that its service calls dead; ``None`` if none can be."""
        raise NotImplementedError

    @pytest.fixture
    def away(self) -> Notifier | None:
        """Return one whose service does not answer; ``None`` if it needs none."""
        raise NotImplementedError

    @pytest.fixture
    def arrived(self) -> Arrivals:
        """Return what reads the titles that reached ``address``, in any order."""
        raise NotImplementedError

    def test_it_is_healthy_and_has_a_name(self, notifier: Notifier) -> None:
        """``check`` answers; ``name`` is a short word that preferences can hold."""
        health = anyio.run(notifier.check)
        assert health.healthy, health.message
        assert notifier.name.isidentifier(), notifier.name
        assert notifier.name.islower(), notifier.name

    def test_an_address_is_itself_when_it_is_checked_again(
        self, notifier: Notifier, address: str
    ) -> None:
        """What is stored is taken as it is, whenever it is looked at again."""
        stored = notifier.check_address(address)
        assert notifier.check_address(stored) == stored

    def test_what_is_no_address_is_refused_and_not_shown(
        self, notifier: Notifier
    ) -> None:
        """An error names the fault; the text, which may be anything, is not in it."""
        for wrong in (*self.wrong_addresses, *_NO_ADDRESSES):
            with pytest.raises(InvalidRequest) as caught:
                notifier.check_address(wrong)
            assert CANARY not in f"{caught.value} {caught.value.details}"

    def test_a_notice_arrives(
        self, notifier: Notifier, address: str, arrived: Arrivals
    ) -> None:
        """What was sent is there, and its receipt is a text, if it has one."""
        notice = _notice()
        receipt = anyio.run(notifier.send, notifier.check_address(address), notice)
        assert receipt is None or receipt
        assert notice.title in list(arrived())

    def test_a_notice_of_any_text_arrives(
        self, notifier: Notifier, address: str, arrived: Arrivals
    ) -> None:
        """Long, odd and hostile texts are made to fit, not refused, and add nothing."""
        sent = 0
        for text in _ODD:
            for notice in (_notice(body=text), _notice(title=f"T {text}")):
                anyio.run(notifier.send, notifier.check_address(address), notice)
                sent += 1
                assert len(list(arrived())) == sent, f"{text[:40]!r} did not arrive"

    def test_notices_at_once_arrive_each(
        self, notifier: Notifier, address: str, arrived: Arrivals
    ) -> None:
        """Notices that are sent at the same time do not get in each other's way."""
        notices = [_notice() for _ in range(_MANY)]

        async def test() -> None:
            async with anyio.create_task_group() as tasks:
                for notice in notices:
                    tasks.start_soon(
                        notifier.send, notifier.check_address(address), notice
                    )

        anyio.run(test)
        assert sorted(arrived()) == sorted(notice.title for notice in notices)

    def test_receipts_are_told_of_what_was_sent_alone(
        self, notifier: Notifier, address: str
    ) -> None:
        """Of nothing and of strangers nothing is told; of the rest, what is known."""
        stored = notifier.check_address(address)
        receipt = anyio.run(notifier.send, stored, _notice())
        assert anyio.run(notifier.receipts, []) == {}
        stranger = uuid.uuid4().hex
        assert anyio.run(notifier.receipts, [stranger]) in (
            {},
            {stranger: Delivered.PENDING},
        )
        if receipt is not None:
            told = anyio.run(notifier.receipts, [receipt])
            assert set(told) <= {receipt}
            assert all(isinstance(each, Delivered) for each in told.values())

    def test_a_service_that_is_away_means_later(
        self, away: Notifier | None, address: str
    ) -> None:
        """Then a notice may be sent again, and the health check says why."""
        if away is None:
            return
        with pytest.raises(TryLater):
            anyio.run(away.send, away.check_address(address), _notice())
        health = anyio.run(away.check)
        assert health.message or health.healthy

    def test_a_dead_address_is_told_and_not_shown(
        self, notifier: Notifier, dead_address: str | None
    ) -> None:
        """The Hub forgets an address that its service calls dead."""
        if dead_address is None:
            return
        stored = notifier.check_address(dead_address)
        with pytest.raises(AddressGone) as caught:
            anyio.run(notifier.send, stored, _notice())
        assert dead_address not in str(caught.value)

    def test_no_secret_of_its_settings_is_shown(
        self, notifier: Notifier, away: Notifier | None, address: str
    ) -> None:
        """Neither its text, nor its errors, nor its health have one."""
        shown = f"{notifier!r} {vars(notifier)!r}"
        for each in (notifier, away):
            if each is None:
                continue
            shown += anyio.run(each.check).message
            try:
                anyio.run(each.send, each.check_address(address), _notice())
            except TryLater as error:
                shown += f"{error!r} {error.alternative}"
        for secret in self.secrets:
            assert secret not in shown, "a secret of its settings is shown"


def _notice(title: str | None = None, body: str = "It wants to restart.") -> Notice:
    key = uuid.uuid4().hex
    return Notice(
        key,
        title or f"Approve {key[:8]}?",
        body,
        url=f"https://hub.example/approvals/{key}",
        urgent=True,
        data={"approval": key},
    )
