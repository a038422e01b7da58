"""What of many long runs can be no secret, told of all of them at once.

A hostile or unlucky text has tens of thousands. Each question here is one that the
interpreter's own functions answer for a column of runs, at a tenth of a microsecond for
each run; judging one by itself takes from two to ten.
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
_PADDING = b"="


def screened(text: bytes, runs: Runs) -> Runs:
    """Leave out digests, which most long runs are, and what repeats its last character.

    Args:
        text: The text.
        runs: Its long runs.
    """
    # One expression for all, as a call for each run would take as long as the rest.
    return runs.kept(
        size >= LEAST
        and (size not in DIGEST_LENGTHS or value.strip(_HEX_DIGITS))
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
