"""The pipeline with the registry layer: the two promises of redaction, from outside."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe.redaction.pipeline import Pipeline
from letsbe.testing import FakeSecrets
from letsbe_redactor_registry import RegistryLayer

CANARY = "c4nary-7f3a-Pässwort/+\"'\\"
NAME = "canary"
ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "JSON, not ASCII": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    "URL": lambda text: quote(text, safe=""),
    "URL, form": quote_plus,
    "URL, every byte": lambda text: "".join(f"%{b:02x}" for b in text.encode()),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 in the middle": lambda text: base64.b64encode(
        f"user:{text}\n".encode()
    ).decode(),
    "hex": lambda text: text.encode().hex(),
    "NFD": lambda text: unicodedata.normalize("NFD", text),
}
PLACES: dict[str, str] = {
    "prose": "the password is {} and that is all",
    "JSON": '{{"messages": [{{"role": "user", "content": "{}"}}]}}',
    "YAML": "service:\n  password: {}\n  port: 8080\n",
    "environment": "export PASSWORD={}\n",
    "URL": "https://user:{}@example.com/path?x=1",
    "log": "2026-01-01T00:00:00Z ERROR login failed for {}: denied",
    "alone": "{}",
    "twice": "{0}{0}",
}


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline([RegistryLayer(FakeSecrets({NAME: CANARY, "pin": "12345678"}))])


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("place", PLACES)
def test_registered_values_are_gone_wherever_they_stand(
    pipeline: Pipeline, encoding: str, place: str
) -> None:
    text = PLACES[place].format(ENCODINGS[encoding](CANARY))
    redacted = pipeline.redact_text(text)
    assert f"SECRET_REF({NAME})" in redacted
    assert "7f3a" not in redacted
    assert pipeline.redact_text(redacted) == redacted
    for other in ENCODINGS.values():
        assert other(CANARY).strip("=")[4:-4] not in redacted


def test_json_stays_json(pipeline: Pipeline) -> None:
    value = {CANARY: [CANARY, 12345678, -12345678.5, json.dumps({"a": CANARY})]}
    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=2)):
        redacted = json.loads(pipeline.redact_text(text))
        inner = '{"a": "SECRET_REF(canary)"}'
        assert redacted == {
            "SECRET_REF(canary)": [
                "SECRET_REF(canary)",
                *["SECRET_REF(pin)"] * 2,
                inner,
            ]
        }
        assert pipeline.redact_json(value) == redacted  # type: ignore[arg-type]  # JSON


_VALUES = st.text(
    st.characters(exclude_categories=["Cs"]), min_size=6, max_size=40
).map(lambda value: value + "~7f3a")


@given(
    st.lists(_VALUES, min_size=1, max_size=3),
    st.sampled_from(sorted(ENCODINGS)),
    st.text(),
    st.text(),
)
def test_any_value_in_any_encoding_in_any_text(
    values: list[str], encoding: str, before: str, after: str
) -> None:
    secrets = FakeSecrets({f"s{number}": value for number, value in enumerate(values)})
    pipeline = Pipeline([RegistryLayer(secrets, "pyahocorasick")])
    text = before + "".join(map(ENCODINGS[encoding], values)) + after
    once = pipeline.redact_text(text)
    assert pipeline.redact_text(once) == once
    for value in values:
        assert value not in once
    document = json.dumps({"content": text, before: [after]})
    assert json.loads(pipeline.redact_text(document))


@given(st.recursive(st.text() | st.integers() | st.none(), st.lists))
def test_what_holds_no_secret_is_the_same_object(value: object) -> None:
    pipeline = Pipeline([RegistryLayer(FakeSecrets({NAME: CANARY}), "pyahocorasick")])
    data = json.dumps(value).encode()
    assert pipeline.redact(data) is data
    assert pipeline.redact_json(value) is value  # type: ignore[arg-type]  # it is JSON


@pytest.mark.parametrize("value", ["SECRET", "SECRET_REF", "_REF(canary", "REDACTED"])
def test_secrets_made_of_our_own_words(value: str) -> None:
    pipeline = Pipeline([RegistryLayer(FakeSecrets({"a": value, NAME: CANARY}))])
    text = f"{value} {CANARY} SECRET_REF(canary) [REDACTED:password] {value}(x)"
    once = pipeline.redact_text(text)
    assert pipeline.redact_text(once) == once
    assert once.count("SECRET_REF(canary)") == 2
    assert "[REDACTED:password]" in once


SPLIT = {
    "parts": '[{{"type":"text","text":"{}"}},{{"type":"text","text":"{}"}}]',
    "parts, spaced": '[{{"type": "text", "text": "{}"}}, {{"text": "{}"}}]',
    "deltas": '[{{"delta":{{"content":"{}"}}}},{{"delta":{{"content":"{}"}}}}]',
    "items": '["{}", "{}"]',
    "fields": '{{"first":"{}","second":"{}","third":"x"}}',
    "messages": '[{{"role":"user","content":"{}"}},{{"role":"tool","content":"{}"}}]',
}


@pytest.mark.parametrize("form", SPLIT)
@pytest.mark.parametrize("at", [3, 9, 13, 20])
def test_values_split_over_strings_are_gone(form: str, at: int) -> None:
    value = "nxT9-4bQw7/rZk2+Lm8vHc3uRt"
    pipeline = Pipeline([RegistryLayer(FakeSecrets({NAME: value}))])
    text = SPLIT[form].format("see " + value[:at], value[at:] + " there")
    redacted = pipeline.redact_text(text)
    assert redacted == SPLIT[form].format(
        "see SECRET_REF(canary)", "SECRET_REF(canary) there"
    )
    assert json.loads(redacted)
    assert pipeline.redact_text(redacted) == redacted


def test_the_same_in_every_process() -> None:
    program = (
        "import sys; from letsbe.redaction.pipeline import Pipeline;"
        "from letsbe.testing import FakeSecrets;"
        "from letsbe_redactor_registry import RegistryLayer;"
        "s = FakeSecrets({f'n{i}': 'value' * 2 + str(i % 3) for i in range(30)});"
        "print(Pipeline([RegistryLayer(s)]).redact_text('valuevalue1 valuevalue2' * 9))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(outputs) == 1
    assert "SECRET_REF(n1)" in outputs.pop()
