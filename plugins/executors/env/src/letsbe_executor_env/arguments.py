"""The arguments of the environment actions."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from letsbe.plugin import Arguments

Key = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]{0,127}$")]


class ReadArguments(Arguments):
    """Which variables to read."""

    path: str = ".env"
    """The file: absolute, or relative to the first allowed folder."""
    keys: tuple[Key, ...] | None = None
    """The variables to show; all of them unless given."""


class UpdateArguments(Arguments):
    """Which variables to set and to remove, all of them at once or none."""

    path: str = ".env"
    """The file: absolute, or relative to the first allowed folder. Made if missing."""
    set: dict[Key, str] = Field(default_factory=dict)
    """Variables with their values. SECRET_REF(name) becomes the secret's value."""
    unset: tuple[Key, ...] = ()
    """Variables to remove."""

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        if not self.set and not self.unset:
            message = "nothing to do: name variables in set or unset"
            raise ValueError(message)
        if not set(self.set).isdisjoint(self.unset):
            message = "a variable is named in both set and unset"
            raise ValueError(message)
        return self
