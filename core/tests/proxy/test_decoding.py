"""Unpacking: all of it or an error, and never beyond the limit."""

from __future__ import annotations

import contextlib
import gzip
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe.errors import InvalidRequest
from letsbe.proxy.decoding import Bomb, decode, encodings_of

PACKERS: dict[str, Any] = {"gzip": gzip.compress, "deflate": zlib.compress}
ENCODINGS = st.lists(st.sampled_from(["gzip", "deflate"]), max_size=2)


@given(st.binary(max_size=2000), ENCODINGS)
def test_what_was_packed_comes_out(data: bytes, applied: list[str]) -> None:
    packed = data
    for name in applied:
        packed = PACKERS[name](packed)
    header = ", ".join(applied).encode()
    assert decode(packed, encodings_of(header), 4000) == data


@given(st.binary(max_size=300), st.sampled_from(["gzip", "deflate"]))
def test_rubbish_is_an_error_of_ours(data: bytes, name: str) -> None:
    with contextlib.suppress(InvalidRequest, Bomb):
        assert len(decode(data, [name], 1000)) <= 1000


@given(st.integers(0, 300), st.sampled_from(["gzip", "deflate"]))
def test_the_limit_is_exact(size: int, name: str) -> None:
    packed = PACKERS[name](b"a" * size)
    assert decode(packed, [name], size) == b"a" * size
    if size:
        with pytest.raises(Bomb):
            decode(packed, [name], size - 1)


@given(st.binary(min_size=1, max_size=300), st.sampled_from(["gzip", "deflate"]))
def test_every_cut_is_noticed(data: bytes, name: str) -> None:
    packed = PACKERS[name](data)
    for end in range(1, len(packed)):
        with pytest.raises(InvalidRequest):
            decode(packed[:end], [name], 4000)
