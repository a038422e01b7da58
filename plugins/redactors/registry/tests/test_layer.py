"""The layer: registered values are found in any text, once they are registered."""

from __future__ import annotations

import base64
import json
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typing_extensions import override

import letsbe_redactor_registry
from letsbe.plugin import Finding, Health, RedactionLayer
from letsbe.testing import FakeSecrets, make_site
from letsbe_redactor_registry.engines import installed_engines
from letsbe_redactor_registry.layer import RegistryLayer

CANARY = "canary/7f3a+é"
ENGINES = list(installed_engines())
ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "json": lambda text: json.dumps(text)[1:-1],
    "url": lambda text: quote(text, safe=""),
    "hex": lambda text: text.encode().hex(),
    "base64 0": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 1": lambda text: base64.b64encode(b"x" + text.encode()).decode(),
    "base64 2": lambda text: base64.urlsafe_b64encode(b"xy" + text.encode()).decode(),
}


def taken_out(layer: RedactionLayer, text: str) -> str:
    """Replace what is found by ``*``; overlapping findings are one."""
    data = text.encode("utf-8", "surrogatepass")
    marked = bytearray(data)
    for finding in layer.find(data):
        marked[finding.start : finding.end] = b"*" * (finding.end - finding.start)
    return marked.decode("utf-8", "surrogatepass")


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def test_the_hook_registers_one_layer(tmp_path: Path) -> None:
    (layer,) = letsbe_redactor_registry.letsbe_redaction_layers(
        make_site(tmp_path), FakeSecrets()
    )
    assert isinstance(layer, RedactionLayer)
    assert layer.name == "registry"
    assert letsbe_redactor_registry.API_VERSION == (0, 1)


def test_the_setting_chooses_the_engine(tmp_path: Path, engine: str) -> None:
    site = make_site(tmp_path, settings={"engine": engine})
    (layer,) = letsbe_redactor_registry.letsbe_redaction_layers(site, FakeSecrets())
    assert isinstance(layer, RegistryLayer)
    assert layer.engine == engine


@pytest.mark.anyio
async def test_a_check_tells_the_engine(engine: str) -> None:
    health = await RegistryLayer(FakeSecrets(), engine).check()
    assert health == Health(True, f"searches with {engine}")


def test_the_state_tells_when_something_else_is_found() -> None:
    secrets = FakeSecrets({"a": "x" * 5000})
    layer = RegistryLayer(secrets, disguises=False)
    before = layer.state()
    assert before.reach >= 10_000
    secrets.provide("b", "other")
    assert layer.state().version != before.version


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_each_encoding(engine: str, encoding: str) -> None:
    layer = RegistryLayer(FakeSecrets({"token": CANARY}), engine)
    encoded = ENCODINGS[encoding](CANARY)
    findings = layer.find(f"before {encoded} after".encode())
    assert {(f.kind, f.name) for f in findings} == {("registered", "token")}
    assert {f.rule for f in findings} == {encoding.partition(" ")[0]}
    left = taken_out(layer, encoded).replace("*", "")
    # Base64 keeps the letters that also depend on what stands before or after.
    assert len(left) <= (6 if encoding.startswith("base64") else 0)


@given(
    st.lists(st.text(min_size=6, max_size=40), min_size=1, max_size=4),
    st.sampled_from(sorted(ENCODINGS)),
    st.text(),
    st.text(),
    st.sampled_from(ENGINES),
)
@settings(deadline=None)  # the first layer compiles what all of them share
def test_any_value_in_any_encoding_in_any_text(
    values: list[str], encoding: str, before: str, after: str, engine: str
) -> None:
    values = [value.encode("utf-8", "ignore").decode() + "~7f3a" for value in values]
    secrets = FakeSecrets({f"s{n}": value for n, value in enumerate(values)})
    layer = RegistryLayer(secrets, engine)
    encode = ENCODINGS[encoding]
    text = before + "".join(map(encode, values)) + after
    left = taken_out(layer, text)
    for value in values:
        assert value not in left
        for each in ENCODINGS.values():
            assert each(value).strip("=")[4:-4] not in left


@given(st.text(st.characters(exclude_characters="Q")))
def test_text_without_a_secret_has_no_findings(text: str) -> None:
    layer = RegistryLayer(FakeSecrets({"token": "QQQQQQQ", "other": "QxQyQzQ"}))
    plain = text.encode("utf-8", "surrogatepass")
    assert list(layer.find(plain)) == []


def test_engines_find_the_same() -> None:
    chance = random.Random(7)
    letters = "abcdefghijklmnopqrstuvwxyzABCDEF0123456789-_/+"
    values = [
        "".join(chance.choices(letters, k=chance.randint(6, 90))) for _ in "x" * 200
    ]
    values += [value[: chance.randint(6, 20)] for value in values[:50]]
    values += [values[0][:64] + letter for letter in letters]
    secrets = FakeSecrets({f"s{n}": value for n, value in enumerate(values)})
    encodings = list(ENCODINGS.values())
    text = " ".join(
        chance.choice(encodings)(value)[: chance.choice([999, len(value) - 1])]
        for value in chance.choices(values, k=2000)
    ).encode()
    found = [sorted(RegistryLayer(secrets, engine).find(text)) for engine in ENGINES]
    assert len(found[0]) > 1000
    assert all(other == found[0] for other in found)


def test_secrets_in_one_another_are_all_found(engine: str) -> None:
    secrets = FakeSecrets({"inner": "word12", "outer": "pass-word12-long"})
    findings = sorted(RegistryLayer(secrets, engine).find(b"pass-word12-long"))
    assert [(f.name, f.start, f.end) for f in findings] == [
        ("outer", 0, 16),
        ("inner", 5, 11),
    ]


def test_overlapping_secrets_leave_nothing(engine: str) -> None:
    layer = RegistryLayer(FakeSecrets({"a": "abcdefgh", "b": "efghijkl"}), engine)
    assert taken_out(layer, "abcdefghijkl") == "*" * 12


def test_a_value_with_two_names_always_has_the_same(engine: str) -> None:
    secrets = FakeSecrets({"zeta": "one-value", "alpha": "one-value"})
    layer = RegistryLayer(secrets, engine)
    assert layer.find(b"one-value") == [Finding(0, 9, "registered", "alpha", "plain")]
    assert layer.names() == {"alpha", "zeta"}


def test_many_secrets_with_one_beginning(engine: str) -> None:
    values = {
        f"s{n}": f"-----BEGIN PRIVATE KEY-----{'x' * 50}{n:05}" for n in range(99)
    }
    layer = RegistryLayer(FakeSecrets(values), engine)
    assert [f.name for f in layer.find(values["s42"].encode())] == ["s42"]
    assert layer.find(b"-----BEGIN PRIVATE KEY-----" + b"x" * 60) == []


def test_no_secrets_and_empty_text(engine: str) -> None:
    assert RegistryLayer(FakeSecrets(), engine).find(b"anything") == []
    assert RegistryLayer(FakeSecrets({"a": "abcdef"}), engine).find(b"") == []
    assert RegistryLayer(FakeSecrets({"a": ""}), engine).find(b"anything") == []


def test_changes_count_from_the_next_call_on(engine: str) -> None:
    secrets = FakeSecrets({"first": "value-one"})
    layer = RegistryLayer(secrets, engine)
    text = b"value-one value-two"
    assert [f.name for f in layer.find(text)] == ["first"]
    secrets.provide("second", "value-two")
    assert sorted(f.name or "" for f in layer.find(text)) == ["first", "second"]
    assert layer.names() == {"first", "second"}
    secrets.delete("first")
    assert [f.name for f in layer.find(text)] == ["second"]
    assert layer.settle(30)
    assert [f.name for f in layer.find(text)] == ["second"]
    secrets.provide("first", "value-one")
    assert len(list(layer.find(text))) == 2


def test_a_deleted_name_leaves_the_value_to_its_other_name(engine: str) -> None:
    secrets = FakeSecrets({f"s{n}": f"value-{n:03}" for n in range(100)})
    secrets.provide("a", "value-007")
    layer = RegistryLayer(secrets, engine)
    secrets.delete("a")
    assert [f.name for f in layer.find(b"value-007")] == ["s7"]


def test_a_new_secret_takes_effect_at_once_among_thousands(engine: str) -> None:
    chance = random.Random(3)
    values = {f"s{n}": f"{chance.getrandbits(128):032x}" for n in range(3000)}
    secrets = FakeSecrets(values)
    layer = RegistryLayer(secrets, engine)
    best = 1.0
    for number in range(5):
        secrets.provide("new", f"new-{number}-{CANARY}")
        started = time.thread_time()
        assert layer.find(f"new-{number}-{CANARY}".encode())
        best = min(best, time.thread_time() - started)
    assert best < 0.1
    assert layer.find(values["s2999"].encode())


def test_changes_under_traffic_are_never_missed(engine: str) -> None:
    secrets = FakeSecrets({"s": "value-start"})
    layer = RegistryLayer(secrets, engine)
    missed: list[str] = []
    done = threading.Event()

    def traffic() -> None:
        while not done.is_set():
            registered = secrets.current()
            missed.extend(
                secret.name
                for secret in registered[-3:]
                if not layer.find(secret.reveal().encode())
            )

    threads = [threading.Thread(target=traffic) for _ in range(3)]
    for thread in threads:
        thread.start()
    for number in range(60):
        secrets.provide(f"s{number}", f"value-{number:06}")
        time.sleep(0.002)
    done.set()
    for thread in threads:
        thread.join()
    assert missed == []
    assert layer.settle(30)
    assert all(layer.find(s.reveal().encode()) for s in secrets.current())


def test_a_registry_that_fails_is_not_passed_over(engine: str) -> None:
    class Failing(FakeSecrets):
        failing = False

        @property
        @override
        def version(self) -> int:
            if self.failing:
                raise OSError("closed")
            return super().version

    secrets = Failing({"a": "abcdef"})
    layer = RegistryLayer(secrets, engine)
    secrets.failing = True
    with pytest.raises(OSError, match="closed"):
        layer.find(b"abcdef")


def test_findings_hold_no_value(engine: str) -> None:
    layer = RegistryLayer(FakeSecrets({"token": CANARY}), engine)
    assert "7f3a" not in repr(layer.find(CANARY.encode())) + repr(vars(layer))
