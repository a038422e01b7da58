"""Whole files between Nextcloud and the server, of any size and unseen by the model.

A large file goes up in chunks that Nextcloud puts together at the end, so that nobody
sees a part of it (Nextcloud's developer manual, "Chunked upload v2"), and comes down
in ranges that are all of one version.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import anyio

from letsbe.plugin import (
    Example,
    FileToSave,
    FileToSend,
    Json,
    Raise,
    SentFile,
    Tier,
    ToolClient,
    ToolConflict,
    ToolFailed,
    ToolInvalid,
    ToolUnexpected,
    operation,
)
from letsbe_tool_nextcloud.access import DAV
from letsbe_tool_nextcloud.files import (
    ONE,
    PathArguments,
    PlaceArguments,
    found,
    found_file,
    put,
    shown,
)

CHUNK = 8 * 1024 * 1024
"""Bytes of a chunk; Nextcloud takes 5 MB to 5 GB, and any size for the last."""
_MOST = 10_000 * CHUNK
"""Nextcloud takes chunks numbered from 1 to 10000."""
_PART = 4 * 1024 * 1024
"""Bytes of a range."""
_UPLOADS = f"{DAV}/uploads/{{$user}}/{{id}}"
_BEYOND = 416
_CLEANING = 5.0  # seconds that throwing a broken upload away may take


class UploadArguments(PlaceArguments):
    """A file of the server to keep in Nextcloud."""

    file: FileToSend
    """The file on the server; a relative path begins in the first allowed folder."""


class DownloadArguments(PathArguments):
    """A file of Nextcloud to keep on the server."""

    file: FileToSave
    """Where on the server; a relative path begins in the first allowed folder."""
    overwrite: bool = False
    """Whether one that exists on the server is replaced."""


def _replaces(args: DownloadArguments) -> Iterator[Raise]:
    if args.overwrite:
        yield Raise(Tier.RED, "overwrite", "replaces the file that is there")


@operation(
    Tier.YELLOW,
    examples=[
        Example({"file": "report.pdf", "path": "Reports/may.pdf"}, Tier.YELLOW),
        Example({"file": "app/.env", "path": "copy.env"}, Tier.RED),
    ],
)
async def upload_file(tool: ToolClient, args: UploadArguments) -> Json:
    """Put a file of the server into a folder of Nextcloud, whatever its size."""
    async with tool.files.to_send(args.file) as file:
        if file.size > _MOST:
            message = f"{file.path} is larger than {_MOST >> 30} GiB"
            raise ToolInvalid(message)
        if file.size <= CHUNK:
            await put(tool, args, await file.content(CHUNK))
        else:
            await _put_in_chunks(tool, args, file)
        (kept, *_) = await found(tool, args.path, depth=0)
        told = shown(tool, kept)
        if told["size"] != file.size:
            message = f"Nextcloud kept {told['size']} bytes of {file.size}"
            raise ToolUnexpected(message, alternative="send the file again")
    return {**told, "file": file.path}


@operation(
    Tier.YELLOW,
    raises=_replaces,
    examples=[
        Example({"path": "Plans/a.pdf", "file": "plans-a.pdf"}, Tier.YELLOW),
        Example({"path": "a.pdf", "file": "a.pdf", "overwrite": True}, Tier.RED),
    ],
)
async def download_file(tool: ToolClient, args: DownloadArguments) -> Json:
    """Keep a file of Nextcloud on the server, whatever its size."""
    there, size = await found_file(tool, args.path)
    told = shown(tool, there)
    etag = f'"{told["etag"]}"'
    async with tool.files.to_save(args.file, overwrite=args.overwrite) as file:
        while file.size < size:
            await file.add(await _part(tool, args.path, file.size, size, etag))
    return {**told, "file": file.path, "created": file.created}


async def _put_in_chunks(
    tool: ToolClient, args: UploadArguments, file: SentFile
) -> None:
    await _check_free(tool, args)
    destination = tool.address(ONE, {"path": args.path})
    headers = {"destination": destination, "oc-total-length": str(file.size)}
    async with _upload(tool, headers) as upload:
        number = 0
        async for piece in file.pieces(CHUNK):
            number += 1
            where = {"id": upload, "number": f"{number:05}"}
            await tool.send(
                *("PUT", f"{_UPLOADS}/{{number}}", where),
                content=piece,
                headers=headers,
                prepares=True,
            )
        headers["overwrite"] = "T" if args.overwrite or args.etag is not None else "F"
        if args.etag is not None:
            headers["if"] = f'<{destination}> (["{args.etag}"])'
        await tool.send("MOVE", f"{_UPLOADS}/.file", {"id": upload}, headers=headers)


async def _check_free(tool: ToolClient, args: UploadArguments) -> None:
    """Find out before all of it is sent that nothing may be replaced."""
    try:
        (there, *_) = await found(tool, args.path, depth=0)
    except ToolFailed:
        return  # as it should be, or the upload says what is wrong
    if args.etag not in {None, shown(tool, there)["etag"]}:
        message = "the file has another etag by now"
        raise ToolConflict(message, alternative="stat_file shows it")
    if args.etag is None and not args.overwrite:
        message = "it exists already"
        raise ToolConflict(message, alternative="set overwrite, or give its etag")


@asynccontextmanager
async def _upload(tool: ToolClient, headers: dict[str, str]) -> AsyncIterator[str]:
    """Begin an upload; one that does not end well is thrown away."""
    upload = f"letsbe-{uuid.uuid4().hex}"
    await tool.send("MKCOL", _UPLOADS, {"id": upload}, headers=headers, prepares=True)
    try:
        yield upload
    except BaseException:
        with anyio.move_on_after(_CLEANING, shield=True):
            await _thrown_away(tool, upload)
        raise


async def _thrown_away(tool: ToolClient, upload: str) -> None:
    try:
        await tool.send("DELETE", _UPLOADS, {"id": upload}, prepares=True)
    except ToolFailed:
        # So too if the call's time is over, when no request is sent any more:
        # Nextcloud throws uploads away itself after a day.
        return


async def _part(tool: ToolClient, path: str, start: int, size: int, etag: str) -> bytes:
    end = min(start + _PART, size)
    headers = {"range": f"bytes={start}-{end - 1}", "if-match": etag}
    response = await tool.send(
        "GET", ONE, {"path": path}, headers=headers, accept={_BEYOND}
    )
    data = response.content
    if response.status == 200 and len(data) == size and start == 0:
        return data  # it knows no ranges
    if response.status != 206 or len(data) != end - start:
        # Nextcloud gives one etag to two versions of the same second.
        message = "the file was changed while it was fetched"
        raise ToolConflict(message, alternative="call it again")
    return data


OPERATIONS = (upload_file, download_file)
