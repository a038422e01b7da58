"""Tells random characters from words, names and numbers.

The plan's bound, 4.5 bits a character, was set for base64. Sixteen hexadecimal digits
cannot hold more than 4 bits and 32 characters seldom reach 4.5, so each alphabet and
length has the bound that nearly all random strings of it reach.

A text may have tens of thousands of long runs. So what is quickly told comes first, and
a value is only read character by character when nothing less decides.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections import Counter
from functools import lru_cache

_HEX = re.compile(rb"[0-9a-f]+|[0-9A-F]+")
_BASE32 = re.compile(rb"[A-Z2-7]+")
_BASE36 = re.compile(rb"[a-z0-9]+|[A-Z0-9]+")
_ALTERNATIVE = b"-_"
_TEXT = re.compile(rb"[^\t\n\r -~]")
_LONGEST_HEX = 160
_NAMED_DIGEST = re.compile(
    rb"(?:[A-Za-z]{2,20}[0-9]{0,3}[-_/.]){1,6}(?:[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64})"
)
_WORDS = re.compile(rb"[A-Z]?[a-z]{3,}|[A-Z]{4,}|[0-9]{6,}")
_NUMBERS = re.compile(rb"(?<=[A-Za-z])[0-9]{1,5}")
_SEPARATORS = re.compile(rb"[-_/+]+")
_WORDY = 0.6
_PADDED = 5
_KINDS = bytes(
    ord("a" if chr(n).islower() else "A" if chr(n).isupper() else "0")
    if chr(n).isalnum()
    else ord("-")
    for n in range(128)
).ljust(256, b"-")
# The first of four letters of base64 whose first byte is ASCII.
_ASCII_FIRST = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef"
_OTHERS = 64  # characters of base64 and its padding, but one
LONGEST = 1024
"""What is longer is a file or a picture."""

DIGEST_LENGTHS = frozenset((32, 40, 48, 56, 64, 96, 128))
"""How many hexadecimal digits a digest has."""

_LOG = [0.0, *(n * math.log2(n) for n in range(1, LONGEST + 3))]
"""The share of a character in the entropy, by how often it stands there."""


def entropy(value: bytes) -> float:
    """Return a value's entropy in bits a byte, at most :data:`LONGEST` of them."""
    size = len(value)
    return (_LOG[size] - sum(map(_LOG.__getitem__, Counter(value).values()))) / size


def is_secret(value: bytes) -> bool:
    """Say whether a value is random enough to be a secret.

    Args:
        value: A run of letters, digits and ``+ / _ -``, at least 32.
    """
    size = len(value)
    if size > LONGEST or value.isalpha():
        return False
    bound = _bound(value)
    often = value.count(value[-1])
    if often > _MOST[bound][size] or is_digest(value):
        return False
    kinds = value.translate(_KINDS)
    if b"0" not in kinds or (
        often > size // _PADDED and _is_padded(value, often, bound)
    ):
        return False
    if entropy(value) < bound or is_encoded_text(value):
        return False
    return not (_has_words(kinds) and is_wordy(value))


def _is_padded(value: bytes, often: int, bound: float) -> bool:
    """Say whether what a value ends with takes too much of it.

    What is left cannot have more entropy than if its characters were equally frequent.
    """
    return len(set(value)) <= _fewest_others(len(value), often, bound)


@lru_cache(maxsize=4096)
def _fewest_others(size: int, often: int, bound: float) -> int:
    """Return how many other characters are too few beside one that stands so often."""
    rest = size - often
    for distinct in range(1, rest + 1):
        least, more = divmod(rest, distinct)
        others = more * _LOG[least + 1] + (distinct - more) * _LOG[least]
        if (_LOG[size] - _LOG[often] - others) / size >= bound:
            return distinct
    return size


def is_digest(value: bytes) -> bool:
    """Say whether a value is a digest, with words before it or alone, or a dump."""
    if len(value) in DIGEST_LENGTHS or len(value) > _LONGEST_HEX:
        return _HEX.fullmatch(value) is not None
    return not value.isalnum() and _NAMED_DIGEST.fullmatch(value) is not None


def is_joined(run: bytes) -> bool:
    """Tell a path, or names that are joined: base64 has ``+ /`` or ``- _``."""
    return (b"/" in run or b"+" in run) and (b"-" in run or b"_" in run)


def is_encoded_text(value: bytes) -> bool:
    """Say whether a value is a sentence in base64."""
    whole = value[: len(value) // 4 * 4]
    if whole[::4].strip(_ASCII_FIRST):
        return False
    try:
        decoded = base64.b64decode(whole, altchars=_ALTERNATIVE, validate=True)
    except (binascii.Error, ValueError):
        return False
    return (
        decoded.count(b" ") >= 2 and decoded.isascii() and _TEXT.search(decoded) is None
    )


def is_wordy(value: bytes) -> bool:
    """Say whether most of a value is words or numbers: a name, a path, a sentence."""
    kinds = value.translate(_KINDS)
    one_case = not (b"a" in kinds and b"A" in kinds)
    if one_case and 12 * len(_NUMBERS.findall(value)) > len(value):
        # Letters and digits take turns as in no name; the letters alone could be words.
        return False
    covered = sum(map(len, _WORDS.findall(value)))
    separators = len(_SEPARATORS.findall(value))
    return covered + 2 * separators > _WORDY * len(value)


def _has_words(kinds: bytes) -> bool:
    """Say whether a value may be wordy, at a tenth of the cost of looking for words.

    A word of five letters counts as one stretch of three, with a capital before it is
    six; and so on.

    Args:
        kinds: The value's characters by their kind.
    """
    most = 6 * kinds.count(b"aaa") + 7 * kinds.count(b"AAAA")
    most += 11 * kinds.count(b"000000") + 2 * kinds.count(b"-")
    return most > _WORDY * len(kinds)


def _bound(value: bytes) -> float:
    """Return the least entropy, in bits a byte, that a secret of this form has."""
    if not (value.islower() or value.isupper()):
        # Of both cases; or digits and signs alone, which never have so much.
        return _mixed_bound(len(value))
    if _HEX.fullmatch(value):
        return 3.4
    if _BASE32.fullmatch(value):
        return 3.9
    if _BASE36.fullmatch(value):
        return 4.0
    return 4.2


def _mixed_bound(size: int) -> float:
    return 4.5 if size >= 40 else 4.25


def _most(bound: float) -> list[int]:
    """Return, by length, how often one character may stand in a secret.

    Even if no other character stands there twice, the entropy is below the bound then.
    """
    most = [0]
    for size in range(1, LONGEST + 1):
        often = most[-1]
        while often < size and _highest(size, often + 1) >= bound:
            often += 1
        most.append(often)
    return most


def _highest(size: int, often: int) -> float:
    """Return the most entropy that is left if one character stands so often."""
    others = size - often
    spread = others * math.log2(max(others / _OTHERS, 1))
    return (_LOG[size] - _LOG[often] - spread) / size


_MOST = {bound: _most(bound) for bound in (3.4, 3.9, 4.0, 4.2, 4.25, 4.5)}
MOST = _MOST[min(_MOST)]
"""By length, how often one character may stand in a secret of any alphabet."""

MOST_MIXED = [_MOST[_mixed_bound(size)][size] for size in range(LONGEST + 1)]
"""The same for one of both cases."""
