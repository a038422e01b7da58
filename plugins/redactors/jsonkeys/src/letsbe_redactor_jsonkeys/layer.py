"""The layer: sensitive keys, then their values, then what of them is secret."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from letsbe.plugin import Finding, Places, State
from letsbe_redactor_jsonkeys.keys import Value, values_at
from letsbe_redactor_jsonkeys.names import Sensitivity
from letsbe_redactor_jsonkeys.nested import Walk
from letsbe_redactor_jsonkeys.values import is_secret_number, secret_part

_KINDS = {
    Sensitivity.PASSWORD: "password",
    Sensitivity.SECRET: "secret",
    Sensitivity.CODE: "code",
}


class JsonKeyLayer:
    """Finds the values of sensitive keys.

    Args:
        stems: Finds where parts of sensitive keys stand in a text, rising.
    """

    name = "jsonkeys"
    order = 40

    def __init__(self, stems: Callable[[bytes], list[int]]) -> None:
        self._stems = stems

    def state(self) -> State:
        """Say that what is found in a message is the same whenever it comes again."""
        return State(0, 0)

    def find(self, text: bytes) -> list[Finding]:
        """Find values of sensitive keys, in JSON and in literals like it."""
        return _found(text, self._stems(text))

    def search(self, text: bytes) -> Places:
        """Find where sensitive keys may stand."""
        stems = self._stems(text)
        return Places(stems, stems)

    def find_at(self, text: bytes, places: Places) -> list[Finding]:
        """Find values of the sensitive keys that may stand at some places."""
        return _found(text, places.offsets)


def _found(text: bytes, stems: Sequence[int]) -> list[Finding]:
    walk = Walk(text)
    return [
        Finding(start, end, _KINDS[value.kind], None, "key")
        for value in values_at(text, stems)
        for start, end in _spans(text, value, walk)
    ]


def _spans(text: bytes, value: Value, walk: Walk) -> Iterator[tuple[int, int]]:
    if value.form == "number":
        if is_secret_number(text[value.start : value.end], value.kind):
            yield value.start, value.end
    elif value.form == "string":
        yield from _string(text, value.start, value.end, value.kind)
    else:
        for member in walk.members(value.start):
            yield from _string(text, member.start, member.end, value.kind)


def _string(
    text: bytes, start: int, end: int, kind: Sensitivity
) -> Iterator[tuple[int, int]]:
    part = secret_part(text[start:end], kind)
    if part:
        yield start + part[0], start + part[1]
