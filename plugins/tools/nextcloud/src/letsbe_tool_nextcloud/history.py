"""What was: the trash that deleted files go to, and older versions of a file."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from letsbe.plugin import (
    Arguments,
    Example,
    Json,
    NoArguments,
    Tier,
    ToolClient,
    ToolInvalid,
    operation,
)
from letsbe_tool_nextcloud import dav
from letsbe_tool_nextcloud.access import DAV
from letsbe_tool_nextcloud.dav import NC, OC, D
from letsbe_tool_nextcloud.files import PathArguments, found

TRASH = f"{DAV}/trashbin/{{$user}}"
VERSIONS = f"{DAV}/versions/{{$user}}"
_DELETED = (
    *(f"{NC}trashbin-filename", f"{NC}trashbin-original-location"),
    *(f"{NC}trashbin-deletion-time", f"{OC}size", f"{D}resourcetype"),
)
_VERSION = (
    *(f"{D}getcontentlength", f"{D}getlastmodified", f"{NC}version-label"),
    f"{NC}version-author",
)


class TrashArguments(Arguments):
    """Something in the trash."""

    id: Annotated[str, Field(min_length=1, max_length=500)]
    """Its id; see list_trash."""


class VersionArguments(PathArguments):
    """An older version of a file."""

    version: Annotated[str, Field(pattern=r"^\d{1,20}$")]
    """Its number; see list_versions."""


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
    for each in list(dav.read(answer))[1:]:
        known = each.properties
        entries.append(
            {
                "id": each.path.rstrip("/").rsplit("/", 1)[-1],
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


@operation(Tier.GREEN, examples=[Example({"path": "notes.md"}, Tier.GREEN)])
async def list_versions(tool: ToolClient, args: PathArguments) -> Json:
    """List the older versions of a file that the server has kept."""
    answer = await tool.send(
        "PROPFIND",
        f"{VERSIONS}/versions/{{id}}",
        {"id": await _id_of(tool, args.path)},
        content=dav.propfind(_VERSION),
        headers={**dav.XML, "depth": "1"},
    )
    entries = []
    for each in list(dav.read(answer))[1:]:
        known = each.properties
        entries.append(
            {
                "version": each.path.rstrip("/").rsplit("/", 1)[-1],
                "size": int(known.get(f"{D}getcontentlength") or 0),
                "modified": known.get(f"{D}getlastmodified"),
                "label": known.get(f"{NC}version-label") or None,
                "author": known.get(f"{NC}version-author") or None,
            }
        )
    return {"path": args.path, "versions": entries}


@operation(
    Tier.YELLOW,
    examples=[Example({"path": "notes.md", "version": "1790000000"}, Tier.YELLOW)],
)
async def restore_version(tool: ToolClient, args: VersionArguments) -> Json:
    """Make an older version of a file the present one, which becomes an older one."""
    values: dict[str, str | int] = {
        "id": await _id_of(tool, args.path),
        "version": args.version,
    }
    where = tool.address(f"{VERSIONS}/restore/target")
    path = f"{VERSIONS}/versions/{{id}}/{{version}}"
    await tool.send("MOVE", path, values, headers={"destination": where})
    return {"restored": args.path, "version": args.version}


async def _id_of(tool: ToolClient, path: str) -> str:
    (file, *_) = await found(tool, path, depth=0)
    if f"{D}collection" in file.kinds:
        message = "this is a folder: only files have versions"
        raise ToolInvalid(message)
    return file.properties[f"{OC}fileid"]


OPERATIONS = (*(list_trash, restore, delete_for_good, list_versions, restore_version),)
