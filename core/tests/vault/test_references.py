"""References: found everywhere, filled once, and never guessed."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe.errors import InvalidRequest, UnknownSecret
from letsbe.vault.names import is_name
from letsbe.vault.references import environment_references, fill, find_references
from letsbe.vault.secret import Secret

names = st.from_regex(r"[A-Za-z][A-Za-z0-9_.-]{0,63}", fullmatch=True)
plain = st.text(max_size=20).filter(lambda text: "SECRET_REF(" not in text)


def secrets(**values: str) -> dict[str, Secret]:
    return {name: Secret(name, value) for name, value in values.items()}


@given(names)
def test_every_name_can_be_referred_to(name: str) -> None:
    assert is_name(name)
    assert find_references(f"x SECRET_REF({name}) y") == [name]
    assert fill(f"<SECRET_REF({name})>", {name: Secret(name, "v")}) == "<v>"


def test_references_are_found_at_any_depth_in_order() -> None:
    value: dict[str, Any] = {
        "b": ["SECRET_REF(two) SECRET_REF(one)", {"c": "-pSECRET_REF(three)"}],
        "a": "SECRET_REF(one)",
        "n": [1, None, True, 2.5],
    }
    assert find_references(value) == ["two", "one", "three"]


def test_depth_has_no_limit() -> None:
    value: Any = "SECRET_REF(deep)"
    for _ in range(20_000):
        value = [value]
    assert find_references(value) == ["deep"]


@pytest.mark.parametrize(
    "text",
    [
        *("SECRET_REF()", "SECRET_REF( a)", "SECRET_REF(a", "SECRET_REF(a b)"),
        *("SECRET_REF(1a)", "SECRET_REF(é)", "SECRET_REF(a\n)", "SECRET_REF(***)"),
        *("SECRET_REF(SECRET_REF(a))", "SECRET_REF(" + "a" * 65 + ")"),
    ],
)
def test_a_reference_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        find_references({"command": [text]})
    assert caught.value.details[0].field == "command.0"
    with pytest.raises(InvalidRequest):
        fill(text, secrets(a="value"))


@pytest.mark.parametrize("text", ["SECRET_REF", "secret_ref(a)", "SECRET REF(a)", "("])
def test_other_text_is_no_reference(text: str) -> None:
    assert find_references(text) == []
    assert fill(text, {}) is text


def test_a_fields_name_holds_no_reference() -> None:
    with pytest.raises(InvalidRequest, match="field's name") as caught:
        find_references({"headers": {"SECRET_REF(a)": "x"}})
    assert caught.value.details[0].field == "headers"


@given(st.lists(plain | names.map(lambda name: (name,)), max_size=6))
def test_filling_changes_references_alone(parts: list[Any]) -> None:
    known = {part[0] for part in parts if isinstance(part, tuple)}
    values = {name: Secret(name, f"«{name}»") for name in known}
    joined = "\u2028".join(
        f"SECRET_REF({part[0]})" if isinstance(part, tuple) else part for part in parts
    )
    expected = "\u2028".join(
        f"«{part[0]}»" if isinstance(part, tuple) else part for part in parts
    )
    assert fill(joined, values) == expected


@given(st.text())
def test_a_value_is_put_in_as_it_is(value: str) -> None:
    assert fill("a SECRET_REF(x) b", secrets(x=value)) == f"a {value} b"


def test_a_value_is_never_looked_at_again() -> None:
    values = secrets(a="SECRET_REF(b)", b=r"\1 \g<0> SECRET_REF(a)")
    assert fill("SECRET_REF(a)+SECRET_REF(b)", values) == (
        r"SECRET_REF(b)+\1 \g<0> SECRET_REF(a)"
    )
    split = secrets(a="SECRET_", b="value")
    assert fill("SECRET_REF(a)REF(b)", split) == "SECRET_REF(b)"


def test_an_unknown_name_lists_names_that_look_alike_and_no_values() -> None:
    values = secrets(nextcloud_token="canary-value", stripe="other-value")
    with pytest.raises(UnknownSecret, match="no secret nextcloud_tokem") as caught:
        fill("SECRET_REF(nextcloud_tokem)", values)
    assert "SECRET_REF(nextcloud_token)" in str(caught.value)
    assert "value" not in str(caught.value)
    with pytest.raises(UnknownSecret, match="letsbe secrets provide"):
        fill("SECRET_REF(zzz)", values)


def test_listed_secrets_become_variables_in_capitals() -> None:
    arguments = {
        "secret_refs": ["nc.token", "Db-Pass"],
        "env_refs": {"X_1": "nc.token"},
    }
    assert environment_references(arguments) == {
        "NC_TOKEN": "nc.token",
        "DB_PASS": "Db-Pass",
        "X_1": "nc.token",
    }


@pytest.mark.parametrize("empty", [{}, {"secret_refs": []}, {"env_refs": None}])
def test_no_structured_reference_is_no_variable(empty: dict[str, Any]) -> None:
    assert environment_references(empty) == {}


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"secret_refs": "a"}, "secret_refs"),
        ({"secret_refs": {"a": "b"}}, "secret_refs"),
        ({"secret_refs": 1}, "secret_refs"),
        ({"secret_refs": [1]}, "secret_refs.0"),
        ({"secret_refs": ["a", ["b"]]}, "secret_refs.1"),
        ({"secret_refs": ["SECRET_REF(a)"]}, "secret_refs.0"),
        ({"secret_refs": ["a.b", "a_b"]}, "secret_refs.1"),
        ({"secret_refs": ["path"]}, "secret_refs.0"),
        ({"env_refs": ["a"]}, "env_refs"),
        ({"env_refs": "a"}, "env_refs"),
        ({"env_refs": {"A": 1}}, "env_refs.A"),
        ({"env_refs": {"A": None}}, "env_refs.A"),
        ({"env_refs": {"A=B": "a"}}, "env_refs.A=B"),
        ({"env_refs": {"": "a"}}, "env_refs."),
        ({"env_refs": {"1A": "a"}}, "env_refs.1A"),
        ({"env_refs": {"LD_PRELOAD": "a"}}, "env_refs.LD_PRELOAD"),
        ({"env_refs": {"PATH": "a"}}, "env_refs.PATH"),
        ({"secret_refs": ["a"], "env_refs": {"A": "b"}}, "env_refs.A"),
    ],
)
def test_a_structured_reference_of_another_form_is_refused(
    arguments: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        environment_references(arguments)
    assert caught.value.details[0].field == field


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
    max_leaves=6,
)


@given(anything, anything)
def test_whatever_is_sent_gives_variables_or_a_named_error(
    listed: Any, mapped: Any
) -> None:
    with contextlib.suppress(InvalidRequest):
        found = environment_references({"secret_refs": listed, "env_refs": mapped})
        assert all(is_name(name) for name in found.values())


@given(anything)
def test_whatever_is_sent_is_searched(value: Any) -> None:
    assert find_references(value) == [] or "SECRET_REF(" in repr(value)
