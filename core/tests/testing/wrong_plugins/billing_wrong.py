"""Billing backends that are wrong, each in one way. See test_contracts_fail.py."""

import time
import uuid
from dataclasses import replace

import anyio
import pytest
from billing_good import Good

from letsbe.plugin import Health, Meter
from letsbe.testing import BillingBackendContract


class TestGood(BillingBackendContract):
    module = "billing_good"
    Backend = Good

    @pytest.fixture
    def backend(self):
        return self.Backend(self.now())

    def now(self):
        return int(time.time())

    async def adjusted(self, backend, customer):
        return [m.amount for m in backend.money.values() if m.customer == customer]


# fails: test_importing_it_is_cheap_and_touches_nothing
class TestImport(TestGood):
    module = "billing_import"


# fails: test_it_says_which_api_it_was_written_for
class TestVersion(TestGood):
    module = "billing_versionless"


# fails: test_its_hooks_are_known
class TestHook(TestGood):
    module = "billing_versionless"


# fails: test_its_distribution_names_it
class TestUnlisted(TestGood):
    module = "billing_unlisted"


# fails: test_it_is_healthy
class TestIll(TestGood):
    class Backend(Good):
        async def check(self):
            return Health(False, "out of order")


# fails: test_an_account_stays_one_customer
class TestTwice(TestGood):
    class Backend(Good):
        async def open_account(self, account):
            self.accounts.pop(account.id, None)
            return self.accounts.setdefault(account.id, uuid.uuid4().hex)


# fails: test_units_count_once
class TestAgain(TestGood):
    class Backend(Good):
        async def record(self, units):
            await super().record(replace(units, key=uuid.uuid4().hex))


# fails: test_meters_and_customers_do_not_mix
class TestMixes(TestGood):
    class Backend(Good):
        async def recorded(self, customer, meter, start, end):
            sums = [super().recorded(customer, each, start, end) for each in Meter]
            return sum([await each for each in sums])


# fails: test_a_correction_takes_units_back
class TestGrows(TestGood):
    class Backend(Good):
        async def record(self, units):
            if type(units.quantity) is not int or units.quantity > 0:
                await super().record(units)


# fails: test_a_key_names_one_line
class TestReplaces(TestGood):
    class Backend(Good):
        def keep(self, kept, line):
            kept.pop(line.key, None)
            super().keep(kept, line)


# fails: test_the_sum_has_a_start_and_an_end
class TestEnd(TestGood):
    class Backend(Good):
        async def recorded(self, customer, meter, start, end):
            return await super().recorded(customer, meter, start, end + 1)


# fails: test_units_are_whole_numbers
class TestHalves(TestGood):
    class Backend(Good):
        async def record(self, units):
            self.keep(self.units, units)


# fails: test_a_key_has_a_limit
class TestKey(TestGood):
    class Backend(Good):
        def keep(self, kept, line):
            super().keep(kept, replace(line, key=line.key[:100] or "none"))


# fails: test_an_unknown_customer_is_rejected
class TestNobody(TestGood):
    class Backend(Good):
        def keep(self, kept, line):
            self.accounts.setdefault(line.customer, line.customer)
            super().keep(kept, line)


# fails: test_units_too_old_are_rejected
class TestOld(TestGood):
    class Backend(Good):
        async def record(self, units):
            await super().record(replace(units, at=max(units.at, self.now - 100)))


# fails: test_lines_at_once_count_once_each
class TestRace(TestGood):
    class Backend(Good):
        async def record(self, units):
            known = units.key in self.units
            await anyio.sleep(0)  # another call comes in between
            if known:
                return
            key = units.key if units.key not in self.units else uuid.uuid4().hex
            await super().record(replace(units, key=key))


# fails: test_an_adjustment_is_made_once
class TestPaysTwice(TestGood):
    class Backend(Good):
        async def adjust(self, adjustment):
            await super().adjust(replace(adjustment, key=uuid.uuid4().hex))


# fails: test_an_adjustment_is_whole_money
class TestMoney(TestGood):
    class Backend(Good):
        async def adjust(self, adjustment):
            self.keep(self.money, adjustment)
