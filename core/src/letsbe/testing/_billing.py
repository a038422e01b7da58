"""What every billing backend must do, as tests to inherit."""

from __future__ import annotations

import uuid
from contextlib import suppress
from dataclasses import replace
from typing import cast

import anyio
import pytest

from letsbe.discovery.records import Kind
from letsbe.errors import LetsBeError, Rejected
from letsbe.plugin._billing import (
    BillingAccount,
    BillingAdjustment,
    BillingBackend,
    BillingUnits,
    Meter,
)
from letsbe.testing._contract import Contract

_MINUTE = 60
_KEY_LENGTH = 100
_DAY = 86_400


class BillingBackendContract(Contract):
    """Tests for a billing backend: inherit, give ``module`` and fixture ``backend``.

    Each test runs in an event loop of its own, so ``backend`` must be good in any.

    Attributes:
        module: The plugin's module.
        patience: For how many seconds a sum may lag behind what was recorded.
    """

    kind = Kind.BILLING
    patience: float = 0.0

    @pytest.fixture
    def backend(self) -> BillingBackend:
        """Return the backend under test."""
        raise NotImplementedError

    def now(self) -> int:
        """Return the present time as the backend sees it."""
        raise NotImplementedError

    async def adjusted(self, backend: BillingBackend, customer: str) -> list[int]:
        """Return the amounts that are on a customer's next invoice."""
        raise NotImplementedError

    def test_it_is_healthy(self, backend: BillingBackend) -> None:
        """``check`` answers."""
        health = anyio.run(backend.check)
        assert health.healthy, health.message

    def test_an_account_stays_one_customer(self, backend: BillingBackend) -> None:
        """Opened twice, an account is one customer; another account is another."""

        async def test() -> None:
            first, second = _account(), _account()
            customer = await backend.open_account(first)
            assert await backend.open_account(first) == customer
            renamed = replace(first, name="Another Name")
            assert await backend.open_account(renamed) == customer
            assert await backend.open_account(second) != customer

        anyio.run(test)

    def test_units_count_once(self, backend: BillingBackend) -> None:
        """A line that is sent again and again is counted once."""

        async def test() -> None:
            line = await self._line(backend, 7)
            for _ in range(3):
                await backend.record(line)
            assert await self._sum(backend, line, 7) == 7

        anyio.run(test)

    def test_meters_and_customers_do_not_mix(self, backend: BillingBackend) -> None:
        """Each customer's meter has a sum of its own."""

        async def test() -> None:
            line = await self._line(backend, 5)
            other = await backend.open_account(_account())
            premium = replace(line, key=_key(), meter=Meter.PREMIUM, quantity=11)
            await backend.record(line)
            await backend.record(premium)
            await backend.record(replace(line, key=_key(), customer=other, quantity=3))
            assert await self._sum(backend, line, 5) == 5
            assert await self._sum(backend, premium, 11) == 11

        anyio.run(test)

    def test_a_correction_takes_units_back(self, backend: BillingBackend) -> None:
        """A line below zero lowers the sum."""

        async def test() -> None:
            line = await self._line(backend, 10)
            await backend.record(line)
            await backend.record(replace(line, key=_key(), quantity=-4))
            assert await self._sum(backend, line, 6) == 6

        anyio.run(test)

    def test_a_key_names_one_line(self, backend: BillingBackend) -> None:
        """Another line under a used key is refused or ignored, never counted."""

        async def test() -> None:
            line = await self._line(backend, 2)
            await backend.record(line)
            with suppress(Rejected):
                await backend.record(replace(line, quantity=900))
            assert await self._sum(backend, line, 2) == 2

        anyio.run(test)

    def test_the_sum_has_a_start_and_an_end(self, backend: BillingBackend) -> None:
        """Units used at ``start`` are in the sum, units used at ``end`` are not."""

        async def test() -> None:
            base = await self._line(backend, 1)
            minute = base.at - base.at % _MINUTE
            for at, quantity in ((minute, 1), (minute + _MINUTE, 2)):
                line = replace(base, key=_key(), at=at - _MINUTE, quantity=quantity)
                await backend.record(line)
            start = minute - _MINUTE
            assert await self._settled(backend, base, (start, minute), 1) == 1
            assert (
                await self._settled(backend, base, (minute, minute + _MINUTE), 2) == 2
            )

        anyio.run(test)

    @pytest.mark.parametrize("quantity", [1.5, "3", True, None])
    def test_units_are_whole_numbers(
        self, backend: BillingBackend, quantity: object
    ) -> None:
        """Whatever is no whole number is rejected."""

        async def test() -> None:
            line = await self._line(backend, 1)
            wrong = cast(int, quantity)
            with pytest.raises(Rejected):
                await backend.record(replace(line, quantity=wrong))

        anyio.run(test)

    def test_a_key_has_a_limit(self, backend: BillingBackend) -> None:
        """A key is one to a hundred characters."""

        async def test() -> None:
            line = await self._line(backend, 1)
            longest = (_key() + "x" * _KEY_LENGTH)[:_KEY_LENGTH]
            await backend.record(replace(line, key=longest))
            for key in ("", longest + "x"):
                with pytest.raises(Rejected):
                    await backend.record(replace(line, key=key))

        anyio.run(test)

    def test_an_unknown_customer_is_rejected(self, backend: BillingBackend) -> None:
        """Units and money for nobody are not taken."""

        async def test() -> None:
            line = await self._line(backend, 1)
            nobody = "cus_nobody0000000000"
            with pytest.raises(Rejected):
                await backend.record(replace(line, customer=nobody))
            money = BillingAdjustment(_key(), nobody, 100, "eur", "goodwill")
            with pytest.raises(Rejected):
                await backend.adjust(money)

        anyio.run(test)

    def test_units_too_old_are_rejected(self, backend: BillingBackend) -> None:
        """What the backend says that it does not take, it does not take."""

        async def test() -> None:
            if backend.accepts_back is None:
                return
            line = await self._line(backend, 1)
            old = line.at - backend.accepts_back - 2 * _DAY
            with pytest.raises(Rejected):
                await backend.record(replace(line, at=old))

        anyio.run(test)

    def test_lines_at_once_count_once_each(self, backend: BillingBackend) -> None:
        """Many lines of many customers at once, each sent twice, count once."""

        async def test() -> None:
            lines = [await self._line(backend, n + 1) for n in range(8)]
            async with anyio.create_task_group() as tasks:
                for line in [*lines, *lines]:
                    tasks.start_soon(_record_until_taken, backend, line)
            for line in lines:
                sum_ = await self._sum(backend, line, line.quantity)
                assert sum_ == line.quantity

        anyio.run(test)

    def test_an_adjustment_is_made_once(self, backend: BillingBackend) -> None:
        """Money goes on the next invoice once, debits and credits alike."""

        async def test() -> None:
            customer = await backend.open_account(_account())
            credit = BillingAdjustment(_key(), customer, -250, "eur", "an outage")
            debit = BillingAdjustment(_key(), customer, 990, "eur", "a late bucket")
            for money in (credit, debit, credit, debit):
                await backend.adjust(money)
            assert sorted(await self.adjusted(backend, customer)) == [-250, 990]

        anyio.run(test)

    @pytest.mark.parametrize(
        ("amount", "currency"), [(1.5, "eur"), (True, "eur"), (100, "EURO"), (100, "")]
    )
    def test_an_adjustment_is_whole_money(
        self, backend: BillingBackend, amount: object, currency: str
    ) -> None:
        """Amounts are integers of the smallest unit, currencies three letters."""

        async def test() -> None:
            customer = await backend.open_account(_account())
            money = BillingAdjustment(
                _key(), customer, cast(int, amount), currency, "wrong"
            )
            with pytest.raises(Rejected):
                await backend.adjust(money)

        anyio.run(test)

    async def _line(self, backend: BillingBackend, quantity: int) -> BillingUnits:
        customer = await backend.open_account(_account())
        at = self.now() - 10 * _MINUTE
        return BillingUnits(_key(), customer, Meter.OVERAGE, quantity, at)

    async def _sum(
        self, backend: BillingBackend, line: BillingUnits, expected: int
    ) -> int | None:
        start = line.at - line.at % _MINUTE - _MINUTE
        return await self._settled(backend, line, (start, start + 600), expected)

    async def _settled(
        self,
        backend: BillingBackend,
        line: BillingUnits,
        span: tuple[int, int],
        expected: int,
    ) -> int | None:
        """Ask for a sum until it is what is expected, or patience is at its end."""
        waited = 0.0
        while True:
            total = await backend.recorded(line.customer, line.meter, *span)
            if total == expected or waited >= self.patience:
                return total
            await anyio.sleep(1.0)
            waited += 1.0


def _account() -> BillingAccount:
    name = uuid.uuid4().hex
    return BillingAccount(f"acc_{name}", f"{name}@example.com", "Test & Söhne")


def _key() -> str:
    return f"test-{uuid.uuid4().hex}"


async def _record_until_taken(backend: BillingBackend, line: BillingUnits) -> None:
    for _ in range(20):
        try:
            await backend.record(line)
        except Rejected:
            raise
        except LetsBeError:  # TryLater: the only other one that a backend may raise
            await anyio.sleep(0.05)
        else:
            return
    message = "a line was not taken in twenty attempts"
    raise AssertionError(message)
