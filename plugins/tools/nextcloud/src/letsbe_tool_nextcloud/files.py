"""Files and folders, and the trash that deleted ones go to."""

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
    NoArguments,
    Raise,
    Tier,
    ToolClient,
    ToolInvalid,
    operation,
)
from letsbe_tool_nextcloud import dav
from letsbe_tool_nextcloud.access import DAV, refuse_references
from letsbe_tool_nextcloud.dav import NC, OC, D, Found

ROOT = f"{DAV}/files/{{$user}}"
ONE = f"{ROOT}/{{path*}}"
TRASH = f"{DAV}/trashbin/{{$user}}"

Path = Annotated[str, Field(max_length=2000)]
_MOST_READ = 1024 * 1024  # bytes of a file that are read; then the text is cut
_DELETED = (
    *(f"{NC}trashbin-filename", f"{NC}trashbin-original-location"),
    *(f"{NC}trashbin-deletion-time", f"{OC}size", f"{D}resourcetype"),
)


class FolderArguments(Arguments):
    """A folder."""

    path: Path = ""
    """The folder, from the top: `Documents/2026`; the top if left out."""


class PathArguments(Arguments):
    """A file or folder."""

    path: Annotated[Path, Field(min_length=1)]
    """The file or folder, from the top: `Documents/notes.md`."""


class ReadArguments(PathArguments):
    """Which part of a file."""

    offset: Annotated[int, Field(ge=0)] = 0
    """From which character on, or byte of what is not text."""
    limit: Annotated[int, Field(ge=1, le=200_000)] = 50_000
    """How many at most."""


class WriteArguments(PathArguments):
    """A file to write."""

    content: Annotated[str, Field(max_length=1_000_000)]
    """What is in it afterwards."""
    encoding: Literal["text", "base64"] = "text"
    """How `content` is to be read."""
    overwrite: bool = False
    """Whether one that exists is replaced; the server keeps its old versions."""
    etag: Annotated[str, Field(max_length=200)] | None = None
    """Replace it only if it is still the one with this etag."""


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


class TrashArguments(Arguments):
    """Something in the trash."""

    id: Annotated[str, Field(min_length=1, max_length=500)]
    """Its id; see list_trash."""


def _replaces(args: MoveArguments) -> Iterator[Raise]:
    if args.overwrite:
        yield Raise(Tier.RED, "overwrite", "replaces what is there")


@operation(
    Tier.GREEN,
    examples=[Example({}, Tier.GREEN), Example({"path": "Documents"}, Tier.GREEN)],
)
async def list_files(tool: ToolClient, args: FolderArguments) -> Json:
    """List what is in a folder."""
    found = await _found(tool, args.path, depth=1)
    return {"path": args.path, "entries": [_shown(tool, each) for each in found[1:]]}


@operation(Tier.GREEN, examples=[Example({"path": "notes.md"}, Tier.GREEN)])
async def stat_file(tool: ToolClient, args: PathArguments) -> Json:
    """Show a file's or folder's size, type, etag and when it was changed."""
    (found, *_) = await _found(tool, args.path, depth=0)
    return _shown(tool, found)


@operation(Tier.GREEN, examples=[Example({"path": "notes.md"}, Tier.GREEN)])
async def read_file(tool: ToolClient, args: ReadArguments) -> Json:
    """Read a file; what is not text comes as base64."""
    (found, *_) = await _found(tool, args.path, depth=0)
    if f"{D}collection" in found.kinds:
        message = "this is a folder: list_files shows what is in it"
        raise ToolInvalid(message)
    size = int(found.properties.get(f"{D}getcontentlength") or 0)
    told = {**_shown(tool, found), "offset": args.offset}
    if size == 0:
        return {**told, "content": "", "truncated": False}
    ranged = {"range": f"bytes=0-{_MOST_READ - 1}"}
    response = await tool.send("GET", ONE, {"path": args.path}, headers=ranged)
    data = response.content
    cut_short = size > len(data)
    try:
        # Secrets are taken out of the whole, before it is cut.
        text = tool.redact(data.decode())
    except UnicodeDecodeError as error:
        if not (cut_short and error.start >= len(data) - 3):
            return {**told, **_binary(tool, data, args, cut_short=cut_short)}
        text = tool.redact(data[: error.start].decode())
    part = text[args.offset : args.offset + args.limit]
    more = cut_short or args.offset + args.limit < len(text)
    return {**told, "content": part, "truncated": more}


@operation(
    Tier.YELLOW,
    examples=[Example({"path": "notes.md", "content": "# Notes\n"}, Tier.YELLOW)],
)
async def write_file(tool: ToolClient, args: WriteArguments) -> Json:
    """Write a file; its folder must be there."""
    headers = {"content-type": "application/octet-stream"}
    if args.etag is not None:
        headers["if-match"] = f'"{args.etag}"'
    elif not args.overwrite:
        headers["if-none-match"] = "*"
    response = await tool.send(
        "PUT", ONE, {"path": args.path}, content=_content(args), headers=headers
    )
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
    return {"entries": [_shown(tool, each) for each in dav.read(answer)]}


@operation(Tier.GREEN)
async def list_trash(tool: ToolClient, args: NoArguments) -> Json:
    """List what was deleted and can be brought back."""
    answer = await tool.send(
        "PROPFIND",
        f"{TRASH}/trash",
        content=dav.propfind(_DELETED),
        headers={**dav.XML, "depth": "1"},
    )
    entries = []
    for found in list(dav.read(answer))[1:]:
        known = found.properties
        entries.append(
            {
                "id": found.path.rstrip("/").rsplit("/", 1)[-1],
                "name": known.get(f"{NC}trashbin-filename"),
                "path": known.get(f"{NC}trashbin-original-location"),
                "deleted": known.get(f"{NC}trashbin-deletion-time"),
                "size": known.get(f"{OC}size"),
            }
        )
    return {"entries": entries}


@operation(Tier.YELLOW, examples=[Example({"id": "old.txt.d1790000000"}, Tier.YELLOW)])
async def restore(tool: ToolClient, args: TrashArguments) -> Json:
    """Bring something back from the trash to where it was."""
    where = tool.address(f"{TRASH}/restore/{{id}}", {"id": args.id})
    await tool.send(
        "MOVE", f"{TRASH}/trash/{{id}}", {"id": args.id}, headers={"destination": where}
    )
    return {"restored": args.id}


@operation(Tier.RED, examples=[Example({"id": "old.txt.d1790000000"}, Tier.RED)])
async def delete_for_good(tool: ToolClient, args: TrashArguments) -> Json:
    """Delete something from the trash; nothing brings it back."""
    await tool.send("DELETE", f"{TRASH}/trash/{{id}}", {"id": args.id})
    return {"deleted": args.id}


async def _found(tool: ToolClient, path: str, depth: int) -> list[Found]:
    answer = await tool.send(
        "PROPFIND",
        ONE,
        {"path": path},
        content=dav.propfind(dav.FILE),
        headers={**dav.XML, "depth": str(depth)},
    )
    return list(dav.read(answer))


async def _carry(tool: ToolClient, method: str, args: MoveArguments) -> Json:
    headers = {
        "destination": tool.address(ONE, {"path": args.to}),
        "overwrite": "T" if args.overwrite else "F",
    }
    response = await tool.send(method, ONE, {"path": args.path}, headers=headers)
    return {"path": args.to, "replaced": response.status == 204}


def _shown(tool: ToolClient, found: Found) -> dict[str, object]:
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


def _binary(
    tool: ToolClient, data: bytes, args: ReadArguments, *, cut_short: bool
) -> dict[str, object]:
    # One character for each byte, so that the rest stays as it is.
    clean = tool.redact(data.decode("latin-1")).encode("latin-1", "replace")
    part = clean[args.offset : args.offset + args.limit]
    more = cut_short or args.offset + args.limit < len(clean)
    return {"base64": base64.b64encode(part).decode(), "truncated": more}


def _content(args: WriteArguments) -> bytes | str:
    if args.encoding == "text":
        return args.content
    try:
        return base64.b64decode(args.content, validate=True)
    except binascii.Error:
        message = "content is not base64: send text, or set encoding to text"
        raise InvalidRequest(message) from None


OPERATIONS = (
    *(list_files, stat_file, read_file, write_file, create_folder, move, copy),
    *(delete, search_files, list_trash, restore, delete_for_good),
)
