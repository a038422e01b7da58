"""Notifiers that are wrong, each in one way. See test_contracts_fail.py."""

import anyio
import pytest
from notifier_good import Good

from letsbe.errors import InvalidRequest, Rejected
from letsbe.plugin import Delivered, Health
from letsbe.testing import NotifierContract

SECRET = "pass-9f31"


class TestGood(NotifierContract):
    module = "notifier_good"
    wrong_addresses = ("two words",)
    secrets = (SECRET,)
    Notifier = Good

    @pytest.fixture
    def notifier(self):
        return self.Notifier()

    @pytest.fixture
    def away(self):
        return self.Notifier(away=True)

    @pytest.fixture
    def address(self):
        return "owner"

    @pytest.fixture
    def dead_address(self):
        return "dead"

    @pytest.fixture
    def arrived(self, notifier):
        return lambda: notifier.titles


# fails: test_importing_it_is_cheap_and_touches_nothing
class TestImport(TestGood):
    module = "notifier_import"


# fails: test_it_says_which_api_it_was_written_for
class TestVersion(TestGood):
    module = "notifier_versionless"


# fails: test_its_hooks_are_known
class TestHook(TestGood):
    module = "notifier_versionless"


# fails: test_its_distribution_names_it
class TestUnlisted(TestGood):
    module = "notifier_unlisted"


# fails: test_it_is_healthy_and_has_a_name
class TestName(TestGood):
    class Notifier(Good):
        name = "My Channel"


# fails: test_an_address_is_itself_when_it_is_checked_again
class TestChanges(TestGood):
    class Notifier(Good):
        def check_address(self, address):
            return f"{super().check_address(address)}x"


# fails: test_what_is_no_address_is_refused_and_not_shown
class TestShows(TestGood):
    class Notifier(Good):
        def check_address(self, address):
            try:
                return super().check_address(address)
            except InvalidRequest:
                raise InvalidRequest(f"{address} is no address") from None


# fails: test_a_notice_arrives
class TestLoses(TestGood):
    class Notifier(Good):
        async def send(self, address, notice):
            return "sent"


# fails: test_a_notice_of_any_text_arrives
class TestLong(TestGood):
    class Notifier(Good):
        async def send(self, address, notice):
            if len(notice.title) > 200:
                raise Rejected("the title is too long")
            return await super().send(address, notice)


# fails: test_notices_at_once_arrive_each
class TestShared(TestGood):
    class Notifier(Good):
        async def send(self, address, notice):
            self.notice = notice  # which another call replaces
            await anyio.sleep(0.01)
            return await super().send(address, self.notice)


# fails: test_receipts_are_told_of_what_was_sent_alone
class TestReceipts(TestGood):
    class Notifier(Good):
        async def receipts(self, receipts):
            return dict.fromkeys(receipts, Delivered.DELIVERED)


# fails: test_a_service_that_is_away_means_later
class TestAway(TestGood):
    class Notifier(Good):
        async def send(self, address, notice):
            if self.away:
                raise Rejected("it is away")
            return await super().send(address, notice)


# fails: test_a_dead_address_is_told_and_not_shown
class TestDead(TestGood):
    class Notifier(Good):
        async def send(self, address, notice):
            return await super().send("owner", notice)


# fails: test_no_secret_of_its_settings_is_shown
class TestSecret(TestGood):
    class Notifier(Good):
        async def check(self):
            return Health(not self.away, f"cannot sign in with {SECRET}")
