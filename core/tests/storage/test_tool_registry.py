"""The tool registry: what it takes, and that it never guesses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe.errors import InvalidRequest, NotFound, StorageError
from letsbe.storage.tool_registry import Tool, ToolRegistry, parse_tool

GOOD = '{"name": "a", "base_url": "http://h", "adapter": "a"}'
CANARY = "hunter2hunter2"


def tool(name: str = "nextcloud", **fields: Any) -> Tool:
    url = "http://127.0.0.1:8080"
    return parse_tool({"name": name, "base_url": url, "adapter": name, **fields})


@pytest.fixture
def registry(tmp_path: Path) -> ToolRegistry:
    return ToolRegistry(tmp_path / "tool-registry.json")


def test_tools_are_kept_and_listed_by_name(registry: ToolRegistry) -> None:
    registry.put(tool("nextcloud", secrets={"token": "nextcloud.token"}))
    registry.put(tool("chatwoot"))
    assert [found.name for found in registry.list()] == ["chatwoot", "nextcloud"]
    assert registry.get("nextcloud").secrets == {"token": "nextcloud.token"}


def test_putting_replaces_the_one_of_its_name(registry: ToolRegistry) -> None:
    registry.put(tool(secrets={"key": "a"}))
    registry.put(tool(secrets={"key": "b"}))
    assert [found.secrets for found in registry.list()] == [{"key": "b"}]


def test_what_is_not_there_is_not_found(registry: ToolRegistry) -> None:
    for act in (registry.get, registry.remove):
        with pytest.raises(NotFound, match="no tool named ghost"):
            act("ghost")


def test_removing_takes_out_one(registry: ToolRegistry) -> None:
    registry.put(tool("a"))
    registry.put(tool("b"))
    registry.remove("a")
    assert [found.name for found in registry.list()] == ["b"]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nextcloud",
        "ftp://host",
        "file:///etc/passwd",
        "http://",
        "http:///path",
        f"http://admin:{CANARY}@host",
        f"https://host/?token={CANARY}",
        f"https://host/#{CANARY}",
        "http://host:99999",
        "http://host:0",
        "http://ho st",
        "http://host\n",
        "http://host\\@other",
        "http://hóst",
        "javascript:alert(1)",
    ],
)
def test_an_address_that_could_mislead_is_refused_unseen(url: str) -> None:
    with pytest.raises(InvalidRequest, match="base_url") as caught:
        tool(base_url=url)
    assert CANARY not in repr(caught.value) + str(caught.value.details)


@pytest.mark.parametrize(
    "url", ["http://h", "https://h.example:8443/base", "http://[::1]:80", "http://h/"]
)
def test_a_plain_address_is_taken(url: str) -> None:
    assert tool(base_url=url).base_url == url.rstrip("/")


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "Big"},
        {"name": "a\n"},
        {"name": "a-b"},
        {"name": ""},
        {"adapter": "../x"},
        {"secrets": {"key": "no blanks"}},
        {"secrets": {"No Role": "a"}},
        {"settings": {"a": 1}},
        {"secrets": "nextcloud"},
        {"unknown": 1},
        {"name": None},
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        tool(**fields)
    (name,) = fields
    assert caught.value.details[0].field.startswith(name)


@pytest.mark.parametrize(
    "stored",
    [
        '{"tools": {"1": {"name": "a"}}}',
        '{"tools": {"1": {"name": "a", "base_url": "nope", "adapter": "a"}}}',
        f'{{"tools": {{"1": {GOOD}, "2": {GOOD}}}}}',
    ],
)
def test_a_wrong_entry_is_reported_and_kept(tmp_path: Path, stored: str) -> None:
    path = tmp_path / "tool-registry.json"
    path.write_text(stored)
    registry = ToolRegistry(path)
    for act in (registry.list, lambda: registry.put(tool("b"))):
        with pytest.raises(StorageError, match=str(path)):
            act()
    assert path.read_text() == stored


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=20), max_size=4))
def test_anything_else_is_an_invalid_request(fields: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest):
        parse_tool(fields)
