"""Examples that are written as recipes, so that no file here holds a real-looking key.

``ghp_{base62:36}`` is a token with 36 characters of that alphabet. The characters are
drawn from a hash of the recipe: the same in every process, and nobody's credential.
Guillemets mark what a rule must take out: ``PASSWORD=«{base62:12}»``.
"""

from __future__ import annotations

import hashlib
import re
import string
from typing import NamedTuple

_ALPHABETS = {
    "digits": string.digits,
    "hex": "0123456789abcdef",
    "HEX": "0123456789ABCDEF",
    "lower": string.ascii_lowercase + string.digits,
    "upper": string.ascii_uppercase + string.digits,
    "letters": string.ascii_letters,
    "base32": string.ascii_uppercase + "234567",
    "base62": string.ascii_letters + string.digits,
    "url64": string.ascii_letters + string.digits + "_-",
    "base64": string.ascii_letters + string.digits + "+/",
}
_RECIPE = re.compile(r"\{(" + "|".join(_ALPHABETS) + r"):(\d+)\}")


class Example(NamedTuple):
    """A text with what has to go from it.

    Args:
        text: The text.
        values: What must be gone afterwards; empty if all of it must stay.
    """

    text: bytes
    values: tuple[bytes, ...]


def expand(recipe: str) -> str:
    """Replace every ``{alphabet:length}`` of a recipe.

    Args:
        recipe: The text; the same recipe always gives the same result.
    """
    place = 0

    def draw(match: re.Match[str]) -> str:
        nonlocal place
        place += 1
        return _characters(f"{place}:{recipe}", match[1], int(match[2]))

    return _RECIPE.sub(draw, recipe)


def example(recipe: str) -> Example:
    """Expand a recipe whose guillemets mark what must go; without them all must."""
    text = expand(recipe)
    values = re.findall("«(.*?)»", text, re.DOTALL)
    plain = text.replace("«", "").replace("»", "")
    wanted = values or [plain]
    return Example(plain.encode(), tuple(value.encode() for value in wanted))


def _characters(seed: str, alphabet: str, length: int) -> str:
    letters = _ALPHABETS[alphabet]
    stream = hashlib.shake_128(seed.encode()).digest(2 * length)
    numbers = (
        int.from_bytes(stream[index : index + 2], "big")
        for index in range(0, 2 * length, 2)
    )
    return "".join(letters[number % len(letters)] for number in numbers)
