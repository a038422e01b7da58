"""What of many long runs can be no secret, told of all of them at once.

A hostile or unlucky text has tens of thousands. Each question here is one that the
interpreter's own functions answer, in a third of a microsecond for each run; judging
one by itself takes from two to ten.
"""

from __future__ import annotations

from letsbe_redactor_entropy.judging import (
    DIGEST_LENGTHS,
    LONGEST,
    MOST,
    MOST_MIXED,
    is_joined,
)
from letsbe_redactor_entropy.runs import LEAST, Runs

_HEX_DIGITS = b"0123456789abcdef"
_ANY_HEX = _HEX_DIGITS + b"ABCDEF"
_PADDING = b"="
_INTEGRITY = (b"sha512-", b"sha384-", b"sha256-", b"sha1-")  # of lock files
_UUID_LENGTH, _DASHES = 36, b"----"


def screened(text: bytes, runs: Runs) -> Runs:
    """Leave out what most long runs are: digests, UUIDs, one character repeated.

    Args:
        text: The text.
        runs: Its long runs.
    """
    # One expression for all, as a call for each run would take as long as the rest.
    return runs.kept(
        size >= LEAST
        and (size not in DIGEST_LENGTHS or value.strip(_HEX_DIGITS))
        and (
            size != _UUID_LENGTH
            or value[8:24:5] != _DASHES
            or value.translate(None, _ANY_HEX) != _DASHES
        )
        and not value.startswith(_INTEGRITY)
        and (
            is_joined(value)
            if size > LONGEST  # a file or a picture, unless it is names
            else (often := value.count(value[-1])) <= MOST_MIXED[size]
            or (often <= MOST[size] and (value.islower() or value.isupper()))
            or not value.isalnum()  # of names that are joined, each is judged by itself
            or text.startswith(_PADDING, end)  # which would be the last character
        )
        for size, value, end in zip(
            runs.lengths(), runs.cut_from(text), runs.ends, strict=True
        )
    )
