"""The backend: one JSON line for each thing that was recorded, in order."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from letsbe.plugin import (
    BillingAccount,
    BillingAdjustment,
    BillingUnits,
    Health,
    Meter,
    Rejected,
    TryLater,
)

_LONGEST_KEY = 100


class SampleBackend:
    """Appends lines to a file, each key once.

    Args:
        path: The file; this process alone writes it.
    """

    name = "sample"
    remembers: int | None = None
    accepts_back: int | None = None

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._lines: dict[tuple[str, str], dict[str, Any]] = {}
        if path.exists():
            for line in path.read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                self._lines[row["what"], row["key"]] = row

    async def open_account(self, account: BillingAccount) -> str:
        """Make an account known; its own id is the customer's."""
        row = {"what": "account", "key": account.id, "email": account.email}
        if ("account", account.id) not in self._lines:
            self._append(row)
        return account.id

    async def record(self, units: BillingUnits) -> None:
        """Record units once."""
        if type(units.quantity) is not int:
            raise Rejected("the quantity is not a whole number")
        self._keep("units", asdict(units))

    async def recorded(
        self, customer: str, meter: Meter, start: int, end: int
    ) -> int | None:
        """Return the sum of units between two times."""
        total: int = sum(
            row["quantity"]
            for (what, _), row in self._lines.items()
            if what == "units"
            and (row["customer"], row["meter"]) == (customer, meter)
            and start <= row["at"] < end
        )
        return total

    async def adjust(self, adjustment: BillingAdjustment) -> None:
        """Record an adjustment once."""
        currency = adjustment.currency
        if type(adjustment.amount) is not int:
            raise Rejected("the amount is not a whole number")
        if len(currency) != 3 or not currency.islower():
            raise Rejected("the currency is not three lower-case letters")
        self._keep("adjustment", asdict(adjustment))

    def adjustments(self, customer: str) -> list[int]:
        """Return the amounts that are on a customer's next invoice."""
        return [
            row["amount"]
            for (what, _), row in self._lines.items()
            if what == "adjustment" and row["customer"] == customer
        ]

    async def check(self) -> Health:
        """Say whether the file can be written."""
        usable = os.access(self._path.parent, os.W_OK)
        return Health(usable, "" if usable else "its folder cannot be written")

    def _keep(self, what: str, values: Mapping[str, Any]) -> None:
        key, customer = values["key"], values["customer"]
        if not 1 <= len(key) <= _LONGEST_KEY:
            raise Rejected("the key must have 1 to 100 characters")
        if ("account", customer) not in self._lines:
            raise Rejected("there is no such customer")
        row = {"what": what, **values}
        known = self._lines.get((what, key))
        if known is None:
            self._append(row)
        elif known != row:
            raise Rejected("another line has that key")

    def _append(self, row: dict[str, Any]) -> None:
        with self._lock:
            try:
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(row) + "\n")
                    file.flush()
                    os.fsync(file.fileno())
            except OSError:
                raise TryLater("the file cannot be written") from None
            self._lines[row["what"], row["key"]] = row
