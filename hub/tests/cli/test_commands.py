"""The operator's commands, as a new user types them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from letsbe_hub.cli import main
from letsbe_hub.demo import DemoFailed


def run(home: Path, *argv: str) -> Result:
    return CliRunner().invoke(main, [*argv, "--home", str(home)])


def data(home: Path, *argv: str) -> Any:
    ran = run(home, *argv, "--json")
    assert ran.exit_code == 0, ran.output
    return json.loads(ran.output)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "hub"


def test_a_tenant_from_its_making_to_its_suspension(home: Path) -> None:
    made = data(home, "tenant", "create", "Bakery", "--order", "ord-1")
    token = data(home, "token", "issue", made["id"])
    assert token["token"].startswith("lbr_")
    assert token["order"] == "ord-1"
    assert [t["id"] for t in data(home, "tenant", "list")] == [made["id"]]
    gone = data(home, "tenant", "suspend", made["id"], "--reason", "unpaid")
    assert (gone["state"], gone["suspendedReason"]) == ("suspended", "unpaid")
    assert data(home, "tenant", "resume", made["id"])["state"] == "provisioning"
    assert "Bakery" in run(home, "tenant", "show", made["id"]).output


def test_the_home_is_for_its_owner_alone(home: Path) -> None:
    run(home, "tenant", "list")
    assert home.stat().st_mode & 0o077 == 0
    assert (home / "hub.db").stat().st_mode & 0o077 == 0


def test_migrating_says_what_it_did(home: Path) -> None:
    assert "was empty" in run(home, "migrate").output
    assert "is up to date" in run(home, "migrate").output


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("tenant", "show", "ten_nothing"), "list them to see the ids"),
        (("token", "issue", "ten_nothing"), "list them to see the ids"),
        (("migrate", "--database", "mysql://x"), "postgresql://"),
        (("tenant", "list", "--database", "postgresql://127.0.0.1:1/x"), "check that"),
        (("tenant", "create", "", "--order", "ord-1"), "name: "),
        (("tenant", "create", "Bakery", "--order", "ord 1"), "order_id: "),
        (("tenant", "suspend", "ten_nothing", "--reason", ""), "reason: "),
        (("billing", "adjust", "ten_x", "tokens", "9" * 20, "--reason", "x"), "amount"),
        (("billing", "adjust", "ten_x", "tokens", "5", "--reason", ""), "reason: "),
        (("admin", "create", "a@b.c", "--password", "x"), "12 to 256 characters"),
    ],
)
def test_an_error_says_what_to_do(home: Path, argv: tuple[str, ...], said: str) -> None:
    ran = run(home, *argv)
    assert ran.exit_code == 1
    assert said in ran.output
    assert "Traceback" not in ran.output


def test_a_short_name_does_not_rule_out_every_password(home: Path) -> None:
    argv = ("admin", "create", "a@b.example", "--password", "correct horse battery")
    assert data(home, *argv)["role"] == "admin"


def test_a_home_that_lost_its_configuration_does_not_start(home: Path) -> None:
    run(home, "tenant", "list")
    (home / "hub.toml").unlink()
    ran = run(home, "tenant", "list")
    assert (ran.exit_code, "restore it" in ran.output) == (1, True)


def test_secrets_of_the_configuration_stand_elsewhere(
    home: Path, tmp_path: Path
) -> None:
    run(home, "migrate")
    secret = tmp_path / "url"
    secret.write_text("postgresql://hub:hunter2@127.0.0.1:1/x\n")
    with (home / "hub.toml").open("a") as file:
        file.write(f'[database]\nurl = {{ "$file" = "{secret}" }}\n')
    text = (home / "hub.toml").read_text().replace("[database]\n#", "#", 1)
    (home / "hub.toml").write_text(text)
    secret.chmod(0o644)
    assert "chmod 600" in run(home, "tenant", "list").output
    secret.chmod(0o600)
    ran = run(home, "tenant", "list")
    assert "127.0.0.1" in ran.output
    assert "hunter2" not in ran.output


def test_up_without_a_redactor_does_not_start(home: Path) -> None:
    run(home, "migrate")
    (home / "plugins.json").write_text('{"plugins": {}}')
    ran = run(home, "up", "--port", "0")
    assert ran.exit_code == 1
    assert "no redaction layer" in ran.output


def test_a_demonstration_that_fails_keeps_what_was_logged(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def play(folder: Path, _: object) -> None:
        (folder / "hub.log").write_text("why")
        raise DemoFailed(f"a server did not start: see {folder}/hub.log")

    monkeypatch.setattr("letsbe_hub.demo.play", play)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    ran = CliRunner().invoke(main, ["demo"])
    assert ran.exit_code == 1
    (log,) = tmp_path.glob("letsbe-hub-demo-*/hub.log")
    assert str(log) in ran.output
