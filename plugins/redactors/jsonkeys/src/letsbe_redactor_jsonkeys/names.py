"""Which keys hold secrets: by their last words, never by a part of a word."""

from __future__ import annotations

import re
import tomllib
from enum import Enum
from functools import lru_cache
from importlib import resources

_TABLES: dict[str, list[str]] = tomllib.loads(
    (resources.files("letsbe_redactor_jsonkeys") / "words.toml").read_text("utf-8")
)
_SETS = {name: frozenset(words) for name, words in _TABLES.items()}
_JOINED_PASSWORDS = tuple(_TABLES["joined_passwords"])
_JOINED_SECRETS = tuple(_TABLES["joined_secrets"])
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_LONGEST_PASS = 3
"""``pass`` ends longer names that are no password: ``tests_that_did_pass``."""


class Sensitivity(Enum):
    """What a key's value is."""

    NONE = 0
    """Nothing to hide."""
    SECRET = 1
    """A key or token: characters that were drawn."""
    PASSWORD = 2
    """A password: any text, even a word."""
    CODE = 3
    """A PIN or one-time code: digits."""


@lru_cache(maxsize=16_384)
def sensitivity(name: bytes) -> Sensitivity:
    """Say what a key's value is, by the key's name.

    Args:
        name: The key without its quotes, such as ``dbPassword`` or ``X-Api-Key``.
    """
    words = [word.lower() for word in _WORDS.findall(name.decode("ascii", "replace"))]
    while len(words) > 1 and (words[-1] in _SETS["qualifiers"] or words[-1].isdigit()):
        words.pop()
    if not words or _SETS["harmless"].intersection(words[:-1]):
        return Sensitivity.NONE
    return _of_words(words)


def _of_words(words: list[str]) -> Sensitivity:
    last, pair = words[-1], " ".join(words[-2:])
    if last == "pass" and len(words) > _LONGEST_PASS:
        return Sensitivity.NONE
    if last in _SETS["passwords"] or pair in _SETS["phrases"]:
        return Sensitivity.PASSWORD
    if last in _SETS["codes"] and len(words) <= len(pair.split()):
        return Sensitivity.CODE
    if last in _SETS["secrets"] or pair in _SETS["pairs"]:
        return Sensitivity.SECRET
    if last == "key" and words[-2:-1] and words[-2] in _SETS["kinds_of_key"]:
        return Sensitivity.SECRET
    if last.endswith(_JOINED_PASSWORDS):
        return Sensitivity.PASSWORD
    return Sensitivity.SECRET if last.endswith(_JOINED_SECRETS) else Sensitivity.NONE
