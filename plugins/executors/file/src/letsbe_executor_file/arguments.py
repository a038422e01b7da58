"""The arguments of the file actions, and the plugin's settings."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from letsbe.plugin import Arguments

Encoding = Literal["utf-8", "base64"]


class ReadArguments(Arguments):
    """What to read."""

    path: str
    """The file: absolute, or relative to the first allowed folder."""
    offset: Annotated[int, Field(ge=0)] = 0
    """The byte to start at. To go on, use `next_offset` of the last answer."""
    limit: Annotated[int, Field(ge=1)] | None = None
    """The most bytes to return; the server's limit unless it is less."""
    encoding: Encoding | Literal["auto"] = "auto"
    """How to return the content; `auto` is text if it is UTF-8, else base64."""


class WriteArguments(Arguments):
    """What to write, and where."""

    path: str
    """The file: absolute, or relative to the first allowed folder."""
    content: str
    """The content. SECRET_REF(name) becomes the secret's value in text; in base64 it
    cannot be seen."""
    encoding: Encoding = "utf-8"
    """What `content` is: the text itself, or base64 of bytes."""
    mode: Literal["create", "overwrite", "append"] = "overwrite"
    """`create` fails if the file exists; `overwrite` makes or replaces it as a whole;
    `append` adds to its end, or makes it."""
    create_parents: bool = False
    """Whether to make the folders that are missing."""


class ListArguments(Arguments):
    """Which folder to list."""

    path: str = "."
    """The folder: absolute, or relative to the first allowed folder."""
    depth: Annotated[int, Field(ge=1, le=32)] = 1
    """How many levels to go down: 1 is the folder alone."""
    limit: Annotated[int, Field(ge=1, le=10_000)] = 1000
    """The most entries to return."""


class StatArguments(Arguments):
    """Which file to look at."""

    path: str
    """The file or folder: absolute, or relative to the first allowed folder."""


class Settings(BaseModel):
    """The table `[plugins.settings.file]` of the configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    hard_links: bool = True
    """Whether files with more than one name may be used: another name may be outside
    of the allowed folders."""
