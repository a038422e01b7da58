"""Values in disguise: other case, backwards, or with something in between.

Case and direction are searched for as they stand. For the rest, text and every form of
a value are reduced to letters and digits and compared like that; what is found by so
little is then compared again, with all of its letters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from letsbe_redactor_registry.forms import base64_cores
from letsbe_redactor_registry.levelling import letters, level, reduce
from letsbe_redactor_registry.part import Form

SHORTEST = 12
"""Reduced forms below this length are left out."""

SHORTEST_REDUCED = 8
"""Reduced forms of a value that looks random are left out below this length."""

LONG_ENOUGH = 20
"""From here on a value counts whatever it is made of; below, it must look random."""

SEED = 8
"""So many bytes of a form in a row are a hint that the rest of it is near. Shorter ones
are met by chance, and take hyperscan twice as long."""

SEEDS = 5
"""Seeds of a value, spread over it, so that one is whole wherever a line ends."""

_CHANGES = re.compile(rb"(?<=[0-9])(?=[a-z])|(?<=[a-z])(?=[0-9])")
_TURNS = re.compile(
    rb"(?<=[0-9])(?=[A-Za-z])|(?<=[a-z])(?=[A-Z0-9])|(?<=[A-Z])(?=[a-z0-9])"
)
_GROUP = 4


def folded_forms_of(value: str) -> dict[bytes, str]:
    """Give the forms of a value that count whatever their case.

    Args:
        value: The secret's value.

    Returns:
        The disguise's name by the form in lower case.
    """
    data = _encoded(value.strip())
    return {data.lower(): "plain"} if _is_worth_hiding(data) else {}


def turned_forms_of(value: str) -> dict[bytes, str]:
    """Give the forms of a value that read backwards.

    Args:
        value: The secret's value.

    Returns:
        The disguise's name by the form.
    """
    turned = _encoded(value.strip()[::-1])
    return {turned: "reversed"} if _is_worth_hiding(turned) else {}


def reduced_forms_of(value: str) -> dict[Form, str]:
    """Give the reduced forms of a value.

    Args:
        value: The secret's value.

    Returns:
        The disguise's name by the reduced form.
    """
    forms: dict[Form, str] = {}
    random = looks_random(_encoded(value.strip()))
    for rule in ("hidden", "base64", "hex"):
        if rule == "hidden" and not random:
            continue
        for form in originals(value, rule):
            reduced = reduce(level(form))
            if len(reduced) >= (SHORTEST_REDUCED if rule == "hidden" else SHORTEST):
                forms.setdefault(Form(reduced, folded=False), rule)
    return forms


def originals(value: str, rule: str) -> Iterator[bytes]:
    """Give what a disguised value is made of.

    Args:
        value: The secret's value.
        rule: The disguise's name.
    """
    data = _encoded(value.strip())
    if rule == "hidden":
        yield data
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
    data = _encoded(value.strip())
    hints = {core[:SEED] for core in base64_cores(data) if len(core) >= SHORTEST}
    return hints | set(_seeds(data)) if _is_worth_hiding(data) else hints


def groups_of(value: str) -> set[bytes]:
    """Give a value's first two groups of four, as it stands where it is in groups.

    Args:
        value: The secret's value.
    """
    data = _encoded(value.strip())
    if not _is_worth_hiding(data):
        return set()
    return {data[:_GROUP] + b" " + data[_GROUP : 2 * _GROUP]}


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
    return not word.isascii() or 2 * len(_TURNS.findall(flat)) >= len(word)


def _is_worth_hiding(data: bytes) -> bool:
    return len(data) >= SHORTEST and looks_random(data)


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
