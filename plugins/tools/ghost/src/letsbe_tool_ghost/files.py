"""Images and themes."""

from __future__ import annotations

import base64
import binascii
import mimetypes
from typing import Annotated, Any

from pydantic import Field

from letsbe.plugin import (
    Arguments,
    Example,
    FieldError,
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

_PIXEL = "R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


class ImageArguments(Arguments):
    """A picture."""

    name: FileName
    """The file's name, with its ending: `team.png`."""
    content_base64: Annotated[str, Field(min_length=1, max_length=8_000_000)]
    """The file, as base64."""
    ref: str | None = None
    """Comes back with the answer."""


class ThemeArguments(Arguments):
    """A theme."""

    name: FileName
    """The file's name: `my-theme.zip`."""
    content_base64: Annotated[str, Field(min_length=1, max_length=8_000_000)]
    """The zip file, as base64."""


class ThemeByName(Arguments):
    """An installed theme."""

    name: ThemeName
    """Its name."""


@operation(
    Tier.YELLOW,
    examples=(Example({"name": "a.gif", "content_base64": _PIXEL}, Tier.YELLOW),),
)
async def upload_image(tool: ToolClient, args: ImageArguments) -> Json:
    """Upload an image; whoever knows its address can see it at once."""
    kind = mimetypes.guess_type(args.name)[0] or "application/octet-stream"
    response = await tool.send(
        "POST",
        f"{ADMIN}/images/upload/",
        form={"purpose": "image", **({"ref": args.ref} if args.ref else {})},
        files={"file": (args.name, _decoded(args.content_base64), kind)},
    )
    return response.json()["images"][0]


@operation(
    Tier.RED,
    examples=(Example({"name": "a.zip", "content_base64": "UEsFBg=="}, Tier.RED),),
)
async def upload_theme(tool: ToolClient, args: ThemeArguments) -> Json:
    """Install a theme in place of the one of its name: it is the site's code."""
    response = await tool.send(
        "POST",
        f"{ADMIN}/themes/upload/",
        files={"file": (args.name, _decoded(args.content_base64), "application/zip")},
    )
    return _themes(response.json())


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
