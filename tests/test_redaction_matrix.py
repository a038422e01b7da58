"""The plan's test matrix for redaction, with all four layers, one part after the other:

registry match, patterns, entropy, false positives, performance, Unicode, base64,
URL-encoded, nested JSON, YAML, log output.
"""

from __future__ import annotations

import base64
import io
import json
import logging
import random
import string
import time
import unicodedata
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest

from letsbe.redaction.logging import redacted_logging
from letsbe.redaction.pipeline import Pipeline
from letsbe.testing import FakeSecrets
from letsbe_redactor_entropy import letsbe_redaction_layers as entropy_layers
from letsbe_redactor_jsonkeys import letsbe_redaction_layers as jsonkeys_layers
from letsbe_redactor_patterns import letsbe_redaction_layers as pattern_layers
from letsbe_redactor_registry import RegistryLayer
from letsbe_redactor_registry.engines import installed_engines

BASE62 = string.ascii_letters + string.digits
SHOP = "Xq7vLw2mTz9KpR4dNs8B"
QUOTED = 'pä"ss/wörd+\\1x9'
REGISTERED = {"shop_key": SHOP, "quoted": QUOTED}


def draw(alphabet: str, length: int = 24, seed: int = 11) -> str:
    """Characters that are nobody's secret; the same in every run."""
    return "".join(random.Random(seed).choices(alphabet, k=length))


def pipeline_of(secrets: dict[str, str], engine: str | None = None) -> Pipeline:
    registry = RegistryLayer(FakeSecrets(secrets), engine)
    others = (*pattern_layers(), *entropy_layers(), *jsonkeys_layers())
    return Pipeline([registry, *others])


@pytest.fixture(scope="module", params=list(installed_engines()))
def pipeline(request: pytest.FixtureRequest) -> Pipeline:
    return pipeline_of(REGISTERED, request.param)


# Registry match


@pytest.mark.parametrize(
    "around", ["{}", "key {}.", "a={}&b", "<{}>", "x{}x", "{0}{0}"]
)
def test_registry_match_becomes_a_reference(pipeline: Pipeline, around: str) -> None:
    clean = pipeline.redact_text(around.format(SHOP))
    assert clean == around.format("SECRET_REF(shop_key)")


# Patterns

TEAM, BOT = draw(string.digits, 12), draw(string.digits, 12, 12)
TOKENS = {
    "GitHub": f"ghp_{draw(BASE62, 36)}",
    "OpenAI": f"sk-proj-{draw(BASE62, 48)}",
    "AWS": f"AKIA{draw(string.ascii_uppercase + '234567', 16)}",
    "Slack": f"xoxb-{TEAM}-{BOT}-{draw(BASE62)}",
    "Stripe": f"sk_live_{draw(BASE62, 24)}",
    "GitLab": f"glpat-{draw(BASE62, 20)}",
}


@pytest.mark.parametrize("issuer", TOKENS)
@pytest.mark.parametrize(
    "around", ["{}", '{{"a": "{}"}}', '{{"a": "x\\n{}"}}', "curl {}"]
)
def test_patterns_find_the_tokens_of_issuers(
    pipeline: Pipeline, issuer: str, around: str
) -> None:
    clean = pipeline.redact_text(around.format(TOKENS[issuer]))
    assert TOKENS[issuer] not in clean
    assert "[REDACTED:" in clean


def test_patterns_find_private_keys_also_cut_off(pipeline: Pipeline) -> None:
    body = "\n".join(draw(BASE62 + "+/", 64, seed) for seed in range(8))
    for end in ("\n-----END RSA PRIVATE KEY-----", ""):
        key = f"-----BEGIN RSA PRIVATE KEY-----\n{body}{end}"
        for text in (key, json.dumps({"key": key})):
            clean = pipeline.redact_text(text)
            assert not any(line in clean for line in body.splitlines())


# Entropy


@pytest.mark.parametrize("length", [40, 64, 96])
def test_entropy_finds_what_no_rule_knows(pipeline: Pipeline, length: int) -> None:
    value = draw(BASE62, length)
    assert value not in pipeline.redact_text(f"it answered {value} at once")


# False positives

HARMLESS = {
    "commit": f"commit {draw('0123456789abcdef', 40)}",
    "uuid": "request 3f2b8c1e-9d4a-4c7e-8b1f-6a5d4c3b2a19",
    "image digest": f"nginx@sha256:{draw('0123456789abcdef', 64)}",
    "npm integrity": f'"integrity": "sha512-{draw(BASE62 + "+/", 86)}=="',
    "picture": f"data:image/png;base64,iVBORw0KGgo{draw(BASE62 + '+/', 200)}",
    "call id": f'{{"tool_call_id": "call_{draw(BASE62, 24)}"}}',
    "limits": '{"max_tokens": 4096, "monkey": "george", "keyboard": "qwerty"}',
    "code": "password = os.environ['DB_PASSWORD']",
    "placeholder": "API_KEY=your-api-key-here",
    "reference": "use SECRET_REF(shop_key) or [REDACTED:github_token]",
    "prose": "The password must have twelve characters; a token is valid for an hour.",
    "public key": f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5{draw(BASE62, 48)} bob@example.com",
}


@pytest.mark.parametrize("what", HARMLESS)
def test_false_positives_are_none(pipeline: Pipeline, what: str) -> None:
    assert pipeline.redact_text(HARMLESS[what]) is HARMLESS[what]


# Performance (`python -m benchmarks.redaction` measures it; here is only what no load
# of the machine explains)


def test_performance_is_in_proportion_to_the_text(pipeline: Pipeline) -> None:
    words = ("the server returned a status for this request", SHOP, "and a token = 1\n")
    text = json.dumps({"m": " ".join(words * 400)}).encode()

    def seconds(body: bytes) -> float:
        started = time.thread_time()
        pipeline.find(body)
        return time.thread_time() - started

    small = min(seconds(text + b" " * n) for n in range(5))
    large = min(seconds(text * 8 + b" " * n) for n in range(3))
    assert large < 40 * small + 0.05


# Unicode


@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_unicode_in_any_normal_form(pipeline: Pipeline, form: str) -> None:
    text = unicodedata.normalize(form, f"it is {QUOTED}!")  # type: ignore[arg-type]  # one of the four
    assert pipeline.redact_text(text) == "it is SECRET_REF(quoted)!"


def test_unicode_characters_that_are_not_seen(pipeline: Pipeline) -> None:
    for unseen in ("\u200b", "\u2060", "\u00ad"):
        clean = pipeline.redact_text(f"so {unseen.join(SHOP)} it is")
        assert clean == "so SECRET_REF(shop_key) it is"


def test_unicode_that_is_broken_is_still_searched(pipeline: Pipeline) -> None:
    assert pipeline.redact(b"\xff\xfe " + SHOP.encode()) == (
        b"\xff\xfe SECRET_REF(shop_key)"
    )
    assert SHOP not in pipeline.redact_text(f"\ud800{SHOP}\udfff")


# base64


@pytest.mark.parametrize("before", ["", "x", "xy", "user:"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_base64_at_every_alignment(
    pipeline: Pipeline, before: str, encode: Callable[[bytes], bytes]
) -> None:
    encoded = encode(f"{before}{SHOP} and more".encode()).decode()
    clean = pipeline.redact_text(f"Authorization: Basic {encoded}")
    core = encode(f"{before}{SHOP}".encode()).decode()[4:-4]
    assert core not in clean


# URL-encoded


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: quote(text, safe=""),
        quote,
        quote_plus,
        lambda text: quote(text, safe="").lower(),
        lambda text: quote(quote(text, safe=""), safe=""),
        lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    ],
)
def test_url_encoded(pipeline: Pipeline, encode: Callable[[str], str]) -> None:
    url = f"https://example.com/?a=1&p={encode(QUOTED)}&b=2"
    assert pipeline.redact_text(url) == (
        "https://example.com/?a=1&p=SECRET_REF(quoted)&b=2"
    )


# Nested JSON


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_nested_json_stays_json(
    pipeline: Pipeline, depth: int, ascii_only: bool
) -> None:
    value: object = {"deep": {"list": [QUOTED, {"password": "hunter2-Wz"}]}, "n": 1}
    for _ in range(depth):
        value = {"inner": json.dumps(value, ensure_ascii=ascii_only)}
    text = json.dumps(value, ensure_ascii=ascii_only)
    clean: object = json.loads(pipeline.redact_text(text))
    for _ in range(depth):
        assert isinstance(clean, dict)
        clean = json.loads(clean["inner"])
    assert isinstance(clean, dict)
    assert clean["deep"]["list"][0] == "SECRET_REF(quoted)"
    assert clean["deep"]["list"][1]["password"].startswith("[REDACTED:")
    assert clean["n"] == 1


# YAML


def test_yaml_keeps_its_form(pipeline: Pipeline) -> None:
    text = (
        "services:\n  shop:\n    environment:\n"
        f"      - API_KEY={SHOP}\n      DB_PASSWORD: k7-Wq9zTm4\n"
        f"      token: {TOKENS['GitHub']}\n      replicas: 2\n"
    )
    clean = pipeline.redact_text(text)
    assert "SECRET_REF(shop_key)" in clean
    assert "k7-Wq9zTm4" not in clean
    assert TOKENS["GitHub"] not in clean
    for before, after in zip(text.splitlines(), clean.splitlines(), strict=True):
        name = before.partition(":")[0].partition("=")[0]
        assert after.startswith(name)
    assert clean.endswith("replicas: 2\n")


# Log output


def test_log_output_holds_no_secret(pipeline: Pipeline) -> None:
    out = io.StringIO()
    with redacted_logging(pipeline, stream=out):
        log = logging.getLogger("matrix")
        log.warning("key %s and %r", SHOP, {"token": TOKENS["Stripe"]})
        try:
            raise ValueError(f"cannot use {SHOP}")
        except ValueError:
            log.exception("failed")
    shown = out.getvalue()
    assert "failed" in shown
    assert SHOP not in shown
    assert TOKENS["Stripe"] not in shown


# All of them


@pytest.mark.parametrize("what", [*TOKENS, "registered"])
def test_redacting_twice_changes_nothing(pipeline: Pipeline, what: str) -> None:
    text = f"it is {TOKENS.get(what, SHOP)}, is it not?"
    once = pipeline.redact_text(text)
    assert once != text
    assert pipeline.redact_text(once) is once
