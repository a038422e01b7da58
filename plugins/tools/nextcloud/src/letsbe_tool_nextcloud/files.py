"""Files and folders."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from letsbe.plugin import (
    Arguments,
    Example,
    InvalidRequest,
    Json,
    Raise,
    Response,
    Tier,
    ToolClient,
    ToolInvalid,
    operation,
)
from letsbe_tool_nextcloud import dav
from letsbe_tool_nextcloud.access import DAV, refuse_references
from letsbe_tool_nextcloud.dav import OC, D, Found

ROOT = f"{DAV}/files/{{$user}}"
ONE = f"{ROOT}/{{path*}}"

Path = Annotated[str, Field(max_length=2000)]


class FolderArguments(Arguments):
    """A folder."""

    path: Path = ""
    """The folder, from the top: `Documents/2026`; the top if left out."""


class ListArguments(FolderArguments):
    """Which part of a folder."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 200
    """How many at most."""
    offset: Annotated[int, Field(ge=0)] = 0
    """How many to pass over."""


class PathArguments(Arguments):
    """A file or folder."""

    path: Annotated[Path, Field(min_length=1)]
    """The file or folder, from the top: `Documents/notes.md`."""


class PlaceArguments(PathArguments):
    """Where a file goes, and what it may replace."""

    overwrite: bool = False
    """Whether one that exists is replaced; the server keeps its old versions."""
    etag: Annotated[str, Field(pattern=r'^[^"\s]{1,200}$')] | None = None
    """Replace it only if it is still the one with this etag."""


class WriteArguments(PlaceArguments):
    """A file to write."""

    content: Annotated[str, Field(max_length=1_000_000)]
    """What is in it afterwards."""
    encoding: Literal["text", "base64"] = "text"
    """How `content` is to be read."""


class MoveArguments(PathArguments):
    """Where something goes."""

    to: Annotated[Path, Field(min_length=1)]
    """Its new path, from the top."""
    overwrite: bool = False
    """Whether what is there is replaced."""


class SearchArguments(FolderArguments):
    """What to look for."""

    name: Annotated[str, Field(min_length=1, max_length=250)]
    """A part of the file's name."""
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    """How many at most."""


def _replaces(args: MoveArguments) -> Iterator[Raise]:
    if args.overwrite:
        yield Raise(Tier.RED, "overwrite", "replaces what is there")


@operation(
    Tier.GREEN,
    examples=[Example({}, Tier.GREEN), Example({"path": "Documents"}, Tier.GREEN)],
)
async def list_files(tool: ToolClient, args: ListArguments) -> Json:
    """List what is in a folder."""
    folder, *inside = await found(tool, args.path, depth=1)
    if f"{D}collection" not in folder.kinds:
        message = "this is a file: stat_file and read_file show it"
        raise ToolInvalid(message)
    part = inside[args.offset : args.offset + args.limit]
    told = {"path": args.path, "entries": [shown(tool, each) for each in part]}
    more = args.offset + len(part) < len(inside)
    return {**told, "total": len(inside), "truncated": more}


@operation(Tier.GREEN, examples=[Example({"path": "notes.md"}, Tier.GREEN)])
async def stat_file(tool: ToolClient, args: PathArguments) -> Json:
    """Show a file's or folder's size, type, etag and when it was changed."""
    (one, *_) = await found(tool, args.path, depth=0)
    return shown(tool, one)


@operation(
    Tier.YELLOW,
    examples=[Example({"path": "notes.md", "content": "# Notes\n"}, Tier.YELLOW)],
)
async def write_file(tool: ToolClient, args: WriteArguments) -> Json:
    """Write a file; its folder must be there."""
    response = await put(tool, args, _content(args))
    etag = response.headers.get("oc-etag") or response.headers.get("etag", "")
    return {
        "path": args.path,
        "created": response.status == 201,
        "etag": etag.strip('"'),
        "id": response.headers.get("oc-fileid"),
    }


@operation(Tier.YELLOW, examples=[Example({"path": "Invoices/2026"}, Tier.YELLOW)])
async def create_folder(tool: ToolClient, args: PathArguments) -> Json:
    """Make a folder; the one above it must be there."""
    await tool.send("MKCOL", ONE, {"path": args.path})
    return {"created": args.path}


@operation(
    Tier.YELLOW,
    raises=_replaces,
    examples=[
        Example({"path": "a.txt", "to": "b.txt"}, Tier.YELLOW),
        Example({"path": "a.txt", "to": "b.txt", "overwrite": True}, Tier.RED),
    ],
)
async def move(tool: ToolClient, args: MoveArguments) -> Json:
    """Move or rename a file or folder."""
    return await _carry(tool, "MOVE", args)


@operation(
    Tier.YELLOW,
    raises=_replaces,
    examples=[Example({"path": "a.txt", "to": "b.txt"}, Tier.YELLOW)],
)
async def copy(tool: ToolClient, args: MoveArguments) -> Json:
    """Copy a file or folder."""
    return await _carry(tool, "COPY", args)


@operation(Tier.RED, examples=[Example({"path": "old.txt"}, Tier.RED)])
async def delete(tool: ToolClient, args: PathArguments) -> Json:
    """Delete a file or folder; it goes to the trash, where there is one."""
    await tool.send("DELETE", ONE, {"path": args.path})
    return {"deleted": args.path}


@operation(Tier.GREEN, examples=[Example({"name": "invoice"}, Tier.GREEN)])
async def search_files(tool: ToolClient, args: SearchArguments) -> Json:
    """Find files and folders by a part of their name."""
    refuse_references(args)
    inside = "/".join(part for part in args.path.split("/") if part)
    folder = f"/files/{tool.setting('user')}/{inside}".rstrip("/")
    body = dav.search(folder, args.name, args.limit)
    answer = await tool.send("SEARCH", f"{DAV}/", content=body, headers=dav.XML)
    return {"entries": [shown(tool, each) for each in dav.read(answer)]}


async def put(tool: ToolClient, args: PlaceArguments, content: bytes | str) -> Response:
    """Write a file at once, if nothing is there that it must not replace."""
    headers = {"content-type": "application/octet-stream"}
    if args.etag is not None:
        headers["if-match"] = f'"{args.etag}"'
    elif not args.overwrite:
        headers["if-none-match"] = "*"
    return await tool.send(
        "PUT", ONE, {"path": args.path}, content=content, headers=headers
    )


async def found(tool: ToolClient, path: str, depth: int) -> list[Found]:
    """Ask for what is at a path and, with a depth of 1, what is in it."""
    answer = await tool.send(
        "PROPFIND",
        ONE,
        {"path": path},
        content=dav.propfind(dav.FILE),
        headers={**dav.XML, "depth": str(depth)},
    )
    return list(dav.read(answer))


async def found_file(tool: ToolClient, path: str) -> tuple[Found, int]:
    """Ask for a file; give what is known of it, and its size in bytes.

    Raises:
        ToolInvalid: It is a folder.
    """
    (file, *_) = await found(tool, path, depth=0)
    if f"{D}collection" in file.kinds:
        message = "this is a folder: list_files shows what is in it"
        raise ToolInvalid(message)
    return file, int(file.properties.get(f"{D}getcontentlength") or 0)


async def _carry(tool: ToolClient, method: str, args: MoveArguments) -> Json:
    headers = {
        "destination": tool.address(ONE, {"path": args.to}),
        "overwrite": "T" if args.overwrite else "F",
    }
    response = await tool.send(method, ONE, {"path": args.path}, headers=headers)
    return {"path": args.to, "replaced": response.status == 204}


def shown(tool: ToolClient, found: Found) -> dict[str, object]:
    """Describe a file or folder for an agent."""
    known = found.properties
    _, _, inside = found.path.partition(f"{DAV}/files/{tool.setting('user')}")
    folder = f"{D}collection" in found.kinds
    return {
        "path": inside.strip("/"),
        "kind": "folder" if folder else "file",
        "size": int(known.get(f"{OC}size") or known.get(f"{D}getcontentlength") or 0),
        "type": None if folder else known.get(f"{D}getcontenttype"),
        "modified": known.get(f"{D}getlastmodified"),
        "etag": known.get(f"{D}getetag", "").strip('"'),
        "id": known.get(f"{OC}fileid"),
        "permissions": known.get(f"{OC}permissions"),
    }


def _content(args: WriteArguments) -> bytes | str:
    if args.encoding == "text":
        return args.content
    try:
        return base64.b64decode(args.content, validate=True)
    except binascii.Error:
        message = "content is not base64: send text, or set encoding to text"
        raise InvalidRequest(message) from None


OPERATIONS = (
    *(list_files, stat_file, write_file, create_folder, move, copy, delete),
    search_files,
)
