"""Sealing: what was sealed opens, and nothing else does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe.vault.sealing import NotSealedHere, Sealer

KEY = bytes(range(32))
BOUND = ("name", 1, '["*"]', '["*"]')


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_was_sealed_opens(value: str) -> None:
    sealer = Sealer(KEY)
    assert sealer.open(sealer.seal(value, BOUND), BOUND) == value


@given(st.data())
def test_one_changed_bit_opens_nothing(data: st.DataObject) -> None:
    sealer = Sealer(KEY)
    sealed = bytearray(sealer.seal("some value", BOUND))
    position = data.draw(st.integers(0, len(sealed) - 1))
    sealed[position] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(NotSealedHere):
        sealer.open(bytes(sealed), BOUND)


@given(st.binary(max_size=60))
def test_other_bytes_open_nothing(sealed: bytes) -> None:
    with pytest.raises(NotSealedHere):
        Sealer(KEY).open(sealed, BOUND)


@pytest.mark.parametrize(
    "other",
    [
        ("other", 1, '["*"]', '["*"]'),
        ("name", 2, '["*"]', '["*"]'),
        ("name", 1, '["x"]', '["*"]'),
        ("name", 1, '["*"]', '["x"]'),
        ("name", "1", '["*"]', '["*"]'),
        ("name",),
    ],
)
def test_a_value_opens_only_where_it_belongs(other: tuple[object, ...]) -> None:
    sealer = Sealer(KEY)
    with pytest.raises(NotSealedHere):
        sealer.open(sealer.seal("some value", BOUND), other)


def test_equal_values_are_sealed_differently() -> None:
    sealer = Sealer(KEY)
    assert len({sealer.seal("some value", BOUND) for _ in range(50)}) == 50
