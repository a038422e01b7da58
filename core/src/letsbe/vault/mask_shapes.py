"""Telling a mask from the stars and dots of ordinary text.

The shapes are those that OpenClaw leaves in its transcript (``***``; six characters,
``…`` and four; ``[REDACTED``; ``__OPENCLAW_REDACTED__``; ``oc-sent-``) and their
relatives. Some are masks wherever they stand. Stars and dots are masks only where a
value is due, so that rules of markdown, globs, crontabs and prose pass.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST_CANDIDATES = 2_000
"""How many groups of stars or dots of one string are looked at. A text with more is a
drawing, and looking at all of a large one would take seconds."""

_SENSITIVE = (
    r"(?:pass(?:word|wd|phrase)?s?|pwd|secret|token|(?:api|access|private|secret|auth"
    r"|signing|encryption|_)[_-]?key|credentials?|cookie|bearer"
    r"|(?<![a-z])(?:auth(?:orization)?|dsn|pat))(?![a-z])"
)
"""What the names of fields, variables and options that hold secrets have in them."""

_SENSITIVE_NAME = re.compile(_SENSITIVE, re.IGNORECASE)
_COMMAND_NAME = re.compile(
    r"(?:^|[._])(?:command|cmd|argv|args|script|url|uri)s?(?:$|[._])", re.IGNORECASE
)
_CERTAIN_MARKS = ("…", "REDACTED", "oc-sent-")
_MARKS = (
    *_CERTAIN_MARKS,
    *("***", "•••", "●●●", "..."),
    *(form for w in ("redacted", "masked", "hidden") for form in (w, w.upper())),
)
"""One of these is in every mask; a long text without any is not looked at closely."""

_LONG = 256

# Markers that nothing else writes, and shortened tokens with a well-known beginning.
_ANYWHERE = re.compile(
    r"__OPENCLAW_REDACTED__|(?<![A-Za-z0-9])oc-sent-|\[REDACTED(?![A-Za-z])"
    r"|\bSECRET(?:_\w*)?\(?…[^\s\"'`,;|&]{0,64}|…redacted…"
    r"|(?<![\w…])(?:(?:sk|pk|rk)[-_]|gh[opsu]_|github|glpat|xox[a-z]-|AKIA|AIza|eyJ"
    r"|npm_|pypi-|hf_|SG\.|whsec)[\w.-]{0,12}…[\w.=+/-]{2,8}(?!\w)",
    re.ASCII,
)

_CANDIDATE = re.compile(
    r"[*•●]{3,}|…|(?<=\w)\.\.\.(?=\w)|[\[<(](?:redacted|masked|hidden)[\]>)]",
    re.IGNORECASE | re.ASCII,
)

# What stands left of a value that has a name: `db_password: "`, `--token `.
_NAMED = re.compile(
    rf"(?P<key>[\w.-]{{0,40}}{_SENSITIVE}[\w.-]{{0,40}})"
    r"(?:[\"'`]?[ \t]{0,4}(?:=>|:=|=|:)[ \t]{0,4}|(?<=[\w-])[ \t]{1,4}(?=\S|$))"
    r"(?:(?:Bearer|Basic|Token|ApiKey)[ \t]+)?[\"'`<(]{0,3}(?P<head>[\w.+/-]{0,12})$",
    re.IGNORECASE | re.ASCII,
)
# `Authorization: Bearer `, `scheme://user:`.
_SCHEME = re.compile(
    r"(?:\b(?:Bearer|Basic)[ \t]+[\"'`<]{0,2}|://[^\s/@:]{0,64}:)"
    r"(?P<head>[\w.+/-]{0,12})$",
    re.ASCII,
)
# `anything=***`, `user:***`, `-p***`: stars only, as words often follow a colon.
_GLUED = re.compile(r"(?:\w[\"'`]?[=:][\"'`]?|(?:^|\s)-[A-Za-z][\"'`]?)$", re.ASCII)
_END = re.compile(r"[)\]}>]?(?:$|[\s\"'`,;&@|})\]<>])", re.ASCII)
_LAST_CHARACTERS = re.compile(
    r"(?P<tail>[\w+/=-]{1,8})?[)\]}>]?(?:$|[\s\"'`,;&@|})\]<>])", re.ASCII
)
# Bold italics of markdown, which begin and end with three stars.
_EMPHASIS = re.compile(
    r"\*{3}(?:[A-Za-z0-9(_][^*\n]{0,300}[A-Za-z0-9.!?)_]|\w|[A-Za-z][A-Za-z ]{0,60}:)"
    r"\*{3}(?!\*)"
)
_HEAD = re.compile(r"[\w+/=.-]{4,8}$", re.ASCII)
_TAIL = re.compile(r"[\w+=.-]{2,6}(?=\)?(?:$|[/\s\"'`,;&@|})\]<>?#:]))", re.ASCII)
_WRAPPING = " \t\r\n\"'`<>()"
_VERSION = re.compile(r"v?\d+(?:\.\d+)*\.?|0x\w+", re.ASCII)


@dataclass(frozen=True, slots=True)
class Mask:
    """A mask that was found.

    Args:
        shape: What it looks like, for the error; nothing of the hidden value.
        near: The name beside it, if there is one: ``NEXTCLOUD_TOKEN``.
        end: The last characters of what was hidden, if the mask left them.
    """

    shape: str
    near: str = ""
    end: str = ""


def find_mask(text: str, field: str) -> Mask | None:
    """Find the first mask in a string.

    Args:
        text: A string of a tool call's arguments.
        field: The name of the field it stands in.

    Returns:
        The mask, or nothing if all of it is ordinary text.
    """
    if len(text) > _LONG and not any(mark in text for mark in _MARKS):
        return None
    certain = None
    if any(mark in text for mark in _CERTAIN_MARKS):
        certain = _ANYWHERE.search(text)
    if certain:
        found = certain[0]
        shape = "abcdef…wxyz" if "…" in found else found.split("-v")[0]
        return Mask(shape, field, found.rpartition("…")[2])
    return _whole(text, field) or _in_position(text, field)


def _whole(text: str, field: str) -> Mask | None:
    """Judge a string that is nothing but one word."""
    word = text.strip(_WRAPPING + "[]")
    if not word or len(word) > _LONG or any(c.isspace() for c in word):
        return None
    sensitive = _SENSITIVE_NAME.search(field) is not None
    if set(word) <= set("*•●") and len(word) >= 3:
        return Mask("***", field)
    if sensitive and (set(word) <= set("….") or re.fullmatch("[xX]{4,}", word)):
        return Mask(word[:3], field)
    if word.lower() in {"redacted", "masked", "hidden"} and text.strip() != word:
        return Mask("[REDACTED", field)
    if sensitive and re.fullmatch(r"[\w-]{0,8}[*•●]{3,}[\w-]{0,8}", word):
        return Mask("***", field)
    if _shortened(text, text.find("…"), 1, due=sensitive, loose=sensitive):
        return Mask("abcdef…wxyz", field, word.rpartition("…")[2])
    return None


def _in_position(text: str, field: str) -> Mask | None:
    """Judge stars and dots by what stands before and after them."""
    ordinary_until = 0
    for count, match in enumerate(_CANDIDATE.finditer(text)):
        if count >= MOST_CANDIDATES:
            break
        start, end = match.span()
        if start < ordinary_until:
            continue
        emphasis = _emphasis(text, start)
        if emphasis:
            ordinary_until = emphasis
            continue
        mask = _judge(text, start, end, field)
        if mask:
            return mask
    return None


def _judge(text: str, start: int, end: int, field: str) -> Mask | None:
    left, group = text[max(0, start - 100) : start], text[start:end]
    named = _NAMED.search(left)
    if named and not _assigns(named, left):
        named = None
    near = named["key"].strip("-.") if named else field
    due = named is not None or _SCHEME.search(left) is not None
    if group not in {"…", "..."}:
        return _stars(text, left, end, field, near, due=due)
    command = group == "…" and _COMMAND_NAME.search(field) is not None
    if (due or command) and _shortened(
        text, start, end - start, due=due, loose=due or command
    ):
        return Mask("abcdef…wxyz", near, text[end : end + 5].rstrip("\"'` "))
    return None


def _assigns(named: re.Match[str], left: str) -> bool:
    """Say whether a name gets a value: by ``=`` or ``:``, or as an option."""
    between = left[named.end("key") : named.start("head")]
    if "=" in between or ":" in between:
        return True
    return named["key"].startswith("-")


def _stars(
    text: str, left: str, end: int, field: str, near: str, *, due: bool
) -> Mask | None:
    if due and _LAST_CHARACTERS.match(text, end):
        return Mask("***", near)
    if text[end - 1] not in "*•●" or not _END.match(text, end):
        return None
    if _GLUED.search(left):
        return Mask("***", near)
    alone = not left or left[-1] in " \t\"'`"
    if alone and _COMMAND_NAME.search(field) and "\n" not in text:
        return Mask("***", near)
    return None


def _shortened(text: str, start: int, width: int, *, due: bool, loose: bool) -> bool:
    """Say whether dots stand for the middle of a token.

    Args:
        text: The whole string.
        start: Where the dots begin, or -1.
        width: How many characters they are.
        due: Whether a value is due here; if not, words and versions pass.
        loose: Whether other lengths than six characters and four count too.
    """
    if start < 0:
        return False
    head = _HEAD.search(text[max(0, start - 9) : start])
    tail = _TAIL.match(text, start + width)
    if not head or not tail:
        return False
    exact = len(head[0]) == 6 and len(tail[0]) + text[tail.end() :].startswith(")") >= 4
    if head[0].isalpha() and tail[0].isalpha() and head[0][1:].islower():
        # Two words joined by an ellipsis, most often.
        return exact and due
    if _VERSION.fullmatch(head[0]) and not due:
        return False
    return exact or loose


def _emphasis(text: str, start: int) -> int:
    """Return where bold italics end that begin here, or 0."""
    if start and text[start - 1] not in " \t\n([{_\"'>|":
        return 0
    match = _EMPHASIS.match(text, start)
    return match.end() if match else 0
