"""A literal secret is told from code, words and labels."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe_redactor_patterns import values


@pytest.mark.parametrize(
    "value",
    [
        "hunter2x9", "S3cret!", "Tr0ub4dor&3", "p@ssw0rd", "correct-horse-battery9",
        "aX9!kk", "0b0c5a199ea94dd5", "XqWTndilhGtc", "k8s-a1b2c3",
    ],
)  # fmt: skip
def test_a_literal_is_one(value: str) -> None:
    assert values.is_literal(value.encode(), password=True)


@pytest.mark.parametrize(
    "value",
    [
        "get_password()", "settings.PASSWORD", "passwordInput", "str", "Optional[str]",
        "user_id2.name", "process.env.TOKEN", "1234567", "12.5ms", "2024-11-23T10:00",
        "/run/secrets/db1", "config['x1']", "password2", "sha256", "v1.2.3", "^7.0.3",
        "string|null", "a@b.com", "release-notes-2024", "lambda x1: x1", "#dddddd",
        "key.pem", "token_handler2", "&password1", ".Values.auth.x1", "gin.H{",
        "&portainer.TokenData{ID", "vec![Token::Nil]", "?InputOption", ":param1",
        "OAuth2\\Storage\\Tokens", "npm:^3.0", "!options.credentials", "A?y:void",
        "!!r.credentials),f&", "/*#__PURE__*/fn1", "+config.token",
    ],
)  # fmt: skip
def test_code_numbers_and_places_are_none(value: str) -> None:
    assert not values.is_literal(value.encode(), password=True)


def test_a_numbered_name_may_be_a_password_but_no_token() -> None:
    assert values.is_literal(b"hunter2", password=True)
    assert not values.is_literal(b"result12")


@pytest.mark.parametrize(
    ("value", "random"),
    [
        ("aB3dE6gH9kL2", True),
        ("aaaaaaaaaaaa1", False),
        ("release-notes-2024", False),
        ("onlylowercase", False),
        ("QwErTyUiOpAsDf", True),
    ],
)
def test_drawn_characters_are_told_from_written_ones(value: str, random: bool) -> None:
    assert values.is_random(value.encode()) is random


PLAIN = st.lists(
    st.sampled_from(["await", "None", "ENV", "0x", "1e5", "9", "10MB", "v1", "key"])
    | st.text("abXY019", max_size=3),
    max_size=4,
).map(lambda parts: "".join(parts).encode())


@given(PLAIN.filter(bytes.isalnum))
def test_code_without_signs_is_quickly_told_the_same(value: bytes) -> None:
    forms = (values._EXPRESSION, values._NUMBER, values._DATE, values._PLACE)
    slowly = values.is_name(value) or any(form.fullmatch(value) for form in forms)

    assert values.is_code(value) == slowly
