"""What the layer takes out and what it leaves, and that it is never slow."""

import os
import subprocess
import sys
import time

import pytest

from letsbe_redactor_patterns.boundaries import begins_token
from letsbe_redactor_patterns.examples import example, expand
from letsbe_redactor_patterns.layer import PatternLayer
from letsbe_redactor_patterns.rules import load_rules
from letsbe_redactor_patterns.scanning import PlainScanner

RULES = load_rules()
LAYER = PatternLayer(RULES, PlainScanner(RULES))
TOKEN = expand("ghp_{base62:36}").encode()


def found(text: bytes) -> list[bytes]:
    return sorted({text[start:end] for start, end, *_ in LAYER.find(text)})


@pytest.mark.parametrize(
    "before",
    [
        b"",
        b" ",
        b"\n",
        b"\\n",
        b"\\\\n",
        b"\\u001b[0m",
        b"\\u0022",
        b"%22",
        b"=",
        b"\x1b[1;31m",
    ],
)
def test_a_token_is_found_behind_every_escape(before: bytes) -> None:
    text = b"x " + before + TOKEN + b"\\n"

    assert found(text) == [TOKEN]


@pytest.mark.parametrize("before", [b"a", b"Z", b"7", b"an", b"x0n"])
def test_a_token_is_not_the_end_of_a_word(before: bytes) -> None:
    assert found(b"x " + before + TOKEN) == []
    assert not begins_token(before + TOKEN, len(before))


@pytest.mark.parametrize(
    "text",
    [
        "password = get_password()",
        "token: str",
        "api_key: <your-token>",
        "password: ${DB_PASSWORD}",
        "PASSWORD=changeme",
        "password=SECRET_REF(db.password)",
        "token: [REDACTED:github_token]",
        "const apiKey = process.env.OPENAI_API_KEY;",
        "npm_config_registry=https://registry.npmjs.org/",
        "task-sk-learn-pipeline-for-the-big-model-2024",
        "-----BEGIN PRIVATE KEY-----",
        "if token == expected_token: pass",
        "bypass=north9, compass: 12ab34",
    ],
)
def test_what_only_looks_like_it_stays(text: str) -> None:
    assert found(text.encode()) == []


def test_only_the_password_of_a_url_goes() -> None:
    text, (password,) = example("postgres://app:«{base62:16}»@db:5432/app?sslmode=off")

    assert found(text) == [password]


@pytest.mark.parametrize(
    "separator", ["\n", "\\n", "\\\\n", "\r\n", "\\r\\n", "\n  ", "\n> "]
)
def test_a_private_key_goes_whole_however_its_lines_are_joined(separator: str) -> None:
    lines = [
        "-----BEGIN RSA PRIVATE KEY-----",
        expand("{base64:64}"),
        expand("x{base64:64}")[1:],
        expand("{base64:20}=="),
        "-----END RSA PRIVATE KEY-----",
    ]
    whole = separator.join(lines).encode()
    assert found(b'"' + whole + b'"')[0] == whole
    for cut in (whole[: len(whole) // 2], whole[len(whole) // 2 :]):
        left = cut
        for value in found(cut):
            left = left.replace(value, b"")
        assert len(left) < 20, left


def test_findings_are_the_same_in_every_process() -> None:
    program = (
        "from letsbe_redactor_patterns.examples import expand;"
        "from letsbe_redactor_patterns import letsbe_redaction_layers as layers;"
        "print(layers()[0].find(expand('a ghp_{base62:36} password=\"{base62:12}\"')"
        ".encode()))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }

    assert len(outputs) == 1
    assert "github_token" in outputs.pop()


@pytest.mark.parametrize(
    "unit",
    [
        b"password=",
        b'password="',
        b"token is ",
        b"://a:",
        b"sk-",
        b"eyJ.",
        b"$2b$",
        b"sha256$",
        b"-----BEGIN PRIVATE KEY-----\n",
        b"-----END PRIVATE KEY-----\n",
        b"cookie: a=b;",
        b'data":{',
        b'kty":"',
        b"mysql -p ",
        b"echo a | ",
        b"A" * 63 + b"\n",
        b"0b1c2d3e-4f5a-6b7c-8d9e-0f1a2b3c4d5e ",
        b"\\",
    ],
)
def test_time_grows_with_the_text_and_not_faster(unit: bytes) -> None:
    def seconds(size: int) -> float:
        text = (unit * (size // len(unit) + 1))[:size]
        best = float("inf")
        for _ in range(3):
            start = time.thread_time()
            LAYER.find(text)
            best = min(best, time.thread_time() - start)
        return best

    small, large = seconds(16_384), seconds(8 * 16_384)

    # Eight times the text; quadratic work would take 64 times as long.
    assert large < 24 * small + 0.02
