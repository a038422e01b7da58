"""What a match must be beyond its form before it is taken out.

A rule names one of these. Each gets the value that would go and the match it is of.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping

from letsbe.plugin import is_sentence, is_stand_in
from letsbe_redactor_patterns import values
from letsbe_redactor_patterns.columns import is_of_secrets
from letsbe_redactor_patterns.quoted import is_quoted_secret, stands_behind

Check = Callable[[bytes, re.Match[bytes]], bool]

_ENVIRONMENT = re.compile(rb"(?:\A|[\s;&|\"'`(]|\\n|\\t|-e|ENV|ARG)\Z")
_HARMLESS = re.compile(
    rb"(?:\A|[^A-Za-z]|(?-i:(?<=[a-z])(?=[A-Z])))(?:public|publishable|cache|primary|sort|partition|foreign|idempotency|site|max"
    rb"|min|num|next|page|row|map|hot|object|s3|index|dict|group|routing|i18n|websocket"
    rb"|has|is|show|hide|forgot|require[sd]?|invalid|missing)[_.-]*\Z",
    re.IGNORECASE,
)
# An expression that ends where the text does is tried at every place before.
_HARMLESS_ENDS = tuple(
    b"public publishable cache primary sort partition foreign idempotency site max min "
    b"num next page row map hot object s3 index dict group routing i18n websocket has "
    b"is show hide forgot require requires required invalid missing".split()
)
_RESOURCE = re.compile(rb"\barn:aws[\w:/-]*\Z")
_COOKIE_ATTRIBUTES = (b"path", b"domain", b"expires", b"max-age", b"samesite")
_SESSION = re.compile(
    rb"sess|sid\Z|token|auth|jwt|csrf|xsrf|remember|logged_in|login|credential|secret"
)
_PARAMETER = re.compile(rb"[a-z_]{2,16}=")
_SECRET_KIND = re.compile(rb"""kind\\{0,7}["']?:[ ]?\\{0,7}["']?Secret\b(?!\w)""")
_UUID = re.compile(rb"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DESCRIBING = re.compile(
    rb"(?:id|name|ref|url|uri|path|file|dir|type|len|length|size|policy|expir\w*|ttl|age"
    rb"|count|limit|field|column|label|hint|text|title|message|key|host|port|user|alg"
    rb"|algorithm|method|endpoint|scope|version|provider|manager|store|input|box|format"
    rb"|regex|pattern|class|arn|vault|prefix|suffix|rule|schema|model|reset|change\w*"
    rb"|ization|izer|ize|ized|s?_?at|s?_?on|rotation|generator|service|group|domain)s?\Z",
    re.IGNORECASE,
)
_ARMOUR = re.compile(rb"-----?[^-]{1,60}-----?|\\\\+[nrt]")
_NOT_LOWER = re.compile(rb"[0-9A-Z:]")
_VARIABLE = re.compile(rb"[A-Z][A-Z0-9_]*")
_AMAZON = re.compile(rb"(?:[a-z]+-){2,}[a-z]+\d*")
_SPOKEN_NOT = re.compile(rb"-|[A-Za-z_][A-Za-z_.]*=|.*&[a-z]{2,8}\Z|.*\.\*\Z")
_URL_STAND_IN = re.compile(
    rb"(?i:[a-z_-]*(?:pass|passwd|password|passwort|secret|authtoken|access_token))|-?\W{0,2}"
    rb"|[A-Z][A-Z_]*_(?:TOKEN|PASS(?:WORD)?|SECRET|KEY|PW)"
)


def form(value: bytes, match: re.Match[bytes]) -> bool:
    """Anything: the form alone is enough."""
    return True


def key_block(value: bytes, match: re.Match[bytes]) -> bool:
    """A private key's lines: base64, not a word that stands for them."""
    body = _ARMOUR.sub(b"", value)
    return values.classes(body) > 1 and len(set(body)) > 6


def encoded_key(value: bytes, match: re.Match[bytes]) -> bool:
    """Base64 of an armoured private key: its first line says what it is."""
    head = value[: len(value) // 4 * 4][:64]
    return b"PRIVATE KEY" in base64.b64decode(head)


def some(value: bytes, match: re.Match[bytes]) -> bool:
    """Anything but a stand-in."""
    return not is_stand_in(value)


def token(value: bytes, match: re.Match[bytes]) -> bool:
    """Characters that were drawn, not written."""
    return values.is_random(value) and not is_stand_in(value)


def dense(value: bytes, match: re.Match[bytes]) -> bool:
    """A token whose form is weak: all three classes, or many digits."""
    digits = sum(48 <= byte <= 57 for byte in value)
    return (
        token(value, match)
        and digits >= 2
        and (values.classes(value) == 3 or digits * 8 >= len(value))
    )


def mixed(value: bytes, match: re.Match[bytes]) -> bool:
    """A token of a very weak form: lower case, upper case and digits."""
    drawn = values.classes(value) == 3 and not values.is_spelled(value)
    return drawn and token(value, match)


def hexadecimal(value: bytes, match: re.Match[bytes]) -> bool:
    """Hexadecimal digits, not one or two of them repeated, nor letters alone."""
    varied = len(set(value)) >= 6 and _NOT_LOWER.search(value) is not None
    return varied and not is_stand_in(value)


def assigned(value: bytes, match: re.Match[bytes]) -> bool:
    """What stands behind ``password =``, in code, configuration or a header."""
    if is_stand_in(value) or _is_harmless(match) or _is_in_url(match):
        return False
    strong = _is_password(match)
    if match["key"].lower() == b"pw" and b" " not in value and _is_code_of_place(value):
        return False
    if match["op"].startswith((b"==", b"!=")):
        return values.is_literal(value, password=strong)
    if match["q"]:
        command = match["q"].endswith(b"`") and b" " in value
        if command or stands_behind(value):
            return False
        return is_quoted_secret(value, match, strong=strong)
    if values.is_literal(value, password=strong):
        return True
    if _is_environment(match):
        return _environment_value(value, strong=strong)
    return strong and value.isdigit() and len(value) >= 6


def other_key(value: bytes, match: re.Match[bytes]) -> bool:
    """What stands behind ``..._KEY =`` of no known meaning: a long random value."""
    return (
        len(value) >= 20
        and mixed(value, match)
        and values.is_literal(value)
        and not _is_harmless(match)
    )


def spoken(value: bytes, match: re.Match[bytes]) -> bool:
    """What a sentence calls a password: letters with digits or signs among them."""
    return _is_spoken(value) and values.is_literal(value, password=_is_password(match))


def uttered(value: bytes, match: re.Match[bytes]) -> bool:
    """What a sentence in any language calls a password."""
    if value.lower() == value.upper():
        return False  # no letter of a password: half a sentence in Chinese
    return _is_spoken(value) and values.is_literal(value, password=True)


def beside(value: bytes, match: re.Match[bytes]) -> bool:
    """What stands right behind the word "password": only what no word looks like."""
    return spoken(value, match) and _is_varied(value)


def said_first(value: bytes, match: re.Match[bytes]) -> bool:
    """What a sentence begins with before it calls it a password."""
    return uttered(value, match) and _is_varied(value)


def flag(value: bytes, match: re.Match[bytes]) -> bool:
    """What a command is given as a password: nearly anything but a variable."""
    if is_stand_in(value) or value.startswith((b"-", b"$", b"<", b"@", b"/", b"~")):
        return False
    return len(value) >= 4 and not value.endswith((b":", b"="))


def option(value: bytes, match: re.Match[bytes]) -> bool:
    """What stands behind ``--password`` or ``--token``, with ``=`` or a space."""
    if not flag(value, match):
        return False
    password = match["key"].lower().startswith((b"pass", b"pwd"))
    if password and (match["op"] == b"=" or match["q"]):
        return True
    return values.is_literal(value, password=password)


def argument(value: bytes, match: re.Match[bytes]) -> bool:
    """What a call is given as a password or key: a literal, not a label or a name."""
    if is_stand_in(value) or is_sentence(value):
        return False
    if b" " in value and values.classes(value) < 3:
        return False
    return values.is_literal(value, password=True)


def listed(value: bytes, match: re.Match[bytes]) -> bool:
    """What stands behind a sensitive name in a list: only what no name looks like."""
    if not argument(value, match) or _is_harmless(match):
        return False
    return _is_varied(value)


def column(value: bytes, match: re.Match[bytes]) -> bool:
    """What stands in a table's column of passwords or keys."""
    in_column = is_of_secrets(match.string, match.pos, match.start())
    return in_column and argument(value, match) and _UUID.fullmatch(value) is None


def digits(value: bytes, match: re.Match[bytes]) -> bool:
    """A code with digits in it."""
    return len(value) >= 6 and sum(48 <= byte <= 57 for byte in value) >= 2


def parameter(value: bytes, match: re.Match[bytes]) -> bool:
    """What an address carries as a code: random, and no digest or identifier."""
    if _UUID.fullmatch(value) or values.is_code(value) or _is_harmless(match):
        return False
    return values.is_random(value) and not is_stand_in(value)


def assigned_value(value: bytes, match: re.Match[bytes]) -> bool:
    """What stands behind a name that often has a harmless value: a long literal."""
    if is_stand_in(value) or values.is_code(value) or _is_harmless(match):
        return False
    varied = values.classes(value) == 3 or values.is_random(value)
    return varied and values.is_literal(value)


def suffixed(value: bytes, match: re.Match[bytes]) -> bool:
    """What stands behind a name that only begins or goes on sensitively."""
    if _DESCRIBING.search(match["rest"]) or _is_harmless(match):
        return False
    return listed(value, match) and _UUID.fullmatch(value) is None


def header(value: bytes, match: re.Match[bytes]) -> bool:
    """What stands behind ``Authorization:``."""
    if is_stand_in(value) or values.is_code(value) or _PARAMETER.match(value):
        return False
    if _AMAZON.fullmatch(value) or value.lower().startswith(b"credential="):
        return False
    if (match["scheme"] or b"").lower() == b"basic":
        return basic(value, match) or values.is_random(value)
    if match["scheme"]:
        return values.is_literal(value) or values.is_random(value)
    drawn = len(value) >= 16 and values.is_random(value)
    return drawn and not values.is_spelled(value, 0.8)


def cookie(value: bytes, match: re.Match[bytes]) -> bool:
    """One cookie: a session by its name, or any long random value."""
    name = match["name"].lower()
    if is_stand_in(value) or values.is_code(value) or name in _COOKIE_ATTRIBUTES:
        return False
    if _SESSION.search(name):
        return len(value) >= 8
    return len(value) >= 20 and values.is_random(value)


def said_token(value: bytes, match: re.Match[bytes]) -> bool:
    """What a sentence calls a token or key."""
    if values.is_code(value) or _UUID.fullmatch(value):
        return False
    return token(value, match) and not values.is_spelled(value, 0.8)


def named(value: bytes, match: re.Match[bytes]) -> bool:
    """What a list gives as the value of a name such as ``DB_PASSWORD``."""
    if is_stand_in(value) or is_sentence(value) or values.is_place(value):
        return False
    return bool(match["q"]) or not values.is_code(value)


def kubernetes(value: bytes, match: re.Match[bytes]) -> bool:
    """A value of a Kubernetes secret, whichever end of the document names the kind."""
    begin = max(0, match.start() - 3000)
    around = match.string[begin : match.end() + 3000]
    if b":" in value and b"%s" in value:
        return False  # printf of a chart
    return _SECRET_KIND.search(around) is not None and not is_stand_in(value)


def basic(value: bytes, match: re.Match[bytes]) -> bool:
    """Base64 of ``user:password``."""
    padded = value + b"=" * (-len(value) % 4)
    try:
        decoded = base64.b64decode(padded, altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return False
    user, colon, password = decoded.partition(b":")
    readable = all(32 <= byte < 127 for byte in decoded)
    return bool(user and colon and password) and readable


def in_url(value: bytes, match: re.Match[bytes]) -> bool:
    """A password in a URL."""
    if is_stand_in(value) or re.fullmatch(rb"%[sdvq]|[:\w]{1,2}", value):
        return False
    if _URL_STAND_IN.fullmatch(value):
        return False  # username:mypassword, DB_USER:DB_PASSWORD, ${NAME:-}
    if match[0].lstrip(b":\\/").startswith(value + b":"):
        return False  # postgres:postgres, as examples have it
    return not re.match(rb"[{<$%]?\w*[}>(]", value)


def _is_varied(value: bytes) -> bool:
    """Say whether a value has more in it than names and words have."""
    if len(value) < 8:
        return False
    if values.classes(value) + values.has_sign(value) >= 3:
        return True
    return values.is_random(value) and (len(value) >= 16 or value.isalpha())


def _is_spoken(value: bytes) -> bool:
    if is_stand_in(value) or value.endswith((b"=", b"{")) or b"{" in value[1:]:
        return False
    return _SPOKEN_NOT.match(value) is None


def _is_in_url(match: re.Match[bytes]) -> bool:
    """Say whether this is the user's part of a URL, which has its own rule."""
    before = match.string[max(0, match.start() - 24) : match.start()]
    return match["op"] == b":" and b"://" in before


def _is_harmless(match: re.Match[bytes]) -> bool:
    before = match.string[max(0, match.start() - 80) : match.start()]
    name = before.rstrip(b"_.-").lower()
    if name.endswith(_HARMLESS_ENDS) and _HARMLESS.search(before):
        return True
    return b"arn:aws" in before and _RESOURCE.search(before) is not None


def _is_password(match: re.Match[bytes]) -> bool:
    key = match["key"].lower()
    return key.startswith((b"pass", b"pwd", b"secret", b"psk", b"pw"))


def _is_environment(match: re.Match[bytes]) -> bool:
    """Say whether this is ``NAME=value`` of a shell or .env file: no space, upper."""
    text, start = match.string, match.start()
    while start and (text[start - 1 : start].isalnum() or text[start - 1] == 0x5F):
        start -= 1
        if match.start() - start > 64:
            return False
    name = text[start : match.start("op")]
    if name[:1] in b"nrt" and text[start - 1 : start] == b"\\":
        name, start = name[1:], start + 1
    return (
        match["op"] == b"="
        and _VARIABLE.fullmatch(name) is not None
        and _ENVIRONMENT.search(text, max(0, start - 3), start) is not None
    )


def _environment_value(value: bytes, *, strong: bool) -> bool:
    if re.fullmatch(rb"[A-Za-z_][\w.]*\(.*|/.*|\w+://.*|.*\$\{?\w.*", value):
        return False
    if strong:
        return len(value) >= 4
    return len(value) >= 12 and values.is_random(value)


def _is_code_of_place(value: bytes) -> bool:
    """Say whether a value is what lists of countries have under ``PW``."""
    return re.search(rb"[-_/]", value) is not None and values.is_wordy(value)


CHECKS: Mapping[str, Check] = {
    "form": form,
    "key_block": key_block,
    "encoded_key": encoded_key,
    "some": some,
    "said_first": said_first,
    "token": token,
    "dense": dense,
    "mixed": mixed,
    "hex": hexadecimal,
    "assigned": assigned,
    "other_key": other_key,
    "spoken": spoken,
    "uttered": uttered,
    "beside": beside,
    "flag": flag,
    "argument": argument,
    "listed": listed,
    "suffixed": suffixed,
    "assigned_value": assigned_value,
    "parameter": parameter,
    "column": column,
    "digits": digits,
    "option": option,
    "header": header,
    "cookie": cookie,
    "said_token": said_token,
    "kubernetes": kubernetes,
    "named": named,
    "basic": basic,
    "in_url": in_url,
}
