"""What the log notifier writes, and what it does not."""

import logging

import anyio
import pytest
from typing_extensions import override

from letsbe.plugin import ConfigurationError, InvalidRequest, Notice, Notifier, Site
from letsbe.testing import Arrivals, NotifierContract
from letsbe_notifier_log import letsbe_notifiers


class TestLog(NotifierContract):
    module = "letsbe_notifier_log"
    wrong_addresses = ("\x1b[2J", "x" * 65)

    @pytest.fixture
    @override
    def notifier(self, caplog: pytest.LogCaptureFixture) -> Notifier:
        caplog.set_level(logging.INFO)
        return letsbe_notifiers(Site(roots=()))[0]

    @pytest.fixture
    @override
    def address(self) -> str:
        return "operators"

    @pytest.fixture
    @override
    def dead_address(self) -> None:
        return None

    @pytest.fixture
    @override
    def away(self) -> None:
        return None

    @pytest.fixture
    @override
    def arrived(self, caplog: pytest.LogCaptureFixture) -> Arrivals:
        def titles() -> list[str]:
            mine = [r for r in caplog.records if r.name == "letsbe_notifier_log"]
            lines = "\n".join(record.getMessage() for record in mine).splitlines()
            return [line.split("operators: ")[1].rsplit(" ", 1)[0] for line in lines]

        return titles


def test_a_notice_is_a_line_without_the_links_token(
    caplog: pytest.LogCaptureFixture,
) -> None:
    (log,) = letsbe_notifiers(Site(roots=()))
    url = "https://hub.example/reset?token=canary1#canary2"
    notice = Notice("k-1", "Reset your password", "Body canary3", url=url)
    with caplog.at_level(logging.INFO):
        assert anyio.run(log.send, "operators", notice) is None
    assert "k-1" in caplog.text
    assert "operators: Reset your password https://hub.example/reset" in caplog.text
    assert "canary" not in caplog.text


def test_what_is_urgent_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    (log,) = letsbe_notifiers(Site(roots=()))
    anyio.run(log.send, "operators", Notice("k", "Approve", "", urgent=True))
    assert caplog.records[0].levelno == logging.WARNING


@pytest.mark.parametrize("address", ["", "   ", "x" * 65, "two\nlines", "\x1b[2J"])
def test_an_address_is_one_short_printable_name(address: str) -> None:
    (log,) = letsbe_notifiers(Site(roots=()))
    assert log.check_address(" ops ") == "ops"
    with pytest.raises(InvalidRequest):
        log.check_address(address)


def test_it_is_healthy_knows_no_receipts_and_takes_no_settings() -> None:
    (log,) = letsbe_notifiers(Site(roots=()))
    assert anyio.run(log.check).healthy
    assert anyio.run(log.receipts, ["r"]) == {}
    with pytest.raises(ConfigurationError):
        letsbe_notifiers(Site(roots=(), settings={"file": "x"}))
