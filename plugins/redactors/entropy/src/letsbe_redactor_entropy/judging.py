"""Tells random characters from words, names and numbers.

The plan's bound, 4.5 bits a character, was set for base64. Sixteen hexadecimal digits
cannot hold more than 4 bits and 32 characters seldom reach 4.5, so each alphabet and
length has the bound that nearly all random strings of it reach.
"""

from __future__ import annotations

import base64
import binascii
import math
import re

_HEX = re.compile(rb"[0-9a-f]+|[0-9A-F]+")
_BASE32 = re.compile(rb"[A-Z2-7]+")
_BASE36 = re.compile(rb"[a-z0-9]+|[A-Z0-9]+")
_DIGEST_LENGTHS = frozenset((32, 40, 48, 56, 64, 96, 128))
_ALTERNATIVE = b"-_"
_TEXT = re.compile(rb"[^\t\n\r -~]")
_LONGEST_HEX = 160
_NAMED_DIGEST = re.compile(
    rb"(?:[A-Za-z]{2,20}[0-9]{0,3}[-_/.]){1,6}(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})"
)
_WORDS = re.compile(rb"[A-Z]?[a-z]{3,}|[A-Z]{4,}|[0-9]{6,}")
_NUMBERS = re.compile(rb"(?<=[A-Za-z])[0-9]{1,5}")
_SEPARATORS = re.compile(rb"[-_/+]+")
_LOWER, _UPPER, _DIGIT = (
    re.compile(rb"[a-z]"),
    re.compile(rb"[A-Z]"),
    re.compile(rb"[0-9]"),
)
LONGEST = 1024
"""What is longer is a file or a picture."""


def entropy(value: bytes) -> float:
    """Return a value's entropy in bits a byte."""
    size = len(value)
    counts = [value.count(byte) for byte in set(value)]
    return math.log2(size) - sum(n * math.log2(n) for n in counts) / size


def is_secret(value: bytes) -> bool:
    """Say whether a value is random enough to be a secret.

    Args:
        value: A run of letters, digits and ``+ / _ -``, at least 32.
    """
    if len(value) > LONGEST or _DIGIT.search(value) is None:
        return False
    if is_digest(value) or is_wordy(value) or is_encoded_text(value):
        return False
    return entropy(value) >= _bound(value)


def is_digest(value: bytes) -> bool:
    """Say whether a value is a digest, with words before it or alone, or a dump."""
    if len(value) in _DIGEST_LENGTHS or len(value) > _LONGEST_HEX:
        return _HEX.fullmatch(value) is not None
    return _NAMED_DIGEST.fullmatch(value) is not None


def is_encoded_text(value: bytes) -> bool:
    """Say whether a value is a sentence in base64."""
    whole = value[: len(value) // 4 * 4]
    try:
        decoded = base64.b64decode(whole, altchars=_ALTERNATIVE, validate=True)
    except (binascii.Error, ValueError):
        return False
    return (
        decoded.count(b" ") >= 2 and decoded.isascii() and _TEXT.search(decoded) is None
    )


def is_wordy(value: bytes) -> bool:
    """Say whether most of a value is words or numbers: a name, a path, a sentence."""
    one_case = not (_LOWER.search(value) and _UPPER.search(value))
    if one_case and 12 * len(_NUMBERS.findall(value)) > len(value):
        # Letters and digits take turns as in no name; the letters alone could be words.
        return False
    covered = sum(len(word) for word in _WORDS.findall(value))
    separators = len(_SEPARATORS.findall(value))
    return covered + 2 * separators > 0.6 * len(value)


def _bound(value: bytes) -> float:
    """Return the least entropy, in bits a byte, that a secret of this form has."""
    size = len(value)
    if _HEX.fullmatch(value):
        return 3.4
    if _BASE32.fullmatch(value):
        return 3.9
    if _BASE36.fullmatch(value):
        return 4.0
    if not (_LOWER.search(value) and _UPPER.search(value)):
        return 4.2
    return 4.5 if size >= 40 else 4.25
