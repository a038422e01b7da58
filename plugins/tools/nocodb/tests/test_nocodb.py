"""Every operation, on a real NocoDB."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from letsbe.plugin import ToolInvalid, ToolNotFound, ToolUnauthenticated
from letsbe.testing import ToolCaller
from plugins.tools.nocodb.tests.server import NocodbServer, request

pytestmark = pytest.mark.anyio

FIELDS = [
    {"title": "Name"},
    {"title": "Amount", "kind": "Number"},
    {"title": "Stage", "kind": "SingleSelect", "options": ["new", "won"]},
]


async def a_table(call: ToolCaller, nocodb: NocodbServer, title: str) -> dict[str, Any]:
    made: dict[str, Any] = await call(
        "create_table", base_id=nocodb.base_id, title=title, fields=FIELDS
    )
    return made


async def test_records_from_the_first_to_the_last(
    call: ToolCaller, nocodb: NocodbServer
) -> None:
    table = (await a_table(call, nocodb, "Leads"))["id"]
    rows = [{"Name": f"n{n}", "Amount": n, "Stage": "new"} for n in range(5)]
    made = await call("create_records", table_id=table, records=rows)
    assert [m["Id"] for m in made] == [1, 2, 3, 4, 5]

    first = await call("list_records", table_id=table, limit=2, sort="-Amount")
    assert [r["Name"] for r in first["records"]] == ["n4", "n3"]
    assert first["next_offset"] == 2
    rest = await call("list_records", table_id=table, offset=2, fields="Id,Name")
    assert len(rest["records"]) == 3
    assert rest["next_offset"] is None
    assert "Amount" not in rest["records"][0]

    await call("update_records", table_id=table, records=[{"Id": 1, "Stage": "won"}])
    where = "(Stage,eq,won)"
    assert (await call("count_records", table_id=table, where=where))["count"] == 1
    changed = await call("read_record", table_id=table, record_id=1)
    assert (changed["Stage"], changed["Name"]) == ("won", "n0")
    await call("delete_records", table_id=table, record_ids=[1, 2])
    assert (await call("count_records", table_id=table))["count"] == 3
    with pytest.raises(ToolNotFound):
        await call("read_record", table_id=table, record_id=1)


async def test_what_a_base_is_made_of(call: ToolCaller, nocodb: NocodbServer) -> None:
    base = (await call("create_base", title="Office"))["id"]
    assert {"Shop", "Office"} <= {b["title"] for b in await call("list_bases")}
    made = await call("create_table", base_id=base, title="Desks", fields=FIELDS[:1])
    table = made["id"]
    assert [t["title"] for t in await call("list_tables", base_id=base)] == ["Desks"]
    field = {"title": "Colour", "kind": "MultiSelect", "options": ["red", "blue"]}
    shown = await call("create_field", table_id=table, field=field)
    (colour,) = (f for f in shown["fields"] if f["title"] == "Colour")
    await call("delete_field", field_id=colour["id"])
    titles = {f["title"] for f in (await call("read_table", table_id=table))["fields"]}
    assert "Name" in titles
    assert "Colour" not in titles
    (view,) = await call("list_views", table_id=table)
    assert (await call("share_view", view_id=view["id"]))["uuid"]
    hook = await call(
        "create_hook",
        table_id=table,
        title="Tell",
        url="https://example.com/hook",
        on="insert",
    )
    assert hook["title"] == "Tell"
    await call("invite_user", base_id=base, email="ada@example.com", roles="viewer")
    await call("delete_table", table_id=table)
    assert await call("list_tables", base_id=base) == []
    await call("delete_base", base_id=base)
    assert "Office" not in {b["title"] for b in await call("list_bases")}


async def test_records_are_linked(call: ToolCaller, nocodb: NocodbServer) -> None:
    left = (await a_table(call, nocodb, "Customers"))["id"]
    right = (await a_table(call, nocodb, "Orders"))["id"]
    link = {
        "title": "Orders",
        "uidt": "Links",
        "type": "hm",
        "parentId": left,
        "childId": right,
    }
    path = f"/api/v2/meta/tables/{left}/columns"
    request(nocodb.url, "POST", path, link, {"xc-token": nocodb.token})
    shown = await call("read_table", table_id=left)
    (field,) = (f["id"] for f in shown["fields"] if f["title"] == "Orders")
    for table in (left, right):
        await call("create_records", table_id=table, records=[{"Name": "x"}])
    one = {"table_id": left, "record_id": 1, "field_id": field}
    await call("link_records", **one, to=[1])
    assert "x" in str(await call("list_links", **one))
    await call("unlink_records", **one, to=[1])
    assert "'Name': 'x'" not in str(await call("list_links", **one))


async def test_errors_have_names(
    call: ToolCaller, call_as: Callable[[str], ToolCaller], nocodb: NocodbServer
) -> None:
    with pytest.raises(ToolNotFound):
        await call("list_records", table_id="m0none")
    table = (await a_table(call, nocodb, "Wrong"))["id"]
    with pytest.raises(ToolInvalid):
        await call("list_records", table_id=table, where="(Nothing,eq,1)")
    with pytest.raises(ToolUnauthenticated) as caught:
        await call_as("wrong-token-5f0c9a")("list_bases")
    assert "wrong-token-5f0c9a" not in str(caught.value)


async def test_the_health_check_needs_no_token(call: ToolCaller) -> None:
    health = await call.adapter.check()
    assert (health.healthy, health.message) == (True, "NocoDB says OK")
