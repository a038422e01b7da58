"""``letsbe tools``, on a home with an adapter of our own."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from letsbe.cli import main
from letsbe.plugin import (
    Adapter,
    Arguments,
    Credential,
    NoArguments,
    Outgoing,
    RouteRule,
    Setting,
    Site,
    Tier,
    ToolAdapter,
    ToolClient,
    hookimpl,
    route,
)
from letsbe.testing._wire import Received, Reply, WireServer
from letsbe.tools.cheat_sheets import LIMIT, cheat_sheet

TOKEN = "canary-7Qx2Lm9Zr4Tk8Wv1"
OTHER = "canary-Zk3v9QpL7wXr2TbN"


class Note(Arguments):
    """A note."""

    id: int
    """Its number."""
    text: str | None = None
    """What it says."""


def authenticate(out: Outgoing) -> None:
    out.headers["authorization"] = f"Bearer {out.secret('token')}"


async def ask(tool: ToolClient) -> str:
    return str((await tool.get("/health"))["version"])


NOTES = Adapter(
    name="notes",
    summary="Keeps notes.",
    operations=(
        route("who", "Read who asks.", "GET /me", NoArguments, Tier.GREEN),
        route("write", "Write a note.", "POST /notes/{id}", Note, Tier.YELLOW_EXTERNAL),
        route(
            "wipe", "Wipe.", "DELETE /", NoArguments, Tier.RED, credentials=("root",)
        ),
    ),
    routes=(RouteRule("GET", "/**", Tier.GREEN, "reads"),),
    authenticate=authenticate,
    credentials=(
        Credential("token", "a token", env=("NOTES_TOKEN",)),
        Credential("root", "the root password", required=False),
    ),
    settings=(Setting("account", "a number"),),
    address_env=("NOTES_ADDRESS",),
    check=ask,
    probe="who",
    notes=("Notes are short.",),
)


class NotesPlugin:
    API_VERSION = (0, 1)

    @hookimpl
    def letsbe_tool_adapters(self, site: Site) -> Iterable[ToolAdapter]:
        return NOTES.for_site(site)


plugin = NotesPlugin()


class PlainPlugin:
    API_VERSION = (0, 1)

    @hookimpl
    def letsbe_redaction_layers(self, site: Site, secrets: Any) -> Iterable[Any]:
        return [Plain(secrets)]


class Plain:
    name = "plain"
    order = 1

    def __init__(self, secrets: Any) -> None:
        self._secrets = secrets

    def find(self, text: bytes) -> Iterator[Any]:
        from letsbe.plugin import Finding  # noqa: PLC0415 - as a plugin would

        for secret in self._secrets.current():
            value = secret.reveal().encode()
            if (start := text.find(value)) >= 0:
                yield Finding(start, start + len(value), "registered", secret.name)


plain = PlainPlugin()


def answer(request: Received) -> Reply:
    if request.path == "/health":
        return Reply(200, {"version": "9.1"})
    if request.headers.get("authorization") != f"Bearer {TOKEN}":
        return Reply(401, {"error": f"no {TOKEN}"})
    return Reply(200, {"name": "me"})


@pytest.fixture
def server() -> Iterator[WireServer]:
    with WireServer(answer).running() as running:
        yield running


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home whose plugins are those of this module, found as distributions."""
    site = tmp_path / "site"
    info = site / "notes_for_tests-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Name: notes-for-tests\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[letsbe.tools]\nnotes = notes_of_test:plugin\n"
        "[letsbe.redactors]\nplain = notes_of_test:plain\n"
    )
    monkeypatch.syspath_prepend(str(site))
    module = type(pytest)("notes_of_test")
    vars(module).update(plugin=plugin, plain=plain)
    monkeypatch.setitem(__import__("sys").modules, "notes_of_test", module)
    monkeypatch.setenv("LETSBE_HOME", str(tmp_path / "home"))
    letsbe("init", "--root", str(tmp_path))
    rows = {
        "1": {"kind": "tool", "name": "notes"},
        "2": {"kind": "redactor", "name": "plain"},
    }
    (tmp_path / "home/plugins.json").write_text(json.dumps({"plugins": rows}))
    (tmp_path / "env").mkdir()
    return tmp_path


def letsbe(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def generate(home: Path, **files: str) -> Any:
    for name, text in files.items():
        (home / "env" / f"{name}.env").write_text(text)
    ran = letsbe("tools", "generate", "--from", str(home / "env"), "--json")
    return json.loads(ran.stdout)


def registry(home: Path) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = json.loads(letsbe("tools", "list", "--json").stdout)
    return listed


def everything(home: Path) -> bytes:
    made = home / "home"
    files = (made / "tool-registry.json", made / "SKILL.md")
    return b"".join(p.read_bytes() for p in (*files, *made.glob("cheat-sheets/*")))


def notes(url: str) -> str:
    return (
        f"NOTES_ADDRESS={url}\nNOTES_TOKEN={TOKEN}\nNOTES_ACCOUNT=7\n"
        f"DB_PASSWORD={OTHER}\nPUBLIC_KEY=not-a-secret-at-all\nDEBUG_KEY=1\n"
    )


def test_a_file_becomes_an_entry_and_secrets_without_a_value_seen(home: Path) -> None:
    told = generate(home, notes=notes("http://127.0.0.1:4000"))
    (row,) = told["tools"]
    assert row["secrets"] == ["notes_db_password", "notes_token"]
    (entry,) = registry(home)
    assert entry["secrets"] == {"token": "notes_token"}
    assert entry["settings"] == {"account": "7"}
    held = {
        r["name"]: r for r in json.loads(letsbe("secrets", "list", "--json").stdout)
    }
    assert held["notes_token"]["tools"] == ["notes.*"]
    assert held["notes_token"]["hosts"] == ["127.0.0.1"]
    assert set(held) == {"notes_token", "notes_db_password"}
    assert TOKEN.encode() not in everything(home)
    assert OTHER.encode() not in everything(home)
    assert set(told["written"]) == {"SKILL.md", "cheat-sheets/notes.md"}


def test_doing_it_twice_changes_nothing(home: Path) -> None:
    first = generate(home, notes=notes("http://127.0.0.1:4000"))
    before = everything(home)
    assert generate(home) == first
    assert everything(home) == before
    held = json.loads(letsbe("secrets", "list", "--json").stdout)
    assert {r["version"] for r in held} == {1}


def test_a_changed_value_is_a_new_version(home: Path) -> None:
    generate(home, notes=notes("http://127.0.0.1:4000"))
    generate(home, notes=notes("http://127.0.0.1:4000").replace(TOKEN, "x" * 20))
    held = {
        r["name"]: r for r in json.loads(letsbe("secrets", "list", "--json").stdout)
    }
    assert held["notes_token"]["version"] == 2
    assert held["notes_db_password"]["version"] == 1


def test_what_is_wrong_in_one_file_stops_no_other(home: Path) -> None:
    told = generate(
        home,
        notes="NOTES_URL=http://127.0.0.1:4000\n",
        bad=f"oops {TOKEN}\n",
        empty="A=1\n",
        user=f"URL=http://me:{TOKEN}@127.0.0.1\n",
        wiki="URL=https://wiki.example.com\n",
    )
    by_file = {row["file"]: row for row in told["tools"]}
    assert by_file["notes.env"]["missing"] == ["token", "account"]
    assert "line 1" in by_file["bad.env"]["problem"]
    assert "EMPTY_URL" in by_file["empty.env"]["problem"]
    assert by_file["user.env"]["problem"]
    assert TOKEN not in json.dumps(told)
    assert [tool["name"] for tool in registry(home)] == ["notes", "wiki"]
    assert "wiki.example.com" in (home / "home/SKILL.md").read_text()


def test_two_tools_of_one_adapter_have_names_of_their_own(home: Path) -> None:
    text = notes("http://127.0.0.1:4000")
    told = generate(
        home, notes=text, **{"notes-team": text, "other": text + "LETSBE_ADAPTER=notes"}
    )
    assert [(r["tool"], r["adapter"]) for r in told["tools"]] == [
        ("notes_team", "notes"),
        ("notes", "notes"),
        ("other", "notes"),
    ]
    described = json.loads(letsbe("tools", "describe", "--all", "--json").stdout)
    assert [d["tool"] for d in described] == ["notes", "notes_team", "other"]
    assert described[1]["operations"][0]["name"] == "notes_team.who"


def test_a_tool_is_checked_with_its_credentials(home: Path, server: WireServer) -> None:
    generate(home, notes=notes(server.url), wiki="URL=https://wiki.example.com\n")
    ran = letsbe("tools", "check")
    assert ran.exit_code == 0, ran.output
    assert "notes\tok\t9.1; its credentials work" in ran.output
    assert "wiki\tno_adapter" in ran.output
    letsbe("secrets", "delete", "notes_token", "--yes")
    assert "no_secret" in letsbe("tools", "check", "notes").output


def test_a_credential_that_is_refused_is_told_and_not_shown(
    home: Path, server: WireServer
) -> None:
    generate(home, notes=notes(server.url).replace(TOKEN, "y" * 20))
    ran = letsbe("tools", "check", "--json")
    assert ran.exit_code == 1
    (row,) = json.loads(ran.stdout)
    assert row["status"] == "failed"
    assert "does not accept its credential (HTTP 401)" in row["message"]
    assert "y" * 20 not in row["message"]


def test_an_operation_is_described_with_tier_and_schema(home: Path) -> None:
    generate(home, notes=notes("http://127.0.0.1:4000"))
    told = json.loads(letsbe("tools", "describe", "notes.write", "--json").stdout)
    assert (told["tier"], told["external"]) == ("YELLOW_EXTERNAL", True)
    assert told["arguments"]["properties"]["id"]["description"] == "Its number."
    (notes_told,) = json.loads(letsbe("tools", "describe", "--all", "--json").stdout)
    scopes = {c["name"]: c["tools"] for c in notes_told["credentials"]}
    assert scopes == {"token": ["notes.*"], "root": ["notes.request", "notes.wipe"]}
    assert "notes.write" in letsbe("tools", "describe", "notes").output
    for wrong in (("nope",), ("notes.nope",), (), ("notes", "--all")):
        assert letsbe("tools", "describe", *wrong).exit_code == 1


def test_a_cheat_sheet_teaches_the_tool_and_is_bounded() -> None:
    (adapter,) = NOTES.for_site(Site(roots=()))
    sheet = cheat_sheet(adapter)
    assert "- `write(id, text?)` X: Write a note." in sheet
    assert "- `wipe()` R: Wipe." in sheet
    assert "- Notes are short." in sheet
    many = tuple(
        route(f"op_{n}", f"Do the thing number {n}.", "GET /x", Note, Tier.GREEN)
        for n in range(90)
    )
    for count in (40, 90):
        wide = Adapter(name="x", summary="X.", operations=many[:count] * 1, routes=())
        (adapter,) = wide.for_site(Site(roots=()))
        text = cheat_sheet(adapter)
        assert len(text.encode()) <= LIMIT
        assert f"op_{count - 1}(" in text
