"""Addresses are told from what only looks like them by their checksum."""

from __future__ import annotations

import pytest

from letsbe_redactor_entropy.coins import is_address_of_coins
from letsbe_redactor_entropy.layer import EntropyLayer

ADDRESSES = [
    b"1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
    b"3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy",
    b"LVg2kJoFNg45Nbpy53h7Fe1wKyeXVRhMH9",
    b"TJRabPrwbZy45sbavfcjinPJC18kjpRTv8",
]
"""Of Bitcoin, Litecoin and Tron; the first two stand in every introduction."""


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_stays(address: bytes) -> None:
    assert is_address_of_coins(address)
    assert not list(EntropyLayer().find(b"send it to " + address + b" please"))


@pytest.mark.parametrize("address", ADDRESSES)
def test_with_one_character_changed_it_is_none(address: bytes) -> None:
    changed = address[:20] + (b"x" if address[20:21] != b"x" else b"y") + address[21:]
    assert not is_address_of_coins(changed)


@pytest.mark.parametrize("value", [b"", b"0" * 34, b"z" * 34, b"1" * 34])
def test_what_is_no_number_of_that_size_is_none(value: bytes) -> None:
    assert not is_address_of_coins(value)
