"""The operations, against a server that plays Sample."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from letsbe.plugin import ToolNotFound, ToolSite
from letsbe.testing import ToolCaller, make_site, serve_fake
from letsbe_tool_sample.adapter import SAMPLE

NOTES = {str(n): {"id": str(n), "text": f"note {n}"} for n in range(1, 6)}


async def notes(request: Request) -> JSONResponse:
    page = int(request.query_params["page"])
    found = list(NOTES.values())[2 * page - 2 : 2 * page]
    return JSONResponse({"notes": found, "next_page": page + 1 if found else None})


async def note(request: Request) -> JSONResponse:
    found = NOTES.get(request.path_params["id"])
    if found is None:
        return JSONResponse({"error": "there is no such note"}, 404)
    return JSONResponse(found)


APP = Starlette(routes=[Route("/api/notes", notes), Route("/api/notes/{id}", note)])


def test_notes_are_listed_and_read(tmp_path: Path) -> None:
    with serve_fake(APP) as server:
        tool = ToolSite("sample", server.url, {"token": "sample_token"})
        (adapter,) = SAMPLE.for_site(make_site(tmp_path, tools=(tool,)))
        call = ToolCaller(adapter, {"sample_token": "canary-Hq7Rt2WmZx9Lk4Pv"})

        async def test() -> None:
            listed = await call("list_notes", limit=3)
            assert [note["id"] for note in listed["notes"]] == ["1", "2", "3"]
            assert (await call("get_note", id="2"))["text"] == "note 2"
            with pytest.raises(ToolNotFound, match="no such note"):
                await call("get_note", id="9")

        anyio.run(test)
        assert server.requests[0].headers["authorization"].startswith("Bearer canary")
