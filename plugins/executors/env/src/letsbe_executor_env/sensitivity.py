"""Whether a variable's name says that its value is a secret.

Both errors hurt: a secret that is shown is lost, and an agent that cannot see
``TOKEN_LIMIT`` cannot do its work. So names are taken apart into words, and a word
such as ``TOKEN`` counts unless the words around it say that this is about a token and
not one.
"""

from __future__ import annotations

import re

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_RUNS = re.compile(r"[A-Za-z]+")


def _set_of(words: str) -> frozenset[str]:
    return frozenset(words.split())


_SECRET = _set_of(
    """
    AUTHORIZATION BEARER COOKIE CREDENTIAL CREDENTIALS CREDS HTPASSWD JWT PASS PASSCODE
    PASSKEY PASSPHRASE PASSWD PASSWORD PASSWORDS PEPPER PSK PW PWD SALT SECRET SECRETS
    TOKEN TOKENS
    """
)
_ENDINGS = (
    "PASSWORD",
    "PASSWD",
    "SECRET",
    "TOKEN",
    "APIKEY",
    "APPKEY",
    "AUTHKEY",
    "ACCESSKEY",
    "LICENSEKEY",
    "PRIVATEKEY",
    "SECRETKEY",
    "SSHKEY",
)
# Whoever speaks of a secret's length, file or name does not give the secret.
_ABOUT = _set_of(
    """
    AGE ALGORITHM ALGO ALLOWED ATTEMPTS AUDIENCE BINDING BINDINGS BITS BUDGET CACHE
    CLASS COST COUNT CURVE DAYS DIR DISABLED DOMAIN DRIVER DURATION ENABLED ENDPOINT
    EXPIRATION EXPIRE EXPIRES EXPIRY FIELD FILE FOLDER FORMAT GRACE HASHER HEADER HINT
    HOST HOURS HTTPONLY ID IDS INTERVAL ISSUER LAYOUT LEEWAY LENGTH LEN LIFETIME LIMIT
    LIMITS MANAGER MAP MAX MIN MINUTES MODE NAME NAMES NUM PATH POLICY PORT PREFIX
    PROVIDER RATE REFRESH REGION REQUIRED RESET ROTATION ROUNDS SAMESITE SCOPE SCOPES
    SECONDS SECURE SIZE SOURCE STORE STRENGTH SUFFIX THRESHOLD TIMEOUT TTL TYPE URI URL
    USAGE USER USERNAME VAULT VERSION WINDOW
    """
)
_AMOUNTS = _set_of("COUNT INPUT LIMIT MAX MIN NUM NUMBER OUTPUT TOTAL")
_OPEN_KEYS = _set_of(
    """
    CACHE FOREIGN GROUP HOT IDEMPOTENCY INDEX LOOKUP MESSAGE OBJECT PARTITION PRIMARY
    PUB PUBLIC PUBLISHABLE ROUTING ROW SHARD SHORTCUT SITE SORT TRANSLATION UNIQUE
    """
)

_NO_SECRET = re.compile(
    r"\s*|true|false|yes|no|on|off|null|none|\$\{?\w+\}?|\$\(.*\)|<[^<>]*>",
    re.IGNORECASE | re.DOTALL,
)
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY")


def is_sensitive_key(key: str) -> bool:
    """Tell whether a variable's name says that it holds a secret.

    Args:
        key: The name, in capitals with underscores or in any other usual style.
    """
    if key in {"PWD", "OLDPWD"}:
        return False  # the shell's working folders
    return any(
        _speaks_of_a_secret([word.upper() for word in pattern.findall(key)])
        for pattern in (_WORDS, _RUNS)
    )


def is_sensitive_value(value: str) -> bool:
    """Tell whether a value is a secret whatever its name."""
    return _PRIVATE_KEY.search(value) is not None


def holds_nothing(value: str) -> bool:
    """Tell whether a value is no secret whatever its name: empty, switch, reference.

    Placeholders such as ``changeme`` are not among them: somebody may not have.
    """
    return _NO_SECRET.fullmatch(value) is not None


def _speaks_of_a_secret(words: list[str]) -> bool:
    for at, word in enumerate(words):
        if not _is_secret_word(word, words[:at]):
            continue
        if not _ABOUT.isdisjoint(words[at + 1 :]):
            continue
        if word in {"TOKEN", "TOKENS"} and not _AMOUNTS.isdisjoint(words[:at]):
            continue
        return True
    return False


def _is_secret_word(word: str, before: list[str]) -> bool:
    if word in {"KEY", "KEYS"}:
        return not before or before[-1] not in _OPEN_KEYS
    return word in _SECRET or word.endswith(_ENDINGS)
