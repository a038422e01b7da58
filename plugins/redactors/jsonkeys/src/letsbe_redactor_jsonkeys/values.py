"""Which values of a sensitive key are secrets, and which part of them."""

from __future__ import annotations

import re

from letsbe.plugin import is_sentence, is_stand_in
from letsbe_redactor_jsonkeys.names import Sensitivity

_SCHEME = re.compile(
    rb"(?:basic|bearer|token|apikey|key|ssws|bot|digest)\s+(?=\S)", re.IGNORECASE
)
_CODE = re.compile(
    rb"""
      [A-Za-z_$][A-Za-z_$]*(?:\.[A-Za-z_$][A-Za-z_$]*)+      # process.env.TOKEN
    | .*[A-Za-z0-9_]\([^)]*\).* | .*(?:=>|\$\{|\{\{).* | [\[{(<].*
    | (?:[a-z_]+(?::[\w,]+)?\|)+[a-z_]+(?::[\w,]+)?         # required|min:8
    | (?:\.{0,2}|~)/(?!.*[A-Za-z0-9]{20})[\w./@-]* | [A-Za-z]:\\.* | https?://[^@]*
    | [~^<>=]{0,2}v?\d+(?:\.[\dx*]+)+(?:[-+].*)? | [a-z]+\.[a-z]+\#\w+
    | AWS4-.* | \\+u\{[0-9a-f]+\} | %?\{[\w.]+\} | (?:npm|workspace):.* | sha\d{1,3}-.*
    | [\w./-]+\.(?:json|ya?ml|toml|txt|pem|key|crt|env|md|conf)
    """,
    re.VERBOSE | re.DOTALL,
)
_CAPITALIZED = re.compile(rb"[A-Z][a-z]+(?:-[A-Za-z][a-z]+)?:?|[A-Z]{2,4}-[A-Z]?[a-z]+")
_WORD = re.compile(rb"[A-Za-z]+(?:[-_ .:][A-Za-z]+)*|_?[A-Za-z_$]+|\#[0-9a-fA-F]{3,8}")
_NAME = re.compile(
    rb"[A-Za-z_.:-]*(?:pass(?:word|wd|phrase)|pwd|secret|token)[A-Za-z_.:-]*",
    re.IGNORECASE,
)
_DIGITS = re.compile(rb"[0-9]{3,10}")


def secret_part(value: bytes, kind: Sensitivity) -> tuple[int, int] | None:
    """Return which part of a string has to go, as offsets into it.

    Args:
        value: The string's content as it stands in the text, escapes and all.
        kind: What its key is.

    Returns:
        Start and end, or None if the value is a stand-in, a label, a name or code.
    """
    if kind is Sensitivity.CODE:
        return (0, len(value)) if _DIGITS.fullmatch(value) else None
    scheme = _SCHEME.match(value)
    start = scheme.end() if scheme else 0
    bare = value[start:]
    bare = bare.strip()
    if is_stand_in(bare) or _CODE.fullmatch(bare):
        return None
    if is_sentence(bare):
        return None
    wanted = _is_password(bare) if kind is Sensitivity.PASSWORD else _is_token(bare)
    return (start, len(value)) if wanted else None


def is_secret_number(value: bytes, kind: Sensitivity) -> bool:
    """Say whether a bare number under a sensitive key has to go.

    Args:
        value: Its digits.
        kind: What its key is.
    """
    if kind is Sensitivity.PASSWORD:
        return len(value) >= 6
    return kind is Sensitivity.CODE and len(value) in range(3, 9)


def _is_password(value: bytes) -> bool:
    return len(value) >= 3 and not (
        _CAPITALIZED.fullmatch(value) or _NAME.fullmatch(value)
    )


def _is_token(value: bytes) -> bool:
    return len(value) >= 6 and not _WORD.fullmatch(value) and not value.isdigit()
