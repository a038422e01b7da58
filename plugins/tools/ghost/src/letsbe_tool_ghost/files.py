"""Images and themes."""

from __future__ import annotations

import base64
import binascii
import mimetypes
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from letsbe.plugin import (
    Arguments,
    Example,
    FieldError,
    FileToSend,
    InvalidRequest,
    Json,
    Tier,
    ToolClient,
    operation,
    route,
)
from letsbe_tool_ghost.access import ADMIN

FileName = Annotated[str, Field(pattern=r"^[\w][\w .-]{0,120}$")]
ThemeName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]

LARGEST = 64 * 1024 * 1024
"""The most bytes of a file of the server that are sent."""
_PIXEL = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


class UploadArguments(Arguments):
    """A file, from the server or as it is."""

    file: FileToSend | None = None
    """The file on the server; a relative path begins in the first allowed folder."""
    content_base64: Annotated[str, Field(min_length=1, max_length=8_000_000)] | None = (
        None
    )
    """Or its content, as base64; then it needs a name."""
    name: FileName | None = None
    """The file's name at Ghost, with its ending: `team.png`, `my-theme.zip`."""

    @model_validator(mode="after")
    def _one_content(self) -> Self:
        if (self.file is None) == (self.content_base64 is None):
            message = "give either file or content_base64"
            raise ValueError(message)
        if self.file is None and self.name is None:
            message = "content_base64 needs a name"
            raise ValueError(message)
        return self


class ImageArguments(UploadArguments):
    """A picture."""

    ref: str | None = None
    """Comes back with the answer."""


class ThemeByName(Arguments):
    """An installed theme."""

    name: ThemeName
    """Its name."""


@operation(
    Tier.YELLOW,
    examples=(
        Example({"file": "team.gif"}, Tier.YELLOW),
        Example({"name": "a.gif", "content_base64": _PIXEL}, Tier.YELLOW),
    ),
)
async def upload_image(tool: ToolClient, args: ImageArguments) -> Json:
    """Upload an image; whoever knows its address can see it at once."""
    name, content = await _content(tool, args)
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    response = await tool.send(
        "POST",
        f"{ADMIN}/images/upload/",
        form={"purpose": "image", **({"ref": args.ref} if args.ref else {})},
        files={"file": (name, content, kind)},
    )
    return response.json()["images"][0]


@operation(
    Tier.RED,
    examples=(
        Example({"file": "theme.zip"}, Tier.RED),
        Example({"name": "a.zip", "content_base64": "UEsFBg=="}, Tier.RED),
    ),
)
async def upload_theme(tool: ToolClient, args: UploadArguments) -> Json:
    """Install a theme in place of the one of its name: it is the site's code."""
    name, content = await _content(tool, args)
    response = await tool.send(
        "POST",
        f"{ADMIN}/themes/upload/",
        files={"file": (name, content, "application/zip")},
    )
    return _themes(response.json())


async def _content(tool: ToolClient, args: UploadArguments) -> tuple[str, bytes]:
    """Return the name and the content of what is uploaded."""
    if args.content_base64 is not None:
        assert args.name is not None
        return args.name, _decoded(args.content_base64)
    assert args.file is not None
    async with tool.files.to_send(args.file) as file:
        return args.name or file.name, await file.content(LARGEST)


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        message = "it is not base64"
        details = (FieldError("tool_args.content_base64", message),)
        raise InvalidRequest(f"content_base64: {message}", details=details) from None


def _themes(answer: dict[str, Any]) -> Json:
    kept = ("name", "active")
    return [{key: theme.get(key) for key in kept} for theme in answer["themes"]]


OPERATIONS = (
    upload_image,
    upload_theme,
    route(
        "activate_theme",
        "Switch the whole site to an installed theme.",
        f"PUT {ADMIN}/themes/{{name}}/activate/",
        ThemeByName,
        Tier.RED,
        pick=_themes,
        examples=(Example({"name": "casper"}, Tier.RED),),
    ),
)
