"""A word with a capital under a password's name: a password, or the word for one."""

from __future__ import annotations

import pytest

from letsbe_redactor_patterns.layer import PatternLayer
from letsbe_redactor_patterns.rules import load_rules
from letsbe_redactor_patterns.scanning import PlainScanner

RULES = load_rules()
LAYER = PatternLayer(RULES, PlainScanner(RULES))
TEXTS = b"""{
  "login": "Anmelden",
  "username": "Benutzername",
  "password": "Kennwort",
  "forgot": "Kennwort vergessen?",
  "submit": "Abschicken"
}"""


def found(text: bytes) -> list[bytes]:
    return [text[start:end] for start, end, *_ in LAYER.find(text)]


@pytest.mark.parametrize(
    "text",
    [
        b'{"password": "Swordfish"}',
        b'{"credentials": {"user": "ada", "password": "Swordfish"}}',
        b'password = "Swordfish"',
        b'const user = {email: "ada@x.example", password: "Swordfish", name: "Ada"};',
        b'{"host": "db1", "user": "app", "password": "Swordfish", "name": "Shop"}',
    ],
)
def test_alone_or_among_settings_it_is_a_password(text: bytes) -> None:
    assert found(text) == [b"Swordfish"]


@pytest.mark.parametrize(
    "text",
    [
        TEXTS,
        b"{title: 'Connexion', password: 'Secret', remember: 'Se souvenir de moi'}",
        b'"password": "Passwort"',
        b'"Client Secret": "Client-Geheimnis"',
        b'password: "Kennwort:"',
    ],
)
def test_among_what_a_program_says_it_is_a_label(text: bytes) -> None:
    assert found(text) == []


def test_what_was_taken_out_beside_it_changes_nothing() -> None:
    secret = TEXTS.replace(b'"Anmelden"', b'"x7Kq2mVb9RtYwP4nLsD8"')
    clean = TEXTS.replace(b'"Anmelden"', b'"[REDACTED:password]"')
    assert found(secret) == found(clean) == []
