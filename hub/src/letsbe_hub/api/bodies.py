"""The base of what goes over the wire: camelCase, strict, nothing unknown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel


class Body(BaseModel):
    """The base of request bodies and queries."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        strict=True,
        frozen=True,
        hide_input_in_errors=True,
        use_attribute_docstrings=True,
    )


class View(BaseModel):
    """The base of answers."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        use_attribute_docstrings=True,
    )


class Nothing(Body):
    """A body that may be left out, and holds nothing."""


def rfc3339(moment: float) -> str:
    """Write a moment as RFC 3339 has it, in UTC."""
    text = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


Instant: TypeAlias = Annotated[
    float, PlainSerializer(rfc3339, return_type=str, when_used="json")
]
"""A moment: seconds since 1970 (UTC) inside, RFC 3339 outside."""

LINE = r"^[^\x00-\x1f\x7f]+$"
IDENTIFIER = r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$"

Line: TypeAlias = Annotated[str, Field(min_length=1, max_length=200, pattern=LINE)]
"""One line of text."""

Reason: TypeAlias = Annotated[str, Field(min_length=1, max_length=2000)]
"""Why a person did something."""

Identifier: TypeAlias = Annotated[str, Field(pattern=IDENTIFIER)]
"""An id, ours or another system's."""


class WhyBody(Body):
    """Why an operator does something."""

    reason: Reason
    """For the record."""
