"""Parts of a large text that are whole lines."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from letsbe.redaction.cutting import whole_lines

MARGIN = 16
_texts = st.binary(max_size=300) | st.text("ab\n, ", max_size=300).map(str.encode)


def _part(text: bytes, offset: int, most: int) -> tuple[int, int]:
    start = max(offset - MARGIN, 0)
    data = text[start : offset + most + MARGIN]
    begin, end = whole_lines(data, offset - start, most, MARGIN)
    return start + begin, start + end


@given(_texts, st.integers(1, 40))
def test_parts_one_after_the_other_are_the_whole(text: bytes, most: int) -> None:
    read, place = b"", 0
    while place < len(text):
        begin, end = _part(text, place, most)
        assert end > place
        read = read[:begin] + text[begin:end]
        place = end
    assert read == text


@given(st.lists(st.text("ab ", max_size=10), min_size=1), st.data())
def test_short_lines_are_never_cut(lines: list[str], data: st.DataObject) -> None:
    text = "".join(f"{line}\n" for line in lines).encode()
    offset = data.draw(st.integers(0, len(text) - 1))
    begin, end = _part(text, offset, data.draw(st.integers(1, 40)))
    assert begin <= offset < end
    assert begin == 0 or text[begin - 1 : begin] == b"\n"
    assert text[end - 1 : end] == b"\n"


def test_a_long_line_is_cut_at_a_blank_or_as_it_comes() -> None:
    assert _part(b"x" * 20 + b" " + b"y" * 20, 25, 5) == (21, 41)
    assert _part(b"x" * 100, 30, 5) == (30, 35)
