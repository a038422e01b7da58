"""What a line or an adjustment must be before it is written."""

from __future__ import annotations

import re

from letsbe.plugin import BillingAdjustment, BillingUnits, Rejected

_CURRENCY = re.compile(r"[a-z]{3}")
_LARGEST = 2**63 - 1
_KEY_LENGTH = 100


def check_units(units: BillingUnits) -> None:
    """Refuse a line that is not whole numbers under a proper key.

    Raises:
        Rejected: The message names the field.
    """
    _check_key(units.key)
    _check_number("quantity", units.quantity)
    _check_number("at", units.at)


def check_adjustment(adjustment: BillingAdjustment) -> None:
    """Refuse an adjustment that is not whole money with a reason.

    Raises:
        Rejected: The message names the field.
    """
    _check_key(adjustment.key)
    _check_number("amount", adjustment.amount)
    if not _CURRENCY.fullmatch(adjustment.currency):
        raise Rejected("currency must be three lower-case letters")
    if not adjustment.reason.strip():
        raise Rejected("reason must say why, in a line that the customer may read")


def _check_key(key: str) -> None:
    if not 0 < len(key) <= _KEY_LENGTH:
        raise Rejected(f"key must be 1 to {_KEY_LENGTH} characters")


def _check_number(field: str, number: object) -> None:
    if type(number) is not int or not -_LARGEST <= number <= _LARGEST:
        raise Rejected(f"{field} must be a whole number that fits 64 bits")
