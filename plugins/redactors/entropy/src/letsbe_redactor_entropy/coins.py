"""Tells addresses of coins, which are made to be given away, by their checksum.

Most coins' addresses are a version, 20 bytes of a hash and four bytes of the whole's
SHA-256, in base 58. A secret of that form would have to be drawn 4,000 million times.
A private key in the same form is longer, and no address.
"""

from __future__ import annotations

import hashlib

_DIGITS = {
    digit: value
    for value, digit in enumerate(
        b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
    )
}
_LENGTHS = range(32, 37)
_CHECKED = 4
_WHOLE = range(25, 27)


def is_address_of_coins(value: bytes) -> bool:
    """Say whether a value is an address in base 58 with its checksum.

    Args:
        value: Letters and digits.
    """
    if len(value) not in _LENGTHS or not _DIGITS.keys() >= set(value):
        return False
    number = 0
    for digit in value:
        number = number * len(_DIGITS) + _DIGITS[digit]
    size = max(_WHOLE[0], (number.bit_length() + 7) // 8)
    if size not in _WHOLE:
        return False
    whole = number.to_bytes(size, "big")
    once = hashlib.sha256(whole[:-_CHECKED]).digest()
    return hashlib.sha256(once).digest()[:_CHECKED] == whole[-_CHECKED:]
