"""The ledger keeps the contract, and what it holds survives a kill."""

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from pathlib import Path

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from typing_extensions import override

from letsbe.plugin import (
    BillingAccount,
    BillingBackend,
    BillingUnits,
    Meter,
    Rejected,
    Site,
    TryLater,
)
from letsbe.testing import BillingBackendContract
from letsbe_billing_ledger import Ledger, letsbe_billing_backends

ACCOUNT = BillingAccount("acc_1", "owner@example.com", "Shop")
KILLED = """
import sys, anyio, pathlib
from letsbe.plugin import BillingAccount, BillingUnits, Meter
from letsbe_billing_ledger import Ledger
async def main():
    ledger = Ledger(pathlib.Path(sys.argv[1]))
    customer = await ledger.open_account(BillingAccount("acc_1", "a@example.com", "A"))
    for n in range(10_000):
        line = BillingUnits(f"line-{n}", customer, Meter.OVERAGE, 1, 1_000)
        await ledger.record(line)
        print(n, flush=True)
anyio.run(main)
"""


class TestContract(BillingBackendContract):
    module = "letsbe_billing_ledger"

    @pytest.fixture
    @override
    def backend(self, tmp_path: Path) -> BillingBackend:
        return Ledger(tmp_path / "ledger.db")

    @override
    def now(self) -> int:
        return int(time.time())

    @override
    async def adjusted(self, backend: BillingBackend, customer: str) -> list[int]:
        assert isinstance(backend, Ledger)
        return [line.amount for line in await backend.adjustments(customer)]


def test_the_key_of_another_line_is_rejected(tmp_path: Path) -> None:
    async def test() -> None:
        ledger = Ledger(tmp_path / "ledger.db")
        customer = await ledger.open_account(ACCOUNT)
        line = BillingUnits("line", customer, Meter.OVERAGE, 5, 1_000)
        await ledger.record(line)
        other = BillingUnits("line", customer, Meter.PREMIUM, 5, 1_000)
        with pytest.raises(Rejected, match="another line"):
            await ledger.record(other)

    anyio.run(test)


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    acknowledged = -1
    while acknowledged < 20:
        acknowledged = int(process.stdout.readline())
    os.kill(process.pid, signal.SIGKILL)
    rest = process.stdout.read().split()
    process.wait()
    process.stdout.close()
    acknowledged = int(rest[-1]) if rest else acknowledged

    async def total() -> int | None:
        return await Ledger(path).recorded("ledger:acc_1", Meter.OVERAGE, 0, 2_000)

    found = anyio.run(total)
    assert found is not None
    assert acknowledged + 1 <= found <= acknowledged + 2  # one may be unacknowledged


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.tuples(st.sampled_from("abcdef"), st.integers(-(10**12), 10**12)),
        min_size=1,
        max_size=12,
    )
)
def test_the_sum_is_that_of_the_first_line_of_each_key(
    tmp_path: Path, sent: list[tuple[str, int]]
) -> None:
    path = tmp_path / "ledger.db"
    path.unlink(missing_ok=True)

    async def test() -> int | None:
        ledger = Ledger(path)
        customer = await ledger.open_account(ACCOUNT)
        for key, quantity in sent:
            line = BillingUnits(key, customer, Meter.OVERAGE, quantity, 60)
            try:
                await ledger.record(line)
            except Rejected:
                continue
        return await ledger.recorded(customer, Meter.OVERAGE, 0, 120)

    first = dict(reversed(sent))
    assert anyio.run(test) == sum(first.values())


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    anyio.run(Ledger(path).open_account, ACCOUNT)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_is_no_ledger_is_unhealthy_and_takes_nothing(
    tmp_path: Path,
) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"something else entirely" * 100)
    assert not anyio.run(Ledger(path).check).healthy
    with pytest.raises(TryLater):
        anyio.run(Ledger(path).open_account, ACCOUNT)
    assert path.read_bytes() == b"something else entirely" * 100


def test_a_locked_file_asks_to_try_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("letsbe_billing_ledger.ledger._WAIT", 0.05)
    path = tmp_path / "ledger.db"
    anyio.run(Ledger(path).open_account, ACCOUNT)
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(TryLater):
        anyio.run(Ledger(path).open_account, ACCOUNT)
    holder.execute("ROLLBACK")
    holder.close()
    assert anyio.run(Ledger(path).open_account, ACCOUNT) == "ledger:acc_1"


def test_it_registers_itself_with_its_settings(tmp_path: Path) -> None:
    site = Site(roots=(), settings={"path": str(tmp_path / "ledger.db")})
    (backend,) = letsbe_billing_backends(site)
    assert backend.name == "ledger"
    for wrong in ({}, {"path": "relative.db"}, {"path": "/x", "paht": "/y"}):
        with pytest.raises(ValidationError):
            letsbe_billing_backends(Site(roots=(), settings=wrong))
