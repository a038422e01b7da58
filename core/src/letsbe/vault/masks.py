"""Masks that a runtime puts in place of secrets in its own transcript.

An agent that reads ``***`` where a reference stood may send it back as a value. Such a
call is refused with the reference to use; stars and dots of ordinary text pass.
"""

from __future__ import annotations

from collections.abc import Iterable

from letsbe.errors import FieldError, MaskedValue
from letsbe.vault.strings import strings_in


def check_masks(args: object, names: Iterable[str] = ()) -> None:
    """Refuse arguments that hold a mask where a value or a reference is due.

    Args:
        args: A tool call's arguments, as JSON.
        names: The secrets there are, to say which one was probably meant.

    Raises:
        MaskedValue: The error names the field and the reference to use instead.
    """
    for path, text, is_key in strings_in(args):
        if not is_key and ("[REDACTED" in text or text.strip() == "***"):
            message = f"{path} holds a mask: use SECRET_REF(name)"
            raise MaskedValue(message, details=(FieldError(path, message),))
