"""Values of sensitive keys go, at any depth of escaping; everything else stays."""

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe_redactor_jsonkeys import letsbe_redaction_layers
from letsbe_redactor_jsonkeys.engines import best_stems
from letsbe_redactor_jsonkeys.keys import stems_in
from letsbe_redactor_jsonkeys.layer import JsonKeyLayer
from letsbe_redactor_jsonkeys.names import Sensitivity, sensitivity

LAYERS = [JsonKeyLayer(stems_in), JsonKeyLayer(best_stems())]


def found(text: str) -> list[str]:
    encoded = text.encode()
    plain, best = (layer.find(encoded) for layer in LAYERS)
    assert plain == best
    return [encoded[start:end].decode() for start, end, *_ in plain]


@pytest.mark.parametrize(
    "text",
    [
        (
            '{"node_modules/auth-token": {"resolved": "http://h/a-4.2.tgz", '
            '"integrity": "sha512-P+lWzPrsgfN+UEpDS3U8AQKg=="}}'
        ),
        '{"registry-auth-token": "^4.0.0"}',
        '{"refusal": [{"token": " sorry", "logprob": -0.1}]}',
        "'CreateOAuth2Token' => ['name' => 'CreateOAuth2Token', 'shape' => 'TokenIn1']",
        '{"password": "Пароль", "new_password": "API-Passwort"}',
    ],
)
def test_what_lists_of_packages_and_of_words_hold_stays(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("password", Sensitivity.PASSWORD), ("dbPassword", Sensitivity.PASSWORD),
        ("DB_PASS", Sensitivity.PASSWORD), ("userpassword", Sensitivity.PASSWORD),
        ("password_hash", Sensitivity.PASSWORD), ("PASSWORD_2", Sensitivity.PASSWORD),
        ("api_key", Sensitivity.SECRET), ("X-Api-Key", Sensitivity.SECRET),
        ("apikey", Sensitivity.SECRET), ("clientSecret", Sensitivity.SECRET),
        ("refresh_token", Sensitivity.SECRET), ("accesstoken", Sensitivity.SECRET),
        ("secretAccessKey", Sensitivity.SECRET), ("Authorization", Sensitivity.SECRET),
        ("recovery_codes", Sensitivity.SECRET), ("pin", Sensitivity.CODE),
    ],
)  # fmt: skip
def test_a_sensitive_name_is_one(name: str, expected: Sensitivity) -> None:
    assert sensitivity(name.encode()) is expected


@pytest.mark.parametrize(
    "name",
    [
        "max_tokens", "monkey", "keyboard", "token_count", "tokenizer", "public_key",
        "secretName", "passwordPolicy", "next_page_token", "pad_token", "key",
        "keys",
        "primary_key", "compass", "author",
        "token_type", "passenger", "hotkey", "tokens",
        "sessionKey", "password_reset_url", "has_password", "", "pinned", "spin",
        "connectionString",
    ],
)  # fmt: skip
def test_a_name_like_it_is_none(name: str) -> None:
    assert sensitivity(name.encode()) is Sensitivity.NONE


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('{"password": "hunter2", "max_tokens": 40961234}', ["hunter2"]),
        ('{"password": "swordfish"}', ["swordfish"]),
        (
            '{"password":"correct horse battery staple"}',
            ["correct horse battery staple"],
        ),
        ("cfg = {'password': 'hunter2', 'token': None}", ["hunter2"]),
        ("const c = {apiKey: `k3y-0001x`, token: string}", ["k3y-0001x"]),
        ('{"Authorization": "Bearer abc123def"}', ["abc123def"]),
        ('{"pin": "4821", "otp": 123456}', ["4821", "123456"]),
        ('{"password": 12345678}', ["12345678"]),
        ('{"name": "DB_PASSWORD", "value": "hunter2"}', ["hunter2"]),
        ('{"password": "a\\"b\\\\"}', ['a\\"b\\\\']),
        (
            '{"credentials": {"user": "bob", "x": ["k3y-0001x"]}, "z": "q1w2e3r4"}',
            ["k3y-0001x"],
        ),
    ],
)
def test_the_value_goes(text: str, values: list[str]) -> None:
    assert found(text) == values


@pytest.mark.parametrize(
    "text",
    [
        '{"password": ""}', '{"password": null}', '{"password": true}',
        '{"password": 12}',
        '{"password": "string"}', '{"password": "Password"}', '{"token": "Token"}',
        '{"password": "Enter your password"}', '{"password": "${DB_PASSWORD}"}',
        '{"password": "[REDACTED:password]"}', '{"token": "SECRET_REF(api.token)"}',
        '{"password": {"type": "string", "description": "The password of 8 chars1"}}',
        '{"api_key": "YOUR_API_KEY"}', '{"secret": "db-credentials"}',
        '{"token": "process.env.TOKEN"}', '{"keyboard": "q1w2e3r4"}',
        "{'password': get_password(), 'secret': os.environ['X1']}", "password: hunter2",
        '{"type": "password", "name": "pw1"}', '{"password": "required|min:8"}',
        '"password": "no end', "['password', 'hunter2']",
    ],
)  # fmt: skip
def test_a_stand_in_a_label_or_code_stays(text: str) -> None:
    assert found(text) == []


def nested(value: str, key: str, depth: int) -> str:
    text = json.dumps({key: value, "n": 1})
    for _ in range(depth):
        text = json.dumps({"arguments": text})
    return text


def unnested(text: str, key: str, depth: int) -> object:
    for _ in range(depth):
        text = json.loads(text)["arguments"]
    return json.loads(text)[key]


@given(
    st.text(max_size=24).map(lambda text: f"q7!{text}9z"),
    st.sampled_from(["password", "dbPassword", "DB_PASS"]),
    st.integers(0, 4),
)
def test_json_in_strings_stays_json_and_loses_the_value(
    value: str, key: str, depth: int
) -> None:
    text = nested(value, key, depth).encode()
    for finding in sorted(LAYERS[0].find(text), reverse=True):
        text = text[: finding.start] + b"[REDACTED:password]" + text[finding.end :]

    assert unnested(text.decode(), key, depth) == "[REDACTED:password]"
    assert LAYERS[0].find(text) == []


@given(st.text())
def test_both_searches_agree_on_anything(text: str) -> None:
    given_text = {"password": text, text: "q1w2e3r4", "token": {text: text}}
    plain, best = (layer.find(json.dumps(given_text).encode()) for layer in LAYERS)
    assert plain == best


@pytest.mark.parametrize(
    "unit",
    [
        '"password":"', '"password": "hunter2",', '"password":{', '"password":[["',
        "key", '\\"', '"token":"\\"', "'pass", '{"secret":{"a":"b1c2d3e4"}},',
    ],
)  # fmt: skip
def test_time_grows_with_the_text_and_not_faster(unit: str) -> None:
    def seconds(size: int) -> float:
        text = (unit * (size // len(unit) + 1))[:size].encode()
        best = float("inf")
        for _ in range(3):
            start = time.thread_time()
            LAYERS[0].find(text)
            best = min(best, time.thread_time() - start)
        return best

    assert seconds(8 * 16_384) < 24 * seconds(16_384) + 0.02


def test_the_plugin_registers_one_layer() -> None:
    (layer,) = letsbe_redaction_layers()

    assert (layer.name, layer.order) == ("jsonkeys", 40)
