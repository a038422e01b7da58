"""The operator's commands, as a new user types them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from letsbe_hub.cli import main
from letsbe_hub.demo import DemoFailed

PASSWORD = ("--password", "correct horse battery")
OWNER = ("admin", "create", "o@x.example", *PASSWORD, "--role", "owner")


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
        (
            ("tenant", "show", "ten_nothing"),
            "TENANT: there is no tenant of this id: list",
        ),
        (("token", "issue", "ten_nothing"), "TENANT: there is no tenant"),
        (("usage", "ten_nothing"), "TENANT: there is no tenant"),
        (("billing", "show", "ten_nothing"), "TENANT: there is no tenant"),
        (("billing", "statement", "per_none"), "PERIOD: there is no period"),
        (("migrate", "--database", "mysql://x"), "postgresql://"),
        (("tenant", "list", "--database", "postgresql://127.0.0.1:1/x"), "check that"),
        (("tenant", "create", "", "--order", "ord-1"), "NAME: must not be empty"),
        (("tenant", "create", "a\nb", "--order", "ord-1"), "NAME: must be one line"),
        (("tenant", "create", "Bakery", "--order", "ord 1"), "--order: may have"),
        (("tenant", "suspend", "ten_nothing", "--reason", ""), "--reason: must not"),
        (("billing", "adjust", "ten_x", "tokens", "9" * 20, "--reason", "x"), "AMOUNT"),
        (("billing", "adjust", "ten_x", "tokens", "5", "--reason", ""), "--reason: "),
        (("admin", "create", "x", *PASSWORD), "EMAIL: must be an e-mail address"),
        (("admin", "create", "a@b.c", "--password", "x"), "--password: the password"),
        ((*OWNER, "--tenant", "ten_x"), "--tenant ten_x: there is no tenant"),
        ((*OWNER, "--tenant", "a b"), "--tenant: may have letters"),
        (("admin", "create", "a@b.c", *PASSWORD, "--tenant", "x"), "--tenant x: there"),
        (("admin", "show", "nobody@x.example"), "PERSON: nobody has this address"),
        (("admin", "disable", "psn_x"), "PERSON: there is no person of this id"),
    ],
)
def test_an_error_says_what_to_do(home: Path, argv: tuple[str, ...], said: str) -> None:
    ran = run(home, *argv)
    assert ran.exit_code == 1
    assert said in ran.output
    assert "Traceback" not in ran.output


def test_a_customer_is_given_a_tenant_later_and_has_it_taken_away(home: Path) -> None:
    ids = [
        data(home, "tenant", "create", name, "--order", name)["id"]
        for name in ("Bakery", "Dentist")
    ]
    who, mail = data(home, *OWNER, "--tenant", ids[0])["id"], "o@x.example"
    given = data(home, "admin", "give-tenant", mail.upper(), ids[1])
    assert given == data(home, "admin", "give-tenant", who, ids[1])
    assert given["tenants"] == sorted(ids)
    assert data(home, "admin", "take-tenant", who, ids[0])["tenants"] == [ids[1]]
    assert data(home, "admin", "take-tenant", who, ids[0])["tenants"] == [ids[1]]
    wrong = run(home, "admin", "give-tenant", who, "ten_x").output
    assert "TENANT: there is no tenant" in wrong
    (listed,) = data(home, "admin", "list")
    assert (listed["id"], listed["tenants"]) == (who, [ids[1]])
    assert ids[1] in run(home, "admin", "list").output
    staff = data(home, "admin", "create", mail, *PASSWORD)["id"]
    assert "name one of them by the id" in run(home, "admin", "show", mail).output
    wrong = run(home, "admin", "give-tenant", staff, ids[0]).output
    assert "staff see every tenant" in wrong
    done = data(home, "admin", "acts", "--subject", f"person:{who}")
    assert [(each["act"], each["detail"]["tenant"]) for each in done[:-1]] == [
        ("person.take_tenant", ids[0]),
        ("person.give_tenant", ids[1]),
    ]
    assert data(home, "admin", "acts", "--actor", "staff:nobody") == []
    assert len(data(home, "admin", "acts", "--most", "1")) == 1
    assert "person.give_tenant" in run(home, "admin", "acts").output


def test_a_person_is_disabled_and_let_in_again(home: Path) -> None:
    who = data(home, *OWNER)["id"]
    assert data(home, "admin", "disable", who)["state"] == "disabled"
    assert data(home, "admin", "enable", who)["state"] == "active"
    assert data(home, "admin", "password", who, *PASSWORD)["id"] == who
    assert "is off" in run(home, "admin", "reset-second-factor", who).output
    admin = data(home, "admin", "create", "a@x.example", *PASSWORD)["id"]
    assert "the last admin" in run(home, "admin", "disable", admin).output


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
