"""Which values the vault takes, and how it makes its own."""

from __future__ import annotations

import secrets
import string
from typing import Literal, get_args

from letsbe.errors import FieldError, InvalidRequest

SHORTEST = 6
"""The fewest characters of a value. Redaction takes out every occurrence of a value:
five characters or fewer are found in ordinary words, numbers and paths."""

LONGEST = 65_536
"""The most characters of a value; a private key or a service account has far fewer."""

Alphabet = Literal["letters_digits", "hex", "digits", "url_safe", "printable"]

_CHARACTERS: dict[Alphabet, str] = {
    "letters_digits": string.ascii_letters + string.digits,
    "hex": "0123456789abcdef",
    "digits": string.digits,
    "url_safe": string.ascii_letters + string.digits + "-_",
    # Without quotes, backslash, backquote and dollar, which break in shells and files.
    "printable": string.ascii_letters + string.digits + "!#%&()*+,-./:;<=>?@[]^_{|}~",
}


def check_value(value: str) -> None:
    """Refuse what cannot be kept, used or redacted.

    Raises:
        InvalidRequest: The value is too short, too long, holds a NUL or is not
            Unicode text; it is not shown.
    """
    fault = _fault(value)
    if fault is not None:
        raise InvalidRequest(fault, details=(FieldError("value", fault),))


def random_value(length: int = 32, alphabet: Alphabet = "letters_digits") -> str:
    """Make a value.

    Args:
        length: How many characters.
        alphabet: Which characters it is made of.

    Raises:
        InvalidRequest: The length is out of bounds or the alphabet is none of ours.
    """
    if not SHORTEST <= length <= LONGEST:
        message = f"a secret's length is {SHORTEST} to {LONGEST} characters"
        raise InvalidRequest(message, details=(FieldError("length", message),))
    if alphabet not in _CHARACTERS:
        message = f"the alphabet is one of {', '.join(get_args(Alphabet))}"
        raise InvalidRequest(message, details=(FieldError("alphabet", message),))
    return "".join(secrets.choice(_CHARACTERS[alphabet]) for _ in range(length))


def _fault(value: str) -> str | None:
    if not SHORTEST <= len(value) <= LONGEST:
        return (
            f"a secret's value has {SHORTEST} to {LONGEST} characters: shorter ones "
            "would be taken out of ordinary text"
        )
    if value.isspace():
        return "a secret's value has more than blanks"
    if "\0" in value:
        return "a secret's value cannot hold a NUL character"
    if "SECRET_REF(" in value or "[REDACTED:" in value:
        return "a secret cannot hold what stands for one: provide the value itself"
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return "a secret's value is Unicode text without half surrogate pairs"
    return None
