"""What is random goes; what is random and no secret stays."""

import base64
import json
import random
import re
import string
import textwrap
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe_redactor_entropy import letsbe_redaction_layers
from letsbe_redactor_entropy.judging import (
    entropy,
    is_digest,
    is_encoded_text,
    is_secret,
    is_wordy,
)
from letsbe_redactor_entropy.layer import EntropyLayer
from letsbe_redactor_entropy.runs import LEAST, long_runs
from letsbe_redactor_entropy.wrapping import wrapped_block

LAYER = EntropyLayer()
BASE62 = string.ascii_letters + string.digits
BASE64 = BASE62 + "+/"
URL64 = BASE62 + "-_"
HEX = "0123456789abcdef"
BASE32 = string.ascii_uppercase + "234567"
BASE36 = string.ascii_lowercase + string.digits


def draw(alphabet: str, length: int, seed: int = 7) -> str:
    return "".join(random.Random(seed).choices(alphabet, k=length))


def found(text: str) -> list[str]:
    encoded = text.encode()
    return [encoded[start:end].decode() for start, end, *_ in LAYER.find(encoded)]


@pytest.mark.parametrize(
    ("alphabet", "length"),
    [
        (BASE62, 32), (BASE62, 40), (BASE64, 64), (URL64, 43), (BASE62, 200),
        (BASE32, 40), (BASE36, 40), (HEX, 36), (HEX, 80),
    ],
)  # fmt: skip
def test_nearly_all_random_strings_of_an_alphabet_go(
    alphabet: str, length: int
) -> None:
    values = [draw(alphabet, length, seed) for seed in range(300)]
    gone = sum(is_secret(value.strip("-_+/").encode()) for value in values)

    assert gone >= 0.93 * len(values)


@pytest.mark.parametrize("length", [32, 40, 64, 128])
def test_digests_of_a_usual_length_stay(length: int) -> None:
    assert found(f"x {draw(HEX, length)} y") == []


@pytest.mark.parametrize(
    "text",
    [
        "data:image/png;base64,{}", '{{"image_url": {{"url": "data:x;base64,{}"}}}}',
        '"integrity": "sha512-{}=="', "nginx@sha256:{}", '{{"signature": "{}"}}',
        '{{"encrypted_content": "{}"}}', '{{"thoughtSignature": "{}"}}',
        '{{"a": "{{\\"signature\\": \\"{}\\"}}"}}', '{{"id": "call_{}"}}', "toolu_{}",
        "msg_{}", "chatcmpl-{}", "resp_{}", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5{} bob",
        "https://x.io/a/{}/b", "/srv/{}/x", "prompt_cache_key={}", "traceparent: 00-{}",
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----",
        '"etag": "{}"', "by mx.io with ESMTPSA id {}",
        "-----BEGIN PUBLIC KEY-----\\n{}\\n-----END PUBLIC KEY-----",
        "x/{}.js",
        "SHA256:{}",
        "h1:{}=", '{{"sessionId": "{}"}}', '{{"data": "{}"}}', "pk_live_{}",
    ],
)  # fmt: skip
def test_what_stands_where_no_secret_does_stays(text: str) -> None:
    assert found(text.format(draw(BASE62, 44))) == []


@pytest.mark.parametrize(
    "text",
    [
        "getUserAccountInformationFromDatabaseById2",
        "letsbe_redactor_patterns_rules_v2",
        "3f2b8c1e-9d4a-4b6e-8f10-2a7c5d9e1b34",
        "node_modules/helper-validator-name/lib1",
        "MAX_TOKENS_PER_REQUEST_WINDOW_SIZE_V2", "12345678901234567890123456789012345",
        "VGhlc2UgYXJlbid0IHRoZSBkcm9pZHMgeW91J3JlIGxvb2tpbmcgZm9y", "a" * 60 + "1",
    ],
)  # fmt: skip
def test_names_numbers_and_encoded_sentences_stay(text: str) -> None:
    assert found(f"see {text} there") == []


@pytest.mark.parametrize("escape", ["\\n", "\\t", "\\r\\n", "\\\\n", "\\u000a", '\\"'])
def test_an_escape_is_never_cut(escape: str) -> None:
    secret = draw(BASE62, 44)

    assert found(f'{{"content": "x{escape}{secret}{escape}y"}}') == [secret]


@given(st.lists(st.one_of(st.text(), st.just(draw(BASE64, 50))), max_size=6))
def test_json_stays_json(parts: list[str]) -> None:
    text = json.dumps({"a": json.dumps(parts), "b": parts}).encode()
    for finding in sorted(LAYER.find(text), reverse=True):
        text = text[: finding.start] + b"[REDACTED:random]" + text[finding.end :]

    json.loads(text)
    assert [f for f in LAYER.find(text) if b"REDACTED" in text[f.start : f.end]] == []


def test_entropy_is_in_bits_a_byte() -> None:
    assert entropy(b"abcd" * 8) == pytest.approx(2.0)
    assert entropy(b"aaaa") == pytest.approx(0.0)


@pytest.mark.parametrize(
    "unit",
    [draw(BASE64, 4000), draw(BASE64, 64) + "\n", draw(HEX, 64) + " ", "a/", "-", "=A"],
)
def test_time_grows_with_the_text_and_not_faster(unit: str) -> None:
    def seconds(size: int) -> float:
        text = (unit * (size // len(unit) + 1))[:size].encode()
        best = float("inf")
        for _ in range(3):
            start = time.thread_time()
            LAYER.find(text)
            best = min(best, time.thread_time() - start)
        return best

    assert seconds(8 * 16_384) < 24 * seconds(16_384) + 0.02


def test_beside_a_registered_value_only_the_rest_is_judged() -> None:
    known, other = draw(BASE62, 44), draw(BASE62, 44, seed=8)
    text = f"{known} {other} {known}{other} {known}{'x' * 30}".encode()
    starts = [match.start() for match in re.finditer(known.encode(), text)]
    ends = [start + len(known) for start in starts]

    left = LAYER.find_beside(text, starts, ends)

    assert [text[f.start : f.end].decode() for f in left] == [other, other]
    assert list(LAYER.find_beside(text, [], [])) == list(LAYER.find(text))


def test_the_plugin_registers_one_layer() -> None:
    (layer,) = letsbe_redaction_layers()

    assert (layer.name, layer.order) == ("entropy", 30)


PIECES = st.lists(
    st.sampled_from(
        ["a" * 31, "b9" * 20, "é", " ", "\\n", "\\u00e9", '"', "x", "+/", "漢字", "\0"]
    )
    | st.text(max_size=5),
    max_size=12,
)


ESCAPE = re.compile(rb"\\(?:[nrtbfv0/]|u.{4}|x.{2})", re.DOTALL)
RUN = re.compile(rb"[A-Za-z0-9+/_-]{%d,}" % LEAST)


@given(PIECES, st.sampled_from([1, 200]))
def test_runs_are_what_a_plain_expression_finds(pieces: list[str], times: int) -> None:
    text = "".join(pieces * times).encode("utf-8", "surrogatepass")
    runs = zip(*long_runs(text), strict=True)
    found = [run for run in runs if run[1] - run[0] >= LEAST]
    plain = ESCAPE.sub(lambda match: b" " * len(match[0]), text)
    assert found == [match.span() for match in RUN.finditer(plain)]


@given(
    st.text(string.ascii_letters + string.digits, min_size=32, max_size=90)
    | st.lists(st.sampled_from(["release", "Notes", "2024", "a", "B7", "IN", "_"]))
    .map("".join)
    .filter(lambda text: len(text) >= LEAST)
)
def test_what_decides_quickly_decides_the_same(text: str) -> None:
    value = text.encode()
    least = 3.4  # of hexadecimal digits, the lowest bound
    if entropy(value) < least or is_wordy(value) or not re.search(r"\d", text):
        assert not is_secret(value)
    elif entropy(value) >= 4.5 and not is_digest(value):
        assert is_secret(value) != is_encoded_text(value)


def wrapped(data: bytes, width: int, between: str = "\n") -> str:
    text = base64.b64encode(data).decode()
    return between.join(textwrap.wrap(text, width))


BINARY = random.Random(3).randbytes(900)


@pytest.mark.parametrize("between", ["\n", "\r\n", "\n> ", "\\n", "\\r\\n", "\\\\n"])
def test_a_file_wrapped_in_base64_is_left_alone(between: str) -> None:
    assert found(f"$ base64 f.bin{between}{wrapped(BINARY, 76, between)}") == []


@pytest.mark.parametrize("between", ["\n", "\\n", "\n+"])
def test_a_line_of_a_file_may_begin_with_a_sign_of_base64(between: str) -> None:
    lines = textwrap.wrap(base64.b64encode(BINARY).decode(), 76)
    lines[3] = "+" + lines[3][1:]
    text = between.join(["", *lines]).encode()

    after, is_file = wrapped_block(text, len(between), len(between) + 76)

    assert is_file
    assert after == len(text)


@pytest.mark.parametrize("width", [60, 64, 72])
def test_another_width_counts_if_the_file_is_known_by_its_first_bytes(
    width: int,
) -> None:
    picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + BINARY
    assert found(wrapped(picture, width) + "\n") == []
    assert found(wrapped(BINARY, width) + "\n")


def test_lines_of_a_key_and_wrapped_text_are_no_file() -> None:
    two_lines = wrapped(BINARY[:114], 76)
    assert found(two_lines)
    assert found("DB=1\n" + wrapped(BINARY, 70))


@given(st.binary(max_size=300), st.sampled_from(["\n", "\\n", " ", "\r"]))
def test_wrapping_is_told_of_any_bytes(data: bytes, between: str) -> None:
    text = wrapped(data, 76, between).encode() + data
    for end in range(0, len(text), 7):
        after, _ = wrapped_block(text, max(0, end - 76), end)
        assert end <= after <= len(text)
