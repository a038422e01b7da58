"""Characters that only look different, and text reduced to letters and digits."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import defaultdict
from collections.abc import Callable
from functools import lru_cache

LEFT_OUT = b"nrtux"
"""Letters of the escapes that stand between a value's letters in a JSON string:
``\\n``, ``\\r``, ``\\t``, ``\\x``, ``\\u``. Reduced text has none of them."""

_LETTERS = bytes(set(b"abcdefghijklmnopqrstuvwxyz0123456789") - set(LEFT_OUT))
# NUL stands for what was found before, and is in no form; bytes above 127 are letters.
_KEPT = {0, *_LETTERS, *_LETTERS.upper(), *range(128, 256)}
_DROPPED = bytes(byte for byte in range(256) if byte not in _KEPT)
_LOWER = bytes(range(256)).lower()
_NOT_ALNUM = bytes(b for b in range(1, 128) if not bytes([b]).isalnum())
# Letters of other alphabets that nobody tells from ours; and a dot that sets apart.
_ALIKE = dict(
    zip(
        "АВЕЗКМНОРСТУХЅІЈԚԜҮасеорухѕіјһԛԝүԁΑΒΕΖΗΙΚΜΝΟΡΤΥΧοντυικρχ·",
        "ABE3KMHOPCTYXSIJQWYaceopyxsijhqwydABEZHIKMNOPTYXovtuikpx ",
        strict=True,
    )
)
_FILLERS = "\u115f\u1160\u3164\uffa0"


def _alike() -> list[tuple[int, bytes]]:
    """Expressions for the letters that nobody tells from ours, by first byte."""
    seconds: defaultdict[int, bytes] = defaultdict(bytes)
    for first, second in map(str.encode, _ALIKE):
        seconds[first] += bytes((second,))
    return [(first, b"[" + some + b"]") for first, some in seconds.items()]


# Characters that are not seen, or that NFKC turns into plain letters, by first byte:
# a search for a fixed first byte passes over other text at the speed of memchr.
_VARIANTS = tuple(
    (bytes((first,)), re.compile(bytes((first,)) + rest, re.DOTALL))
    for first, rest in (
        (0xC2, rb"[\xa0\xaa\xad\xb2\xb3\xb7\xb9\xba]"),
        (0xCD, rb"\x8f"),
        *_alike(),
        (0xE1, rb"(?:\xa0[\x8b-\x8f]|\x85[\x9f\xa0]|\xb4[\xac-\xbf]|\xb5.)"),
        (
            0xE2,
            rb"(?:\x80[\x80-\x8f\xa8-\xaf]|\x81[\x9f-\xbf]|[\x82\x84\x85\x91-\x93].)",
        ),
        (0xE3, rb"(?:\x80\x80|\x85\xa4|[\x8b\x8d-\x8f].)"),
        (0xEF, rb"(?:\xac[\x80-\x86]|\xb8[\x80-\x8f]|\xbb\xbf|\xbc.|\xbd.|\xbe\xa0)"),
        (0xF0, rb"(?:\x9d[\x90-\x9f].|\x9f[\x84-\x86].)"),
        (0xF3, rb"\xa0[\x80-\x87]."),
    )
)
# Two letters after the backslash, so that re searches for that alone, as above.
_ESCAPED_VARIANTS = re.compile(
    rb"\\[uU](?:00[aA][0dD]|034[fF]|20[0-6][0-9a-fA-F]|180[b-eB-E]|[fF][eE]0[0-9a-fA-F]"
    rb"|[fF][eE][fF]{2}|[fF][fF][0-5][0-9a-fA-F]|3164|24[6-9a-fA-F][0-9a-fA-F]"
    rb"|00[bB][2379]|20[78][0-9a-fA-F]|0[34][0-9a-fA-F]{2}"
    rb"|[dD]835\\u[dD][c-fC-F][0-9a-fA-F]{2}|[dD][bB]40\\u[dD][cC][0-9a-fA-F]{2})"
)


def reduce(text: bytes) -> bytes:
    """Drop all but letters and digits, and the letters of :data:`LEFT_OUT`."""
    return text.translate(_LOWER, _DROPPED)


def count(text: bytes) -> int:
    """Tell how many bytes of a text stay when it is reduced."""
    return len(text.translate(None, _DROPPED))


def trim(text: bytes) -> bytes:
    """Drop what reducing drops at a text's ends."""
    return text.strip(_DROPPED)


def letters(text: bytes) -> bytes:
    """Drop all but letters and digits."""
    return text.translate(_LOWER, _NOT_ALNUM)


def level(text: bytes) -> bytes:
    """Put plain letters, or spaces, in place of characters that only look different."""
    text = replaced(_ESCAPED_VARIANTS, text, _plain)
    if not text.isascii():
        for first, pattern in _VARIANTS:
            # Ten times as fast as to let the expression search in vain.
            if first in text:
                text = replaced(pattern, text, _plain)
    return text


def replaced(
    pattern: re.Pattern[bytes], text: bytes, read: Callable[[bytes], bytes]
) -> bytes:
    """Replace what a pattern matches.

    Args:
        pattern: The pattern.
        text: The text.
        read: Gives what a match is replaced by; remembers it, as a text has the same
            ones often.
    """
    return pattern.sub(lambda match: read(match[0]), text)


def _unescaped(escape: bytes) -> str:
    text: str = json.loads(b'"' + escape.replace(b"U", b"u") + b'"')
    return text


@lru_cache(maxsize=8192)  # there are not many more
def _plain(whole: bytes) -> bytes:
    """Give the replacement of a character, padded to its length in bytes."""
    try:
        text = _unescaped(whole) if whole.isascii() else whole.decode()
    except ValueError:
        return whole
    plain = _ALIKE.get(text) or unicodedata.normalize("NFKC", text)
    if text in _FILLERS or unicodedata.category(text) in ("Cf", "Mn"):
        plain = ""
    encoded = plain.encode()
    return encoded.ljust(len(whole)) if len(encoded) <= len(whole) else whole
