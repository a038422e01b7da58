"""The arguments of the action ``docker``."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from letsbe.plugin import Arguments


class DockerArguments(Arguments):
    """A docker command, or several with filters behind them."""

    command: str | None = None
    """A line: ``docker ps -a``, or just ``ps -a``; joined by && or ;, with programs
    that only filter after a |. Give either this or argv."""
    argv: tuple[str, ...] | None = Field(default=None, strict=False)
    """One docker command as a list of words, taken as they are."""
    cwd: str | None = None
    """The folder to start in, inside the allowed roots; the first root otherwise.
    Compose looks for its file there."""
    timeout: Annotated[float, Field(gt=0, le=3600)] | None = None
    """Seconds after which the command is ended and what it printed is returned."""
    secret_refs: tuple[str, ...] = Field(default=(), strict=False)
    """Names of secrets; each becomes a variable of docker itself with that name in
    capitals, which ``-e NAME`` hands to a container."""
    env_refs: dict[str, str] = Field(default_factory=dict)
    """Variables of docker itself by name, with the names of the secrets they hold."""

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if (self.command is None) == (self.argv is None):
            message = "give either command or argv"
            raise ValueError(message)
        return self
