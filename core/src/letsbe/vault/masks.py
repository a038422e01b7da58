"""Masks that a runtime puts in place of secrets in its own transcript.

An agent that reads ``***`` where a reference stood may send it back as a value. Such a
call is refused with the reference to use, before it overwrites a good password.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from letsbe.errors import FieldError, MaskedValue
from letsbe.vault.mask_shapes import Mask, find_mask
from letsbe.vault.strings import strings_in

_WORD = re.compile(r"[A-Za-z]+|[0-9]+")
_GENERAL = frozenset(
    {
        *("api", "auth", "authorization", "bearer", "cookie", "credential", "key"),
        *("pass", "passphrase", "password", "pwd", "secret", "token", "credentials"),
        *("command", "content", "env", "header", "headers", "id", "my", "value"),
    }
)
"""Words that many secrets' names have, and that tell none of them apart."""


def check_masks(
    args: object,
    names: Callable[[], Iterable[str]] = tuple[str, ...],
    recall: Callable[[str], list[str]] = lambda _: [],
) -> None:
    """Refuse arguments that hold a mask where a value or a reference is due.

    Args:
        args: A tool call's arguments, as JSON.
        names: Gives the names of the secrets there are, to say which one was probably
            meant; called only if there is a mask.
        recall: Says which secrets a text is known to have named before it was masked.

    Raises:
        MaskedValue: The error names the field and the reference to use instead.
    """
    for path, text, is_key in strings_in(args):
        if is_key:
            continue
        mask = find_mask(text, path)
        if mask:
            meant = recall(text) or probable(mask, path, names())
            raise _refusal(path or "the argument", mask, meant)


def probable(mask: Mask, path: str, names: Iterable[str]) -> list[str]:
    """List the secrets that a mask probably stands for, at most three.

    Args:
        mask: The mask, with the name beside it and the end it left.
        path: The field it stands in.
        names: The secrets there are.
    """
    known = sorted(names)
    if mask.end.endswith(")"):
        # A masked reference: SECRET_REF(nextcloud_token) leaves SECRET…ken).
        ended = [name for name in known if f"SECRET_REF({name})".endswith(mask.end)]
        if ended:
            return ended[:3]
    words = _words(f"{mask.near} {path}")
    scores = {name: _score(_words(name), words) for name in known}
    best = max(scores.values(), default=0)
    if best < 1:
        return []
    likely = [name for name in known if scores[name] == best]
    # One word in common that half the secrets share points at none of them.
    return likely if len(likely) <= 3 else []


def _score(name: frozenset[str], words: frozenset[str]) -> int:
    common = name & words
    return 10 * len(common - _GENERAL) + len(common & _GENERAL)


def _words(text: str) -> frozenset[str]:
    split = re.sub(r"([a-z])([A-Z])", r"\1 \2", text)
    return frozenset(word.lower() for word in _WORD.findall(split))


def _refusal(path: str, mask: Mask, meant: list[str]) -> MaskedValue:
    references = " or ".join(f"SECRET_REF({name})" for name in meant)
    advice = references or "SECRET_REF(name), with the name of the secret"
    message = (
        f"{path} holds {mask.shape}, which hides a secret in a transcript and is not "
        f"its value: write {advice}"
    )
    alternative = (
        f"name the secret in secret_refs ({', '.join(meant)}) or env_refs"
        if meant
        else "name the secret in secret_refs or env_refs, which no transcript hides"
    )
    return MaskedValue(
        message, details=(FieldError(path, message),), alternative=alternative
    )
