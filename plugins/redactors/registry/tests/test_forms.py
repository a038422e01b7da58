"""The encodings a value is looked for in."""

from __future__ import annotations

import base64
import html
import json
import shlex
import unicodedata
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from letsbe_redactor_registry.forms import SHORTEST_ENCODED, forms_of

VALUES = st.text(min_size=6, max_size=60)


def covered(value: str, encoded: str | bytes) -> bool:
    data = encoded if isinstance(encoded, bytes) else encode(encoded)
    return any(form in data for form in forms_of(value))


def encode(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


@given(VALUES)
@example("a'b\"c\\d/e<f>g&h+i j%k\n`$é")
def test_text_encodings(value: str) -> None:
    once = json.dumps(value)
    for text in (
        value,
        once,
        json.dumps(value, ensure_ascii=False),
        json.dumps(once),
        json.dumps(json.dumps(once)),
        json.dumps(json.dumps(value, ensure_ascii=False), ensure_ascii=False),
        once.replace("/", "\\/"),
        html.escape(value),
        repr(value)[1:-1],
    ):
        assert covered(value, text)


@given(VALUES.filter(lambda text: not any("\ud800" <= c <= "\udfff" for c in text)))
@example("a'b\"c\\d/e<f>g&h+i j%k\n`$é")
def test_byte_encodings(value: str) -> None:
    data = value.encode()
    for text in (
        base64.b64encode(base64.b64encode(data)),
        base64.b64encode(b"k: " + base64.b64encode(data) + b"\n"),
        quote(value),
        quote(value, safe=""),
        quote_plus(value),
        quote(quote(value, safe=""), safe=""),
        "".join(f"%{byte:02x}" for byte in data),
        "".join(f"%{byte:02X}" for byte in data),
        data.hex(),
        data.hex().upper(),
        shlex.quote(value),
    ):
        assert covered(value, text)


@given(VALUES, st.binary(max_size=5), st.binary(max_size=5), st.booleans())
def test_base64_wherever_it_stands(
    value: str, before: bytes, after: bytes, url_safe: bool
) -> None:
    encode_base64 = base64.urlsafe_b64encode if url_safe else base64.b64encode
    assert covered(value, encode_base64(before + encode(value) + after))


@given(VALUES, st.binary(min_size=1, max_size=3), st.binary(max_size=3))
def test_base64_forms_hold_nothing_but_the_value(
    value: str, before: bytes, other: bytes
) -> None:
    """What stands around a value does not change what is looked for."""
    data = encode(value)
    # "0" beside "000000" makes it stand twice.
    assume(not set(before + other) & set(data))
    first = base64.b64encode(before + data)
    second = base64.b64encode(before[::-1] + data + other)
    shared = [f for f, rule in forms_of(value).items() if rule == "base64"]
    assert [f in first for f in shared] == [f in second for f in shared]


@given(st.text(min_size=1, max_size=4))
def test_short_encoded_forms_are_left_out(value: str) -> None:
    forms = forms_of(value)
    assert forms[encode(value)] == "plain"
    assert all(
        len(form) >= SHORTEST_ENCODED for form, rule in forms.items() if rule != "plain"
    )


@given(VALUES)
def test_no_form_is_empty(value: str) -> None:
    assert b"" not in forms_of(value)


def test_a_plain_token_has_few_forms() -> None:
    rules = list(forms_of("ghp_16C7e42F292c6912E7710c838347Ae178B4a").values())
    assert sorted(rules) == [*["base64"] * 6, "hex", "hex", "plain", "url", "url"]


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_unicode_normalised(form: str) -> None:
    text = unicodedata.normalize(form, "pässwörd-ﬁ①")  # type: ignore[arg-type]
    assert covered("pässwörd-ﬁ①", text)


PEM = """-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgevZzL1gdAFr88hb2
OF/2NxApJCzGCEDdfSp6VQO30hyhRANCAAQRWz+jn65BtOMvdyHKcvjBeBSDZH2r
-----END PRIVATE KEY-----
"""


def test_key_blocks() -> None:
    for text in (
        PEM,
        PEM.strip(),
        PEM.replace("\n", "\r\n"),
        PEM.replace("\n", "\\n"),
        json.dumps({"key": PEM}),
        json.dumps(json.dumps({"key": PEM.strip()})),
        base64.b64encode(PEM.encode()),
    ):
        assert covered(PEM, text)


def test_lines_of_an_indented_key_block() -> None:
    lines = PEM.splitlines()
    assert covered(PEM, "  " + "\n  ".join(lines[1:3]))
    assert not covered(PEM, lines[0])


def test_lines_that_everybody_has_are_no_forms() -> None:
    account = '{\n  "type": "service_account",\n  "auth_uri": "https://a.example/o"\n}'
    assert not covered(account, '"type": "service_account",')
