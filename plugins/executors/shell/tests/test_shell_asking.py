"""Packages and rows that a line would change, asked about without doing it."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from letsbe.plugin import Preview, RuleTables
from letsbe.testing import make_call, make_site
from letsbe_executor_shell import simulating
from letsbe_executor_shell.executor import SHELL, ShellExecutor


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> RuleTables:
    return make_site(tmp_path_factory.mktemp("rules")).rules


@pytest.fixture
def executor(tmp_path: Path, rules: RuleTables) -> ShellExecutor:
    with sqlite3.connect(tmp_path / "app.db") as database:
        database.execute("CREATE TABLE users (id INTEGER, active INTEGER)")
        rows = [(number, number % 4 == 0) for number in range(100)]
        database.executemany("INSERT INTO users VALUES (?, ?)", rows)
    database.close()
    return ShellExecutor(replace(make_site(tmp_path), rules=rules))


def previewed(executor: ShellExecutor, command: str) -> Preview:
    call = make_call(SHELL, {"command": command})
    told = executor.preview(call, executor.classify(call), lambda data: data)
    assert told is not None
    return told


@pytest.mark.parametrize(
    ("statement", "summary"),
    [
        ("DELETE FROM users WHERE active = 1", "deletes 25 rows"),
        ("delete from users", "deletes 100 rows"),
        ("DROP TABLE users", "deletes 100 rows"),
        ("update users set active = 0 where id = 7;", "updates 1 row"),
        ("UPDATE users SET active = (SELECT 1 WHERE 1)", "updates 100 rows"),
        ("update users set active = 'where' where id < 3", "updates 3 rows"),
    ],
)
def test_rows_are_counted(
    executor: ShellExecutor, tmp_path: Path, statement: str, summary: str
) -> None:
    before = (tmp_path / "app.db").read_bytes()
    told = previewed(executor, f'sqlite3 app.db "{statement}"')
    assert told.summary == summary
    assert not told.left_out
    assert (tmp_path / "app.db").read_bytes() == before


@pytest.mark.parametrize(
    "command",
    [
        'sqlite3 missing.db "DELETE FROM users"',
        'sqlite3 app.db "DELETE FROM nobody"',
        'sqlite3 app.db "DELETE FROM users WHERE load_extension(1)"',
        'sqlite3 app.db "ALTER TABLE users ADD x"',
        'psql -c "DELETE FROM users"',
        'mysql -e "DELETE FROM users"',
        "redis-cli flushall",
    ],
)
def test_rows_that_are_not_known_are_said_not_to_be(
    executor: ShellExecutor, command: str
) -> None:
    told = previewed(executor, command)
    assert "row" in " ".join(told.left_out)
    assert "0 rows" not in told.summary


def test_a_count_ends_in_time(
    executor: ShellExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = (
        "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n)"
        " SELECT x FROM n"
    )
    statement = f"DELETE FROM users WHERE id IN ({endless})"
    told = previewed(executor, f'sqlite3 app.db "{statement}"')
    assert "cannot be asked" in told.left_out[0]


def fake_apt(folder: Path, text: str) -> str:
    program = folder / "apt-get"
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    return str(program)


def test_packages_are_named(
    executor: ShellExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = "echo Remv nginx [1.2]; echo Purg nginx-common [1.2]; echo Remv nginx"
    program = fake_apt(tmp_path, answer)
    monkeypatch.setattr(simulating, "find_program", lambda _: program)
    told = previewed(executor, "apt-get purge -y nginx && apt-get autoremove --purge")
    assert told.summary.startswith("removes 1 package, purges 1 package")
    assert told.detail["purges packages"] == ["nginx-common"]


def test_apt_is_asked_not_told(
    executor: ShellExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = fake_apt(tmp_path, 'touch "$PWD/ran" /tmp/letsbe-ran; echo "Remv $*"')
    monkeypatch.setattr(simulating, "find_program", lambda _: program)
    told = previewed(executor, "apt-get remove nginx")
    assert told.detail["removes packages"] == ["-s"]
    assert not Path("/tmp/letsbe-ran").exists()


@pytest.mark.parametrize("answer", ["exit 100", "sleep 30"])
def test_apt_without_an_answer(
    executor: ShellExecutor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
) -> None:
    program = fake_apt(tmp_path, answer)
    monkeypatch.setattr(simulating, "find_program", lambda _: program)
    monkeypatch.setattr(simulating, "SECONDS", 0.3)
    told = previewed(executor, "apt-get remove nginx")
    assert "which packages apt-get changes" in told.left_out[0]


def test_a_configuration_is_not_taken_into_the_question(
    executor: ShellExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = fake_apt(tmp_path, "echo Remv nginx")
    monkeypatch.setattr(simulating, "find_program", lambda _: program)
    told = previewed(executor, "apt-get -o Dpkg::Pre-Invoke::=id remove nginx")
    assert told.left_out == ("which packages apt-get changes",)


@pytest.mark.may_skip("only Debian and its kin have apt-get")
def test_the_real_apt_answers(executor: ShellExecutor) -> None:
    if shutil.which("apt-get") is None:
        pytest.skip("there is no apt-get here")
    told = previewed(executor, "apt-get remove -y --allow-remove-essential bash")
    assert "bash" in told.detail.get("removes packages", ["bash"])
