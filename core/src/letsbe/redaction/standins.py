"""Tells what only stands where a secret would from what may be one.

Documentation, templates and already redacted text are full of values beside the word
"password" that are nobody's password. Taking them out damages text and hides nothing.
"""

from __future__ import annotations

import re

_LONGEST = 256

_WRAPPED = re.compile(
    rb"""
      <.*>                                   # <your-token>
    | \[.*\]                                 # [token], [REDACTED:kind]
    | \{.*\}                                 # {token}, {{ vault.token }}
    | \$\{.* | \$\(.* | \$\$?[A-Za-z_][\w.:-]*  # ${TOKEN}, $(pass show), $TOKEN
    | [\#@%]\{.* | <%.*                      # Ruby, Puppet, ERB
    | %\w+% | %\(\w+\)s | @@?[\w.]+@@? | __[A-Za-z]\w*__
    | SECRET_REF\(.* | \[REDACTED.* | oc-sent-.* | __OPENCLAW_.*
    | !(?:vault|secret|env_var|Ref|Sub|GetAtt)\b.*    # YAML tags
    | (?:op|vault|secret|env|ssm|keyring|file|awssm|gcpsm|kms|sops|ref\+\w+)
      (?:://|:(?=[\w/.-]+\Z)).*              # op://vault/item, env:NAME
    | (?:enc|ENC)\[.* | arn:aws.*
    """,
    re.VERBOSE | re.DOTALL,
)
_FILLER = re.compile(rb"(?:(.)\1*|[-*xX.#_?=\xe2\x80\xa2\xa6 ]+|[0 ]+)", re.DOTALL)
_SPOKEN = re.compile(
    rb"""
      \*\*\* | \.\.\. | \xe2\x80\xa6 | \xe2\x80\xa2\xe2\x80\xa2
    | (?:token|key|secret|password|value)here \Z
    | x{4} | 0{12} | \bx{3}\b | \#{4} | abcdefghij | (?:1234567890){2}
    | (?:\A|[^a-z]) (?:your|my|the|some|an?) [-_ ] (?:[a-z0-9]+[-_ ]){0,4}
      (?:key|token|secret|password|passwd|pass|passphrase|pwd|pat|credentials?|here
        |value|id|jwt|string)
    | \A your (?:[-_ ]|[a-z]*(?:key|token|secret|pass)) | [-_ ]here \Z | goes[-_ ]?here
    | (?:\A|[^a-z]) (?:
        change[-_ ]?(?:me|this|it|in) | replace[-_ ]?(?:me|this|with)
      | place[-_ ]?holder
      | insert[-_ ] | enter[-_ ] | fill[-_ ]?(?:me|in) | to[-_ ]be[-_ ] | redacted
      | dummy | fake[-_] | not[-_ ]?(?:a[-_ ]?real|set|used|needed|required)
      | put[-_ ](?:your|the|it) | set[-_ ](?:me|this|in|by|your) | e\.g\. | example
      )
    | example(?:key|token|secret|password)? \Z
    """,
    re.VERBOSE,
)
_IN_SPOKEN = (
    b"xxxx 000000000000 abcdefghij 1234567890 your goes change replace placeholder "
    b"fill redacted dummy not example"
).split()
"""One of these is in whatever is spoken without a sign between its words."""

_WORDS = frozenset(
    b"""
    password passwd passphrase pass pwd secret secrets token tokens key apikey api_key
    api-key credential credentials auth authorization bearer basic cookie
    none null nil undefined nan true false yes no on off n/a na void empty unset blank
    string str bytes text varchar char int integer number float bool boolean object any
    array list dict hash uuid optional required sensitive hidden masked secure private
    public internal default example sample test testing dummy fake mock foo bar baz qux
    todo tbd fixme changeme change_me change-me changeit replaceme replace_me
    placeholder redacted value values here unknown missing invalid expired revoked valid
    enabled disabled generated random auto automatic prompt ask stdin env environment
    file vault keychain keyring
    """.split()
)
_NUMBERED = frozenset(
    b"changeme change_me change-me changeit replaceme replace_me placeholder example "
    b"dummy sample foo bar value token key".split()
)

_SPELLED = re.compile(
    rb"""[("'\\]{0,2}[A-Za-z]+(?:['/-][A-Za-z]+)*[\])"'.,:;!?\\n]{0,4}"""
)
_BLANKS = re.compile(r"\{\w*\}")
_ESCAPED = re.compile(r"\\+u([0-9a-fA-F]{4})")
_ASCII, _SOUNDS = 0x7F, 0x2E80
"""Up to which character a text is ASCII; from which on one is a syllable or a word."""
_SMALL = frozenset(
    b"""
    a an and are as at be by can do enter field for from has if in input is it must
    need no not of on or please should that the this to use was will with you your
    con das de del der die du el en het la le mit van key password secret token
    """.split()
)


def is_stand_in(value: bytes) -> bool:
    """Say whether a value only stands where a secret would.

    Args:
        value: The value alone, without its quotes. A long one is judged by its first
            256 bytes.

    Returns:
        True for empty values, references (``${NAME}``, ``SECRET_REF(name)``), masks
        (``***``, ``[REDACTED:kind]``), fillers (``xxxx``), spoken placeholders
        (``your-token-here``, ``changeme``) and the words that stand for a type or for
        nothing (``string``, ``null``).
    """
    value = value[:_LONGEST].strip()
    if value.isalnum():
        return _is_plain_stand_in(value)
    if not value or _WRAPPED.fullmatch(value) or _FILLER.fullmatch(value):
        return True
    spoken = value.lower()
    if spoken in _WORDS or spoken.rstrip(b"0123456789!?.,;:_-") in _NUMBERED:
        return True
    return _SPOKEN.search(spoken) is not None


def _is_plain_stand_in(value: bytes) -> bool:
    """Say of letters and digits alone whether they are a stand-in.

    Most drawn values are. Nothing that wraps a value is without signs, and what is
    spoken has one of a few words, so that there is no need to look for all of it.
    """
    spoken = value.lower()
    if not value.strip(value[:1]) or not spoken.strip(b"x") or spoken in _WORDS:
        return True
    if spoken.rstrip(b"0123456789") in _NUMBERED:
        return True
    return (
        any(map(spoken.__contains__, _IN_SPOKEN)) and _SPOKEN.search(spoken) is not None
    )


def is_sentence(value: bytes) -> bool:
    """Say whether a value is something said: a label or message, not a passphrase.

    Args:
        value: The value alone, without its quotes.

    Returns:
        True for several words of which most are spelled with letters alone, unless
        they are all lower case without any small word (``correct horse battery``);
        and for what is written in another alphabet, without digits: ``Пароль``.
    """
    if not value.isascii() or b"\\u" in value:
        foreign = _is_foreign(value[:_LONGEST].decode("utf-8", "ignore"))
        if foreign is not None:
            return foreign
    words = value[:_LONGEST].split()
    if len(words) < 2:
        return False
    spelled = sum(_SPELLED.fullmatch(word) is not None for word in words)
    if 3 * spelled < 2 * len(words):
        return False
    return not value.islower() or any(word in _SMALL for word in words)


def _is_foreign(text: str) -> bool | None:
    """Say whether a text is something said in letters that are not ASCII.

    Returns:
        None if none of its letters is another than ASCII has.
    """
    plain = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), _BLANKS.sub("", text))
    letters = [ord(sign) for sign in plain if sign.isalpha()]
    foreign = sum(letter > _ASCII for letter in letters)
    if not foreign:
        return None
    if sum(letter >= _SOUNDS for letter in letters) * 3 > len(plain):
        return True
    words = plain.split()
    if len(words) == 1:
        return not any(map(str.isdigit, plain)) and not (
            "-" in plain and plain.islower()
        )
    return sum(not any(map(str.isdigit, word)) for word in words) * 2 > len(words)
