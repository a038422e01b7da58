"""Values in disguise: other case, backwards, or with something in between.

Case and direction are searched for as they stand. For the rest, text and every form of
a value are reduced to letters and digits and compared like that; what is found by so
little is then compared again, with all of its letters.
"""

from __future__ import annotations

import json
import re
from base64 import b32encode
from collections.abc import Iterator

from letsbe_redactor_registry.forms import base64_cores
from letsbe_redactor_registry.levelling import letters, level, reduce
from letsbe_redactor_registry.part import Form

SHORTEST = 12
"""Reduced forms below this length are left out."""

SHORTEST_REDUCED = 7
"""Reduced forms of a value that looks random are left out below this length."""

LONG_ENOUGH = 20
"""From here on a value counts whatever it is made of; below, it must look random."""

SEED = 8
"""So many bytes of a form in a row are a hint that the rest of it is near. Shorter ones
are met by chance, and take hyperscan twice as long."""

SEEDS = 5
"""Seeds of a value, spread over it, so that one is whole wherever a line ends."""

SHORTEST_FOLDED = 8
"""Values below this length count in their own case alone."""

_SIGNS = re.compile(rb"[!#$%&*+/:;<=>?@^~|]")
_MARKED = re.compile(_SIGNS.pattern + rb"|[0-9][A-Za-z]")
_KINDS = tuple(map(re.compile, (rb"[a-z]", rb"[A-Z]", rb"[0-9]")))
_HALVES = b"abcdefghijklmnopqrstuvwxyz"
_ROT13 = bytes.maketrans(
    _HALVES + _HALVES.upper(),
    _HALVES[13:] + _HALVES[:13] + (_HALVES[13:] + _HALVES[:13]).upper(),
)
_CHANGES = re.compile(rb"(?<=[0-9])(?=[a-z])|(?<=[a-z])(?=[0-9])")
_TURNS = re.compile(
    rb"(?<=[0-9])(?=[A-Za-z])|(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z])(?=[a-z0-9])"
)


def folded_forms_of(value: str) -> dict[bytes, str]:
    """Give the forms of a value that count whatever their case.

    Args:
        value: The secret's value.

    Returns:
        The disguise's name by the form in lower case.
    """
    text = value.strip()
    data = _encoded(text)
    # Digits that are letters say nothing by their case.
    pairs = data.hex()
    forms = {} if len(pairs) < SHORTEST else {pairs: "hex", f"%{data.hex('%')}": "url"}
    folded = {form.encode(): rule for form, rule in forms.items()}
    if _is_no_word(data):
        # With all of its signs: nothing else is meant, whatever the case.
        folded |= dict.fromkeys(_written(text[::-1]), "reversed")
        folded[pairs[::-1].encode()] = "reversed"
        folded |= _written(text)
    if not _is_worth_hiding(data):
        return folded
    folded[b32encode(data).rstrip(b"=").lower()[: len(data) * 8 // 5]] = "base32"
    if not text.isascii():
        # The search folds A to Z; other letters are written out.
        for each in (text.lower(), text.upper(), text.swapcase()):
            folded |= _written(each)
    return folded


def _written(text: str) -> dict[bytes, str]:
    """Give a text as it stands in a string of JSON, and as it is, in lower case."""
    escaped = (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])
    forms = {_encoded(each).lower(): "json" for each in escaped}
    return forms | {_encoded(text).lower(): "plain"}


def turned_forms_of(value: str) -> dict[bytes, str]:
    """Give the forms of a value that is encoded twice, or whose base64 is backwards.

    Args:
        value: The secret's value.

    Returns:
        The disguise's name by the form.
    """
    data = _encoded(value.strip())
    if not _is_no_word(data):
        return {}
    cores = list(base64_cores(data))
    forms = dict.fromkeys((core[::-1] for core in cores), "reversed")
    if not _is_worth_hiding(data):
        return forms
    wide = b"".join(bytes((byte, 0)) for byte in data)
    # As PowerShell takes commands; the letters at the ends also depend on others.
    forms |= dict.fromkeys(base64_cores(wide), "base64")
    forms[next(base64_cores(data.hex().encode()))] = "base64"
    forms[cores[0].hex().encode()] = "hex"
    forms[rot13(data)] = "rot13"
    return forms


def rot13(data: bytes) -> bytes:
    """Move each letter by half of the alphabet."""
    return data.translate(_ROT13)


def reduced_forms_of(value: str) -> dict[Form, str]:
    """Give the reduced forms of a value.

    Args:
        value: The secret's value.

    Returns:
        The disguise's name by the reduced form.
    """
    forms: dict[Form, str] = {}
    random = looks_random(_encoded(value.strip()))
    for rule in ("hidden", "reversed", "base64", "hex"):
        shortest = SHORTEST if rule in ("base64", "hex") else SHORTEST_REDUCED
        if not random and shortest < SHORTEST:
            continue
        for form in originals(value, rule):
            reduced = reduce(level(form))
            if len(reduced) >= shortest:
                forms.setdefault(Form(reduced, folded=False), rule)
    return forms


def originals(value: str, rule: str) -> Iterator[bytes]:
    """Give what a disguised value is made of.

    Args:
        value: The secret's value.
        rule: The disguise's name.
    """
    data = _encoded(value.strip())
    if rule in ("hidden", "reversed"):
        text = value.strip()[:: 1 if rule == "hidden" else -1]
        # The comparison folds A to Z; other letters are written out.
        cased = (text,) if text.isascii() else (text, text.upper(), text.lower())
        yield from map(_encoded, cased)
    elif rule == "base64":
        yield from base64_cores(data)
    else:
        yield data.hex().encode()
        # What is left of 0x4a, 0x5b and of \\u004a\\u005b.
        for between in ("0", "00"):
            pairs = data.hex(" ").replace(" ", between)
            yield f"{between}{pairs}".encode()


def hints_of(value: str) -> set[bytes]:
    """Give bytes that stand where a value is broken into pieces that are not tiny.

    Args:
        value: The secret's value.

    Returns:
        Pieces of the value and of its encodings.
    """
    text = value.strip()
    data = _encoded(text)
    hints = {core[:SEED] for core in base64_cores(data) if len(core) >= SHORTEST}
    if not _is_worth_hiding(data):
        return hints
    # The second eight digits: the first are what all tokens of one issuer begin with.
    hints.add(data.hex()[SEED : 2 * SEED].encode())
    if not text.isascii():
        hints |= set(_seeds(json.dumps(text)[1:-1].encode()))
    return hints | set(_seeds(data))


def groups_of(value: str) -> set[bytes]:
    """Give a value's first two groups, as it stands where it is in groups.

    Args:
        value: The secret's value.
    """
    data = _encoded(value.strip())
    if not _is_worth_hiding(data):
        return set()
    groups = {
        form[:size] + between + form[size : 2 * size]
        for size, between, form in (
            (4, b" ", data),
            (4, b"-", data),
            (5, b"-", data),
            (4, b" ", data.hex().encode()),
            (4, b" ", data[1:].hex().encode()),
            (8, b" ", data.hex().encode()),
        )
    }
    # As an array of bytes is written.
    for between in (",", ", ", " "):
        groups.add(between.join(map(str, data[:4])).encode() + between.encode())
    return groups


def _seeds(data: bytes) -> Iterator[bytes]:
    size = min(SEED, len(data) // 2)
    for number in range(SEEDS):
        start = (len(data) - size) * number // (SEEDS - 1)
        yield data[start : start + size]


def looks_random(data: bytes) -> bool:
    """Tell a token from words and a year: it changes between letters and digits."""
    flat = level(data)
    word = letters(flat)
    if len(word) >= LONG_ENOUGH or len(_CHANGES.findall(word)) >= 3:
        return True
    if _SIGNS.search(flat) and all(kind.search(flat) for kind in _KINDS):
        return True
    return not word.isascii() or 2 * len(_TURNS.findall(flat)) >= len(word)


def _is_no_word(data: bytes) -> bool:
    """Tell what nobody writes by chance, if all of it stands there in any case."""
    if len(data) < SHORTEST_FOLDED:
        return False
    # Not a word and a year.
    return _MARKED.search(data) is not None or looks_random(data)


def _is_worth_hiding(data: bytes) -> bool:
    return len(data) >= SHORTEST and looks_random(data)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
