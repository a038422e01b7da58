"""The search engines, which must all find the same."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from letsbe.plugin import LetsBeError
from letsbe_redactor_registry.engines import Engine, choose_engine, installed_engines

ENGINES = list(installed_engines())
PATTERNS = st.lists(
    st.binary(min_size=1, max_size=4) | st.text("ab", min_size=1).map(str.encode),
    unique=True,
    max_size=8,
)


def occurrences(engine: Engine, text: bytes) -> list[tuple[int, int]]:
    return sorted(zip(*engine.scan(text), strict=True))


def every_occurrence(patterns: list[bytes], text: bytes) -> list[tuple[int, int]]:
    return sorted(
        (number, start + len(pattern))
        for number, pattern in enumerate(patterns)
        for start in range(len(text))
        if text.startswith(pattern, start)
    )


@pytest.mark.parametrize("engine", ENGINES)
@given(PATTERNS, st.data())
@example([b"\x00", b"\xff\x00"], None)
def test_every_occurrence_is_found(
    engine: str, patterns: list[bytes], data: st.DataObject | None
) -> None:
    pieces = st.sampled_from(patterns) if patterns else st.nothing()
    text = (
        b"".join(data.draw(st.lists(pieces | st.binary(max_size=2))))
        if data
        else b"\xff\x00\x00"
    )
    compiled = choose_engine(engine).compile(patterns, [False] * len(patterns))
    expected = every_occurrence(patterns, text)
    assert occurrences(compiled, text) == expected
    assert compiled.holds(text) == bool(expected)


@pytest.mark.parametrize("engine", ENGINES)
@given(PATTERNS, st.data())
@example([b"\x00a"], None)
def test_every_occurrence_is_found_in_any_case(
    engine: str, patterns: list[bytes], data: st.DataObject | None
) -> None:
    patterns = list(dict.fromkeys(pattern.lower() for pattern in patterns))
    mixed = [pattern.swapcase() for pattern in patterns] + patterns
    pieces = st.sampled_from(mixed) if mixed else st.nothing()
    text = (
        b"".join(data.draw(st.lists(pieces | st.binary(max_size=2))))
        if data
        else b"\x00A\x00a"
    )
    compiled = choose_engine(engine).compile(patterns, [True] * len(patterns))
    assert occurrences(compiled, text) == every_occurrence(patterns, text.lower())


@pytest.mark.parametrize("engine", ENGINES)
def test_patterns_are_no_expressions(engine: str) -> None:
    compiled = choose_engine(engine).compile(
        [b"a.*b", b"(", b"a|b", b"\\d", b"^x$"], [False, True, True, False, False]
    )
    assert occurrences(compiled, b"axxb 7 x") == []
    assert occurrences(compiled, b"a.*b(^x$") == [(0, 4), (1, 5), (4, 8)]


@pytest.mark.parametrize("engine", ENGINES)
def test_several_threads_at_once(engine: str) -> None:
    compiled = choose_engine(engine).compile([b"needle"], [True])
    text = (b"x" * 1000 + b"needle") * 200
    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(lambda _: len(compiled.scan(text)[0]), range(64)))
    assert counts == [200] * 64


@pytest.mark.parametrize("engine", ENGINES)
def test_any_byte_can_be_searched(engine: str) -> None:
    data = bytes(range(256)) + os.urandom(64)
    compiled = choose_engine(engine).compile([data], [False])
    assert occurrences(compiled, b"x" + data) == [(0, len(data) + 1)]


def test_the_fastest_installed_engine_is_the_default() -> None:
    assert choose_engine(None).name == ENGINES[0]
    assert ENGINES[-1] == "pyahocorasick"


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(LetsBeError, match="not installed; installed are: "):
        choose_engine("grep")
