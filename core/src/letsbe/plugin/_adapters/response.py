"""What a tool answered, read with care."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn, TypeAlias

from letsbe.errors import ToolUnexpected

Json: TypeAlias = Any
"""A JSON value as a tool gave it: nothing of its form is promised."""

_MARKUP = (b"<!doctype", b"<html", b"<head", b"<body", b"<?xml")


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, whole.

    Args:
        status: The HTTP status.
        headers: The headers; their names in lower case.
        content: The body.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)

    @property
    def text(self) -> str:
        """The body as text; what is not UTF-8 as question marks in black diamonds."""
        return self.content.decode("utf-8", "replace")

    def json(self) -> Json:
        """Read the body as JSON.

        Returns:
            The value; ``None`` for an empty body.

        Raises:
            ToolUnexpected: It is not JSON; the error says what it seems to be.
        """
        if not self.content.strip():
            return None
        try:
            return json.loads(self.content, parse_constant=_refuse)
        except (ValueError, RecursionError):
            raise ToolUnexpected(
                f"the answer (HTTP {self.status}) is {self._form} where JSON was due",
                alternative=(
                    "the operator should check the tool's base_url: it may lead to a "
                    "login page, a proxy or another version"
                ),
            ) from None

    def peek(self) -> Json:
        """Read the body as JSON; ``None`` if it is not."""
        try:
            return self.json()
        except ToolUnexpected:
            return None

    @property
    def _form(self) -> str:
        beginning = self.content.lstrip()[:16].lower()
        if "html" in self.headers.get("content-type", "") or beginning.startswith(
            _MARKUP
        ):
            return "a web page"
        return "text, or JSON that is broken,"


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
