"""Reading the form that the SDK sends: ``line_items[0][price]=price_1``."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

_PART = re.compile(r"\[([^\]]*)\]")


def read_form(text: str) -> dict[str, Any]:
    """Decode a form or a query into nested objects and lists; every value is text."""
    read: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        first = name.split("[", 1)[0]
        *above, last = [first, *_PART.findall(name)]
        place = read
        for part in above:
            place = place.setdefault(part, {})
        place[last] = value
    return {name: _lists(value) for name, value in read.items()}


def _lists(value: object) -> Any:  # noqa: ANN401 - JSON
    if not isinstance(value, dict):
        return value
    inner = {name: _lists(part) for name, part in value.items()}
    if inner and all(name.isdigit() for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner
