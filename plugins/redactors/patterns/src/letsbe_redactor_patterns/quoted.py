"""Tells a secret in quotes from the labels, names and code that stand there too."""

from __future__ import annotations

import re

from letsbe.plugin import is_sentence
from letsbe_redactor_patterns import values

_TEMPLATE = re.compile(
    rb"\A[{\[]|\{(?!\W)|\{\{|\b(?:required|nullable|min|max|confirmed)[:|]|\\n"
    rb"|%[sdrqv](?![A-Za-z0-9])|\#[0-9a-fA-F]{3,8}\Z|\$[a-z_]\w*(?:\[|->)|\A</?[a-z]|\$\("
    rb"|\A(?:node|npm|yarn|python3?|php|bash|sh|go) "
)
# What begins like this stands behind a string, not in one: "Password: " + name.
_BEHIND = re.compile(
    rb"\\*[\"']?\s*(?:[,)\]};]|\|\|"
    rb"|[+.&]\s*\$?[A-Za-z_][\w$]*(?:[(\[ ]|\.[A-Za-z_]|->|\s*[+&;,)]))"
)
_CAPITALIZED = re.compile(rb"[A-Z][a-z]+")
_LABEL = re.compile(
    rb"[A-Z][a-z]+(?:-[A-Za-z][a-z]+[:.]?|[:.])|[A-Z]{2,4}-[A-Z]?[a-z]+"
    rb"|(?i:[\#.]?(?:[a-z]+[._ -]){0,6}[a-z]*(?:pass\w*|secret\w*)(?:[-_.][a-z]+){0,3})"
    rb"|[~^]?\d+(?:\.\d+){2,}|[A-Z]{3,}\(\d+\).*|[A-Z]+(?:_[A-Z0-9]+)+"
    rb"|--?[a-z-]+=|[A-Za-z_]+ ?[=:] ?"
)
# Not what was taken out before, so that a second look decides alike.
_OTHER_VALUE = re.compile(
    rb"""[:=]>?\s{0,3}\\*(["'])(?!\[REDACTED:|SECRET_REF\()([^"'\\\n]{1,120})\\*\1"""
)
_AROUND = 320
"""How far the values of a list of labels are looked for, in bytes."""


def stands_behind(value: bytes) -> bool:
    """Say whether a value begins as what stands behind a string, not in one."""
    return _BEHIND.match(value) is not None


def is_quoted_secret(value: bytes, match: re.Match[bytes], *, strong: bool) -> bool:
    """Judge a value in quotes: labels, expressions and names are not secrets.

    Args:
        value: What stands between the quotes.
        match: Where it was found, with the name before it.
        strong: Whether the name leaves little doubt.
    """
    if len(value) < 4 or _TEMPLATE.search(value) or is_sentence(value):
        return False
    if strong:
        if _CAPITALIZED.fullmatch(value) and _among_labels(match):
            return False
        return _LABEL.fullmatch(value) is None
    return values.is_literal(value) or _is_drawn(value)


def _among_labels(match: re.Match[bytes]) -> bool:
    """Say whether most values around are said, as in the texts of a program.

    A word with a capital may be a poor password as well as the word for one in some
    language, so what it stands among decides.
    """
    text = match.string
    before = _OTHER_VALUE.findall(text, max(match.start() - _AROUND, 0), match.start())
    after = _OTHER_VALUE.findall(text, match.end(), match.end() + _AROUND)
    others = [value for _, value in (*before[-3:], *after[:3])]
    said = sum(
        _CAPITALIZED.fullmatch(other) is not None or is_sentence(other)
        for other in others
    )
    return len(others) > 1 and 3 * said >= 2 * len(others)


def _is_drawn(value: bytes) -> bool:
    """Say whether signs that look like a call are only signs among others."""
    open_ended = value.count(b"(") != value.count(b")")
    return open_ended and len(value) >= 32 and b" " not in value and token_like(value)


def token_like(value: bytes) -> bool:
    """Say whether a value has letters and digits in turns, as no expression has."""
    return values.classes(value) > 1 and values.is_random(value)
