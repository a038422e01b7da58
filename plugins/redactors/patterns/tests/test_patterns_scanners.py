"""Both scanners lead to the same findings, on anything."""

import importlib.util
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe_redactor_patterns.engines import best_scanner
from letsbe_redactor_patterns.examples import example
from letsbe_redactor_patterns.layer import PatternLayer
from letsbe_redactor_patterns.rules import load_rules
from letsbe_redactor_patterns.scanning import PlainScanner

RULES = load_rules()
PLAIN = PatternLayer(RULES, PlainScanner(RULES))
BEST = PatternLayer(RULES, best_scanner(RULES))


def examples() -> Iterator[bytes]:
    folder = resources.files("letsbe_redactor_patterns") / "rules"
    for file in folder.iterdir():
        if file.name.endswith(".toml"):
            for recipe in re.findall(
                r"'([^'\n]*\{\w+:\d+\}[^'\n]*)'", file.read_text()
            ):
                yield example(recipe).text


EXAMPLES = list(examples())


def test_hyperscan_is_used_where_it_is_installed() -> None:
    installed = importlib.util.find_spec("hyperscan") is not None
    scanner = type(best_scanner(RULES)).__name__

    assert scanner == ("HyperscanScanner" if installed else "PlainScanner")


@pytest.mark.parametrize("frame", ["{}", "a {} b", "\\n{}\\n", '{{"k":"{}"}}', "={}&x"])
def test_both_scanners_agree_on_every_example(frame: str) -> None:
    assert len(EXAMPLES) > 300
    for text in EXAMPLES:
        framed = frame.format(text.decode()).encode()
        assert set(PLAIN.find(framed)) == set(BEST.find(framed)), framed


PIECES = st.one_of(
    st.sampled_from([text.decode() for text in EXAMPLES]),
    st.sampled_from(
        ["\\n", "\n", '"', " ", "=", ": ", "\\", "password", "token", "//"]
    ),
    st.text(max_size=12),
)


@given(st.lists(PIECES, max_size=8).map("".join))
def test_both_scanners_agree_on_anything(text: str) -> None:
    for form in (text, json.dumps(text), json.dumps(json.dumps(text))):
        encoded = form.encode("utf-8", "surrogatepass")
        assert set(PLAIN.find(encoded)) == set(BEST.find(encoded))


def test_a_layer_may_be_used_by_several_threads_at_once() -> None:
    text = b"\n".join(EXAMPLES) * 3
    expected = BEST.find(text)

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(BEST.find, [text] * 12))

    assert all(result == expected for result in results)


@pytest.mark.parametrize(
    "tail", ["of many words in a row ", "q7Zr2LkP0x", "a=1;b: ", "."]
)
def test_nothing_that_follows_an_anchor_is_reported_over_and_over(tail: str) -> None:
    hyperscanning = pytest.importorskip("letsbe_redactor_patterns.hyperscanning")
    for group in hyperscanning.HyperscanScanner(RULES)._groups:
        for family in group._families:
            for between in (b"", b" ", b'="'):
                reports: list[int] = []
                text = family.anchor + between + tail.encode() * (4000 // len(tail))
                group._search(text, lambda number, *_, r=reports: r.append(number))
                assert len(reports) < 100, (family.anchor, between)
