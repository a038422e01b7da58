"""The arguments of the action ``shell``."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from letsbe.plugin import Arguments


class ShellArguments(Arguments):
    """A command line, or one program with its words."""

    command: str | None = None
    """A line: programs with their words, joined by |, &&, || or ;. No variables,
    substitutions, or redirections to files. Give either this or argv."""
    argv: tuple[str, ...] | None = Field(default=None, strict=False)
    """One program and its words, taken as they are. Give either this or command."""
    cwd: str | None = None
    """The folder to start in, inside the allowed roots; the first root otherwise."""
    timeout: Annotated[float, Field(gt=0, le=3600)] | None = None
    """Seconds after which the command is ended and what it printed is returned."""
    secret_refs: tuple[str, ...] = Field(default=(), strict=False)
    """Names of secrets; each becomes a variable with that name in capitals."""
    env_refs: dict[str, str] = Field(default_factory=dict)
    """Environment variables by name, with the names of the secrets they hold."""

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.command is None) == (self.argv is None):
            message = "give either command or argv"
            raise ValueError(message)
        return self
