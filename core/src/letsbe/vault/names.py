"""What secrets may be called, and which name was probably meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

from letsbe.errors import FieldError, InvalidRequest, StorageError, UnknownSecret

NAME = r"[A-Za-z][A-Za-z0-9_.-]{0,63}"
"""A name as a regular expression."""

_WHOLE = re.compile(NAME, re.ASCII)


def is_name(text: object) -> bool:
    """Say whether something may be the name of a secret."""
    return isinstance(text, str) and _WHOLE.fullmatch(text) is not None


def check_name(name: str, field: str = "name") -> None:
    """Refuse what cannot be a secret's name.

    Raises:
        InvalidRequest: It is not one; the text is not shown, as it may be a value.
    """
    if not is_name(name):
        message = (
            "a secret's name begins with a letter and has at most 64 letters, digits, "
            "`_`, `.` and `-`"
        )
        raise InvalidRequest(message, details=(FieldError(field, message),))


def unknown_secret(name: str, known: Iterable[str]) -> UnknownSecret:
    """Make the error for a reference that leads nowhere.

    Args:
        name: What was asked for, a valid name.
        known: The names that there are.

    Returns:
        An error with up to three names that look alike.
    """
    folded = {other.lower(): other for other in sorted(known)}
    close = difflib.get_close_matches(name.lower(), folded, n=3, cutoff=0.6)
    message = f"there is no secret {name}"
    if not close:
        message += ": ask the operator to provide it with `letsbe secrets provide`"
        return UnknownSecret(message)
    meant = ", ".join(f"SECRET_REF({folded[other]})" for other in close)
    return UnknownSecret(f"{message}: did you mean {meant}?", alternative=meant)


def unreadable_secret(name: str) -> StorageError:
    """Make the error for a stored value that does not open with this key."""
    return StorageError(
        f"the stored secret {name} was changed or sealed with another key: restore "
        f"the right vault.key, or run `letsbe secrets delete {name}` and provide it "
        "anew"
    )
