"""The commands that need no plugin: secrets, agents and the audit log."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from letsbe.cli import main
from letsbe.cli.init import make_home
from letsbe.home import Home

CANARY = "canary-77aa-secret-value"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    make_home(made, (), ("main",))
    return made


def run(home: Home, *arguments: str, stdin: str = "", code: int = 0) -> Any:
    ended = CliRunner().invoke(main, [*arguments, "--home", str(home.folder)], stdin)
    assert ended.exit_code == code, ended.output
    return ended.output


def provided(home: Home, *options: str) -> None:
    run(home, "secrets", "provide", "token", *options, stdin=f"{CANARY}\n")


class TestSecrets:
    def test_a_value_is_kept_and_only_shown_when_asked(self, home: Home) -> None:
        provided(home, "--tool", "shell", "--host", "api.example.com")
        listed = run(home, "secrets", "list")
        assert "token" in listed
        assert "api.example.com" in listed
        assert CANARY not in listed
        assert run(home, "secrets", "reveal", "token") == f"{CANARY}\n"

    def test_many_are_stored_at_once(self, home: Home) -> None:
        many = json.dumps({f"key_{n}": f"{CANARY}-{n}" for n in range(50)})
        output = run(home, "secrets", "import", "--tool", "shell", stdin=many)
        assert CANARY not in output
        assert len(output.splitlines()) == 51
        shown = run(home, "secrets", "reveal", "key_49")
        assert shown == f"{CANARY}-49\n"

    @pytest.mark.parametrize(
        "text",
        [
            "",
            CANARY,
            "[]",
            "{}",
            f'{{"a": ["{CANARY}"]}}',
            f'{{"a": "{CANARY}", "a": "{CANARY}"}}',
            f'{{"a": "{CANARY}", "{CANARY} b": "{CANARY}"}}',
            "[" * 100_000,
        ],
    )
    def test_what_is_no_list_of_secrets_is_refused_whole(
        self, home: Home, text: str
    ) -> None:
        ended = CliRunner().invoke(
            main, ["secrets", "import", "--home", str(home.folder)], text
        )
        assert ended.exit_code != 0
        assert CANARY not in ended.output
        assert json.loads(run(home, "secrets", "list", "--json")) == []

    def test_every_act_is_audited_without_values(self, home: Home) -> None:
        provided(home)
        run(home, "secrets", "reveal", "token")
        run(home, "secrets", "rotate", "token", "--generate")
        run(home, "secrets", "generate", "other", "--length", "40")
        run(home, "secrets", "delete", "token", "--yes")
        rows = [json.loads(row) for row in run(home, "audit", "export").splitlines()]
        assert [row["decision"] for row in rows] == [
            "provided",
            "revealed",
            "rotated",
            "provided",
            "deleted",
        ]
        assert CANARY not in json.dumps(rows)
        for path in home.folder.rglob("*"):
            assert path.is_dir() or CANARY.encode() not in path.read_bytes()

    def test_json_never_holds_a_value(self, home: Home) -> None:
        made = run(home, "secrets", "generate", "token", "--json")
        value = run(home, "secrets", "reveal", "token").strip()
        assert json.loads(made)["name"] == "token"
        assert value not in made + run(home, "secrets", "list", "--json")

    @pytest.mark.parametrize(
        ("arguments", "stdin", "said"),
        [
            (("provide", "not a name"), CANARY, "name"),
            (("provide", "token"), "", "secret"),
            (("provide", "token", "--host", "https://x"), CANARY, "host"),
            (("generate", "token", "--length", "2"), "", "characters"),
            (("generate", "token", "--alphabet", "runes"), "", "letters_digits"),
            (("reveal", "nothing"), "", "nothing"),
            (("rotate", "nothing"), CANARY, "nothing"),
        ],
    )
    def test_a_wrong_request_says_what_is_wrong(
        self, home: Home, arguments: tuple[str, ...], stdin: str, said: str
    ) -> None:
        ended = CliRunner().invoke(
            main, ["secrets", *arguments, "--home", str(home.folder)], stdin
        )
        assert ended.exit_code in {1, 2}
        assert said in ended.output
        assert CANARY not in ended.output


class TestAgents:
    def test_a_scope_is_set_and_listed(self, home: Home) -> None:
        run(home, "agents", "scope", "main", "file_*", "ghost.publish")
        assert "main\t2\t\tfile_* ghost.publish" in run(home, "agents", "list")
        assert "right form" in run(home, "agents", "scope", "main", "*x", code=1)

    def test_levels_and_unlocks(self, home: Home) -> None:
        run(home, "agents", "level", "1")
        run(home, "agents", "level", "3", "--agent", "main")
        run(home, "agents", "unlock", "main", "mail.send")
        run(home, "agents", "unlock", "main", "ghost.publish")
        run(home, "agents", "lock", "main", "mail.send")
        listed = json.loads(run(home, "agents", "list", "--json"))
        assert listed == {
            "level": 1,
            "agents": [
                {
                    "agent_id": "main",
                    "level": 3,
                    "unlocked": ["ghost.publish"],
                    "tools": None,
                }
            ],
        }

    def test_a_new_agent_gets_a_token(self, home: Home) -> None:
        said = run(home, "agents", "add", "sales")
        path = Path(said.rsplit(" ", 1)[1].strip())
        assert path.read_text(encoding="ascii").strip()

    def test_wrong_input_is_refused(self, home: Home) -> None:
        run(home, "agents", "level", "4", code=2)
        run(home, "agents", "add", "../operator", code=1)
        run(home, "agents", "unlock", "Not An Agent", "mail.send", code=1)
        home.agents.write_text("{", encoding="utf-8")
        assert "agents.json" in run(home, "agents", "list", code=1)
        run(home, "agents", "level", "3", code=1)
        assert home.agents.read_text(encoding="utf-8") == "{"


class TestAudit:
    def test_verify_tells_a_tampered_log_from_a_whole_one(self, home: Home) -> None:
        provided(home)
        found = json.loads(run(home, "audit", "verify", "--json"))
        assert (found["ok"], found["rows"]) == (True, 1)
        anchor = ":".join(map(str, found["head"]))
        run(home, "audit", "verify", "--anchor", anchor)
        _tamper(home)
        said = run(home, "audit", "verify", code=1)
        assert "broken at row" in said

    def test_a_cut_tail_is_found_with_an_anchor(self, home: Home) -> None:
        provided(home)
        run(home, "secrets", "reveal", "token")
        head = json.loads(run(home, "audit", "verify", "--json"))["head"]
        _execute(home, "DELETE FROM audit_log WHERE seq = 2")
        anchor = ":".join(map(str, head))
        said = run(home, "audit", "verify", "--json", "--anchor", anchor, code=1)
        found = json.loads(said)
        assert (found["ok"], found["broken_seq"], found["anchored"]) == (False, None, 0)
        assert found["anchor_why"]
        said = run(home, "audit", "verify", "--anchor", "nonsense", code=2)
        assert "SEQ:HASH" in said

    def test_tail_shows_the_newest_rows(self, home: Home) -> None:
        for _ in range(3):
            run(home, "secrets", "generate", f"t{_}")
        shown = run(home, "audit", "tail", "-n", "2").splitlines()
        assert [line.split()[0] for line in shown] == ["2", "3"]


def _tamper(home: Home) -> None:
    _execute(home, "UPDATE audit_log SET decision = 'revealed'")


def _execute(home: Home, statement: str) -> None:
    import sqlite3  # noqa: PLC0415 - to do what the product forbids

    connection = sqlite3.connect(home.database)
    triggers = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    ).fetchall()
    for (name,) in triggers:
        connection.execute(f"DROP TRIGGER {name}")
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_a_home_that_lost_its_database_is_not_begun_anew(home: Home) -> None:
    provided(home)
    home.database.unlink()
    for command in (("secrets", "list"), ("audit", "verify"), ("call", "x", "{}")):
        said = run(home, *command, code=1)
        assert "letsbe.db does not exist: restore it" in said
    assert not home.database.exists()


def test_a_closed_standard_output_is_no_terminal(home: Home) -> None:
    letsbe = [sys.executable, "-m", "letsbe", "agents", "list", "--home"]
    ended = subprocess.run(
        ["/bin/sh", "-c", '"$@" >&-', "sh", *letsbe, str(home.folder)],
        capture_output=True,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, b"")
