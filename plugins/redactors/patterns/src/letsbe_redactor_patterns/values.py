"""Tells a literal secret from the identifiers, types and words that stand beside ``=``.

In text that a model reads, most of what follows ``password =`` is code. So a value is
taken for a secret by its own form, not by the name beside it.
"""

from __future__ import annotations

import re

_LOWER = re.compile(rb"[a-z]")
_UPPER = re.compile(rb"[A-Z]")
_DIGIT = re.compile(rb"[0-9]")
_SPECIAL = re.compile(rb"[!#$%^&*+=?~|@]")
_SEGMENTS = re.compile(rb"[-_./:+ ]+")
_WORD = re.compile(rb"[a-z]+|[A-Z][a-z]+|[A-Z]+|[0-9]{1,20}|v[0-9]{1,3}")
_NAME = rb"[A-Za-z_$][A-Za-z_$]*[0-9]{0,2}"
_EXPRESSION = re.compile(
    rb"""
      (?:NAME)(?:(?:\.|->|::|\?\.|!\.|/)(?:NAME))+[!?]?     # settings.token, a/b
    | \.NAME(?:\.\w+)+ | :NAME(?:\.\w+)* | \?[\\A-Za-z]+      # .Values.x, :param
    | \+[A-Za-z_]+(?:\.[A-Za-z_]+)*[);]* | !!?[A-Za-z_]+(?:\.[A-Za-z_]+)+(?:\).*)?
    | !![A-Za-z]+ | [A-Za-z_$]{1,3}\?[\w.]+:[a-z]* | /\*.*                    # a?b:void
    | &?NAME(?:\.NAME)*\{(?:NAME:?)? | &\[.* | [a-z_]+!?[(\[].*  # gin.H{, vec![x]
    | (?:[A-Z]\w*\\{1,8})+\w+ | (?:[a-z]+,)+[a-z]+\[.*        # A\B\C
    | (?:npm|workspace|link):.* | .*%[sdvq](?![A-Za-z0-9]).*
      | \d*\*\w+                                              # 1*token of a grammar
  | .*[A-Za-z0-9_\])]\(.*                                 # read(), f(x
    | [A-Za-z_$][\w$.]*\[.*                                 # config[...]
    | [(\[{].* | .*=>.* | .*\+\+.* | .*[)\]}]\Z(?<!\w[)\]}])
    | (?:new|await|typeof|async|lambda|return|not|None|null)\b.*
    | (?:process\.env|os\.environ|import\.meta|System\.getenv|Rails\.|ENV)\b.*
    | (?:Optional|Union|List|Dict|Literal|Annotated|Secret|Sensitive)\w*\b[\[<|].*
    | NAME\.(?:\*|\(.*) | [a-z]+:[\w/.\#-]+\[.*
    | [A-Za-z]+\s*\|\s*[A-Za-z]+.*                                # string|null
    """.replace(rb"NAME", _NAME),
    re.VERBOSE | re.DOTALL,
)
_NUMBER = re.compile(
    rb"\#(?:[0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})"
    rb"|0x(?![0-9a-fA-F]{64}\Z)[0-9a-fA-F_]+|0b[01_]+|0o[0-7_]+|[~^<>=]{0,2}v?[0-9]+\.[0-9]+[\w.+-]*"
    rb"|[-+]?[0-9][0-9_,.]*(?:[eE][-+]?[0-9]+|[kKmMgG]i?[bB]?|m?s|%|px|h|d|min)?"
)
_DATE = re.compile(rb"\d{4}-\d\d-\d\d.*|\d{1,2}:\d\d(?::\d\d)?.*|v?\d+(?:\.\d+){1,3}")
_PLACE = re.compile(
    rb"(?:~|\.{1,2})?/[\w.@-]+(?:/[\w.@-]*)*|[A-Za-z]:\\.*|\w+://.*|[\w.+-]+@[\w-]+\.\w+"
    rb"|[\w./-]+\.(?:py|js|ts|json|ya?ml|toml|txt|pem|key|crt|env|md|go|rb|sh|conf|php)"
)
_PATH = re.compile(rb"(?:~|\.{1,2})?(?:/[\w.@-]+){2,}|[a-z]+(?:\.[a-z0-9]+)+/[\w/-]+")
_KEYWORDS = frozenset(b"new await typeof async lambda return not None null ENV".split())
_ABOUT = re.compile(
    rb"(?:key\Z|pw\d?\Z|token|secret|passw|password|credential|apikey|api_key|_key|key_|auth|param"
    rb"|config|_id\b|value|field|input|column|type|name|handler|schema|sha(?:1|256|512)"
    rb"|hs256|rs256|es256|hs512|base64|utf-?8|oauth2|md5|bcrypt|argon2|aes|ed25519)",
    re.IGNORECASE,
)
_NAMELIKE = re.compile(rb"[&*]?[A-Za-z_$][\w$.-]*")
_LETTERS = re.compile(rb"&?\*?[A-Za-z_$]+\??")
_SPELLED = re.compile(rb"[A-Z][a-z]{2,}|[a-z]{3,}|[A-Z]{4,}")
_PIECES = re.compile(rb"[A-Z]?[a-z]+|[A-Z]+")


def classes(value: bytes) -> int:
    """Count which of lower case, upper case and digits a value has."""
    # Three times as fast as an expression for each.
    lower, upper = value != value.upper(), value != value.lower()
    return lower + upper + (_DIGIT.search(value) is not None)


def has_sign(value: bytes) -> bool:
    """Say whether a value has a sign that names do not have."""
    return _SPECIAL.search(value) is not None


def is_wordy(value: bytes) -> bool:
    """Say whether a value is words, not characters: ``release-notes-2024``."""
    parts = [part for part in _SEGMENTS.split(value) if part]
    return all(_WORD.fullmatch(part) for part in parts)


def is_spelled(value: bytes, share: float = 0.67) -> bool:
    """Say whether most of a value is words written together: ``getElementById12``.

    Args:
        value: The value.
        share: How much of it words must cover.
    """
    if not (_LOWER.search(value) and _UPPER.search(value)):
        return False  # Drawn letters of one case stand in a row as often as words do.
    words = sum(len(word) for word in _SPELLED.findall(value))
    return words > share * len(value)


def is_random(value: bytes) -> bool:
    """Say whether the variable part of a token looks drawn, not written."""
    if len(set(value)) < min(6, len(value)):
        return False
    if _DIGIT.search(value):
        return classes(value) > 1 and not is_wordy(value)
    upper, lower = len(_UPPER.findall(value)), len(_LOWER.findall(value))
    if upper < 3 or lower < 3:
        return False
    return not (is_wordy(value) or is_spelled(value, 0.85))


def is_name(value: bytes) -> bool:
    """Say whether a value is one name made of words: ``token``, ``&dbToken``."""
    if not _LETTERS.fullmatch(value):
        return False
    pieces = _PIECES.findall(value)
    short = sum(len(piece) < 3 for piece in pieces)
    if len(pieces) > 1 and (short > 1 or len(pieces[-1]) == 1):
        return False
    letters = len(value.strip(b"&*?"))
    return letters >= (3 if len(pieces) < 3 else 3.5) * len(pieces)


def is_code(value: bytes) -> bool:
    """Say whether an unquoted value is an expression, a type, a number or a place."""
    if value.isalnum():
        # Nothing else is without signs; looking for it takes most of the time.
        is_number = value[:1].isdigit() and _NUMBER.fullmatch(value) is not None
        return is_number or value in _KEYWORDS or is_name(value)
    return (
        is_name(value)
        or _EXPRESSION.fullmatch(value) is not None
        or _NUMBER.fullmatch(value) is not None
        or _DATE.fullmatch(value) is not None
        or _PLACE.fullmatch(value) is not None
    )


def is_place(value: bytes) -> bool:
    """Say whether a value is a path, or a name with a domain before it."""
    return _PATH.fullmatch(value) is not None


def is_literal(value: bytes, *, password: bool = False) -> bool:
    """Say whether an unquoted value can only be a secret spelled out.

    Letters with digits among them or with signs that no identifier has (``S3cret!``),
    and nothing that code or a sentence would have there.

    Args:
        value: The value.
        password: Whether a password is expected; then ``hunter2`` is one, though it
            could be a variable's name.
    """
    if len(value) < 6 or is_code(value):
        return False
    if not password and is_name(value.rstrip(b"0123456789")):
        return False
    if _NAMELIKE.fullmatch(value) and _ABOUT.search(value):
        return False
    if not (_LOWER.search(value) or _UPPER.search(value)):
        return False
    if has_sign(value):
        return True
    if is_wordy(value) or (not password and is_spelled(value, 0.8)):
        return False
    return _DIGIT.search(value) is not None or classes(value) > 1
