"""What only stands for a secret is told from what may be one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe.redaction import standins
from letsbe.redaction.standins import is_sentence, is_stand_in


@pytest.mark.parametrize(
    "value",
    [
        "", "<your-token>", "${VAR}", "$VAR", "$(pass show x)", "{{ vault.x }}", "%P%",
        "xxxx", "****", "...", "abc...xyz", "changeme", "changeme123", "sk-xxxxxxxx",
        "SECRET_REF(a.b)", "[REDACTED:x]", "oc-sent-v2.abc", "YOUR_API_KEY", "null",
        "your-password-here", "string", "AKIAIOSFODNN7EXAMPLE", "op://vault/item/field",
        "env:TOKEN", "password", "…", "••••••••", "000000000000", "ENC[AES256,x]",
    ],
)  # fmt: skip
def test_a_stand_in_is_one(value: str) -> None:
    assert is_stand_in(value.encode())


@pytest.mark.parametrize(
    "value",
    [
        "hunter2", "password123", "S3cret!", "Tr0ub4dor&3", "$up3r!pw", "swordfish",
        "correct horse battery staple", "mytoken9", "p@ssw0rd", "letmein", "12345678",
        "aB3dE6gH9kL2mN5p",
    ],
)  # fmt: skip
def test_what_may_be_a_secret_is_none(value: str) -> None:
    assert not is_stand_in(value.encode())


def test_a_long_value_is_judged_by_its_beginning() -> None:
    assert not is_stand_in(b"q7Z" * 100_000)


@pytest.mark.parametrize(
    "value",
    [
        "Enter your password", "must be set", "The 'x' one.", "Auth-Token / API-Key",
        "Пароль", "パスワードを変更", "비밀번호", "Contraseña", "Clé API (V2)",
        r"\u30d1\u30e9\u30aa", "Du kan få en åtkomsttoken från {0}",
    ],
)  # fmt: skip
def test_a_label_is_a_sentence(value: str) -> None:
    assert is_sentence(value.encode())


@pytest.mark.parametrize(
    "value",
    [
        "correct horse battery staple", "a1 b2 c3", "word", "пароль-тайный",
        "Grüße-an-Zoë-2k7Qx9", "Zoë7!x",
    ],
)  # fmt: skip
def test_a_passphrase_is_none(value: str) -> None:
    assert not is_sentence(value.encode())


PLAIN = st.lists(
    st.sampled_from(["your", "Goes", "here", "change", "it", "Replace", "with", "xx"])
    | st.sampled_from(["placeholder", "fill", "in", "redacted", "Dummy", "not", "set"])
    | st.sampled_from(["example", "token", "0000", "1234567890", "abcdefghij"])
    | st.text("xX09ab", max_size=4),
    max_size=5,
).map(lambda parts: "".join(parts).encode())


@given(PLAIN.filter(bytes.isalnum))
def test_letters_and_digits_are_quickly_told_the_same(value: bytes) -> None:
    spoken = value.lower()
    slowly = (
        standins._WRAPPED.fullmatch(value)
        or standins._FILLER.fullmatch(value)
        or spoken in standins._WORDS
        or spoken.rstrip(b"0123456789") in standins._NUMBERED
        or standins._SPOKEN.search(spoken)
    )

    assert is_stand_in(value) == bool(slowly)
