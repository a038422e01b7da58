"""The variables of compose files: what ``.env`` says, and where it is filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

UNKNOWN = "\0"
"""Stands for what cannot be told; no rule takes it for harmless."""


def env_lines(data: bytes) -> Iterator[tuple[str, str]]:
    """Yield the variables of an ``.env`` file; :data:`UNKNOWN` for unclear values."""
    for line in data.decode("utf-8", "replace").splitlines():
        text = line.strip().removeprefix("export ").strip()
        name, equals, value = text.partition("=")
        if text.startswith("#") or not equals:
            continue
        value = value.strip()
        if value[:1] in ("'", '"') and value[-1:] == value[:1] and len(value) > 1:
            value = value[1:-1]
        elif "'" in value or '"' in value:
            value = UNKNOWN
        # Variables, escapes and comments are read in ways that versions differ in.
        unclear = "$" in value or "\\" in value or " #" in value
        yield name.strip(), UNKNOWN if unclear else value


class Variables:
    """Fills in ``$NAME``, ``${NAME}`` and their forms with defaults."""

    _FORM = re.compile(
        r"\$(?:(\$)|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?[-?+])([^${}]*))?\}|(.?))",
        re.DOTALL,
    )

    def __init__(
        self, values: Mapping[str, str] | None, hidden: frozenset[str]
    ) -> None:
        self._values = values
        self._hidden = hidden

    def fill(self, text: str) -> str:
        """Fill in a text; the whole is unknown if a part is."""
        if "$" not in text:
            return text
        parts = []
        last = 0
        for found in self._FORM.finditer(text):
            parts += [text[last : found.start()], self._value(found)]
            last = found.end()
        filled = "".join([*parts, text[last:]])
        return UNKNOWN if UNKNOWN in filled else filled

    def _value(self, found: re.Match[str]) -> str:
        if found[1]:
            return "$"
        name, form, other = found[2] or found[3], found[4] or "", found[5] or ""
        if not name or name in self._hidden or self._values is None:
            return UNKNOWN
        value = self._values.get(name)
        present = bool(value) if ":" in form else value is not None
        if form.endswith("+"):
            return other if present else ""
        if form.endswith("-") and not present:
            return other
        return value or ""
