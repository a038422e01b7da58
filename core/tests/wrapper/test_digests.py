from __future__ import annotations

import hashlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from letsbe.wrapper.digests import ABRIDGED_AT, abridged, call_digest, differences

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
OBJECTS = st.dictionaries(st.text(), JSON)


@given(OBJECTS, OBJECTS)
def test_equal_calls_have_equal_digests_and_others_not(
    one: dict[str, Any], other: dict[str, Any]
) -> None:
    turned = dict(reversed(one.items()))
    assert call_digest("a", "t", one, {}) == call_digest("a", "t", turned, {})
    same = call_digest("a", "t", one, {}) == call_digest("a", "t", other, {})
    assert same is (one == other and not list(differences(one, other)))


def test_everything_that_matters_is_part_of_it() -> None:
    digests = {
        call_digest("a", "t", {"x": 1}, {"argv": ["x"]}),
        call_digest("b", "t", {"x": 1}, {"argv": ["x"]}),
        call_digest("a", "u", {"x": 1}, {"argv": ["x"]}),
        call_digest("a", "t", {"x": 2}, {"argv": ["x"]}),
        call_digest("a", "t", {"x": 1}, {"argv": ["y"]}),
        call_digest("a", "t", {"x": "SECRET_REF(a)"}, {"argv": ["x"]}),
    }
    assert len(digests) == 6


def test_differences_name_the_place() -> None:
    before = {"plan": {"argv": ["a"], "cwd": "/x"}, "same": 1}
    after = {"plan": {"argv": ["b"], "cwd": "/x"}, "same": 1}
    assert list(differences(before, after)) == ['plan.argv: ["a"] became ["b"]']
    assert list(differences({}, {"new": True})) == ["new: null became true"]


@given(JSON)
def test_short_values_are_kept_whole(value: Any) -> None:
    assert abridged(value) == value


def test_a_long_text_is_kept_by_its_digest() -> None:
    text = "x" * (ABRIDGED_AT + 1)
    short = abridged({"a": [text]})["a"][0]
    assert short["bytes"] == len(text)
    assert short["sha256"] == hashlib.sha256(text.encode()).hexdigest()
    assert len(str(short)) < ABRIDGED_AT
