"""The vault: names, versions, scopes, history, and rows that were tampered with."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from letsbe.errors import (
    ConfigurationError,
    Conflict,
    InvalidRequest,
    StorageError,
    UnknownSecret,
)
from letsbe.storage.database import Database
from letsbe.vault.records import SecretRecord
from letsbe.vault.vault import Vault

KEY = bytes(range(32))
SEALED = "SELECT sealed FROM secrets"
VALUE = "correct horse battery"

values = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    min_size=6,
    max_size=200,
).filter(lambda text: not text.isspace())


def current(vault: Vault) -> list[tuple[str, str]]:
    return [(secret.name, secret.reveal()) for secret in vault.current()]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(value=values)
def test_every_value_comes_back_as_it_was(vault: Vault, value: str) -> None:
    vault.provide("any", value)
    assert vault.reveal("any").reveal() == value


def test_a_new_secret_may_go_anywhere(vault: Vault) -> None:
    record = vault.provide("nc.token", VALUE)
    assert (record.name, record.version) == ("nc.token", 1)
    assert (record.tools, record.hosts) == (("*",), ("*",))
    assert vault.get("nc.token") == record == vault.list()[0]


def test_providing_again_is_a_new_version_that_keeps_the_scopes(vault: Vault) -> None:
    vault.provide("a", "value one", tools=("nextcloud.*",), hosts=("nc.example",))
    record = vault.provide("a", "value two")
    assert record.version == 2
    assert (record.tools, record.hosts) == (("nextcloud.*",), ("nc.example",))
    narrowed = vault.provide("a", "value three", tools=("nextcloud.list",))
    assert narrowed.tools == ("nextcloud.list",)
    assert narrowed.hosts == ("nc.example",)


def test_old_values_stay_registered(vault: Vault) -> None:
    vault.provide("a", "value one")
    vault.rotate("a", "value two")
    vault.rotate("a")
    assert vault.reveal("a").reveal() not in {"value one", "value two"}
    assert {value for _, value in current(vault)} >= {"value one", "value two"}


def test_rotating_keeps_when_it_began(vault: Vault) -> None:
    first = vault.provide("a", "value one")
    record = vault.rotate("a", "value two")
    assert record.created_at == first.created_at
    assert record.rotated_at >= first.rotated_at


def test_a_deleted_secret_is_erased_and_its_name_free(
    vault: Vault, database: Database
) -> None:
    vault.provide("a", "value one", hosts=("nc.example",))
    vault.rotate("a", "value two")
    vault.delete("a")
    assert vault.list() == []
    assert vault.current() == ()
    query = "SELECT count(*) FROM secrets WHERE sealed IS NOT NULL OR fingerprint <> ''"
    assert database.read(lambda c: c.execute(query).fetchone()) == (0,)
    again = vault.provide("a", "value three")
    assert again.version == 3
    assert again.hosts == ("*",)
    assert current(vault) == [("a", "value three")]


@pytest.mark.parametrize("act", ["reveal", "get", "rotate", "delete"])
def test_an_unknown_name_lists_those_that_look_alike(vault: Vault, act: str) -> None:
    vault.provide("nextcloud_token", VALUE)
    vault.provide("stripe", VALUE)
    with pytest.raises(UnknownSecret, match="nextcloud_tokn") as caught:
        getattr(vault, act)("nextcloud_tokn")
    assert "SECRET_REF(nextcloud_token)" in str(caught.value)
    assert "stripe" not in str(caught.value)
    assert VALUE not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["", "1a", "_a", "a b", "a\n", "é", "a" * 65, "a)", "a(b", "../a", "a\0"]
)
def test_a_name_of_another_form_is_refused_unseen(vault: Vault, name: str) -> None:
    for act in (vault.reveal, vault.get, vault.delete, vault.rotate):
        with pytest.raises(InvalidRequest):
            act(name)
    with pytest.raises(InvalidRequest) as caught:
        vault.provide(name, VALUE)
    assert caught.value.details[0].field == "name"
    assert len(name) < 6 or name not in str(caught.value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "a-5-b",
        "x" * 65_537,
        "has\0nul",
        "      ",
        "\ud800abcdef",
        "SECRET_REF(other)",
        "[REDACTED:token]",
    ],
)
def test_a_value_that_cannot_be_kept_or_redacted_is_refused_unseen(
    vault: Vault, value: str
) -> None:
    vault.provide("a", VALUE)
    for act, name in ((vault.provide, "b"), (vault.rotate, "a")):
        with pytest.raises(InvalidRequest) as caught:
            act(name, value)
        assert caught.value.details[0].field == "value"
        assert not value.strip() or value not in str(caught.value)
    assert current(vault) == [("a", VALUE)]


@pytest.mark.parametrize("length", [6, 65_536])
def test_values_at_the_bounds_are_taken(vault: Vault, length: int) -> None:
    vault.provide("a", "x" * length)
    assert len(vault.reveal("a").reveal()) == length


@pytest.mark.parametrize(
    ("alphabet", "allowed"),
    [
        ("letters_digits", str.isalnum),
        ("digits", str.isdigit),
        ("hex", lambda text: set(text) <= set("0123456789abcdef")),
        ("url_safe", lambda text: text.replace("-", "").replace("_", "").isalnum()),
        (
            "printable",
            lambda text: text.isprintable() and not set(text) & set("\"'\\$`"),
        ),
    ],
)
def test_generated_values_have_the_length_and_characters_asked_for(
    vault: Vault, alphabet: str, allowed: object
) -> None:
    assert callable(allowed)
    vault.generate("a", length=200, alphabet=alphabet)  # type: ignore[arg-type] # any of them
    value = vault.reveal("a").reveal()
    assert len(value) == 200
    assert allowed(value)
    assert value.isascii()


def test_generated_values_differ(vault: Vault) -> None:
    for n in range(20):
        vault.generate(f"s{n}")
    assert len({value for _, value in current(vault)}) == 20


def test_generating_never_replaces(vault: Vault) -> None:
    vault.provide("a", VALUE)
    with pytest.raises(Conflict, match="rotate it instead"):
        vault.generate("a")
    assert vault.reveal("a").reveal() == VALUE


@pytest.mark.parametrize(
    "wrong", [{"length": 5}, {"length": 70_000}, {"alphabet": "x"}]
)
def test_a_wrong_wish_is_named(vault: Vault, wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        vault.generate("a", **wrong)  # type: ignore[arg-type] # that is the test
    assert caught.value.details[0].field in wrong


@pytest.mark.parametrize(
    "scopes", [{"tools": ()}, {"hosts": ()}, {"tools": ("a b",)}, {"hosts": ("h:80",)}]
)
def test_a_wrong_scope_stores_nothing(
    vault: Vault, scopes: dict[str, tuple[str, ...]]
) -> None:
    with pytest.raises(InvalidRequest):
        vault.provide("a", VALUE, **scopes)
    assert vault.list() == []


def test_fingerprints_are_equal_for_equal_values_under_one_key(
    vault: Vault, tmp_path: Path
) -> None:
    one, two = vault.provide("a", VALUE), vault.provide("b", VALUE)
    other = vault.provide("c", VALUE + "!")
    assert one.fingerprint == two.fingerprint != other.fingerprint
    with Database(tmp_path / "other.db") as database:
        elsewhere = Vault(database, bytes(32)).provide("a", VALUE)
    assert elsewhere.fingerprint != one.fingerprint


def test_the_version_grows_with_every_change(vault: Vault) -> None:
    seen = [vault.version]
    for change in (
        lambda: vault.provide("a", VALUE),
        lambda: vault.provide("b", VALUE),
        lambda: vault.rotate("a"),
        lambda: vault.delete("b"),
        lambda: vault.delete("a"),
        lambda: vault.provide("a", VALUE),
    ):
        change()
        seen.append(vault.version)
    assert seen == sorted(set(seen))


def test_reading_does_not_change_the_version(vault: Vault) -> None:
    vault.provide("a", VALUE)
    before = vault.version
    vault.reveal("a"), vault.list(), vault.get("a"), vault.names(), vault.current()
    assert vault.version == before


def test_what_did_not_change_is_not_opened_again(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    vault.provide("a", VALUE)
    first = vault.current()

    def never(*_: object) -> str:
        raise AssertionError

    monkeypatch.setattr(vault._sealer, "open", never)
    assert vault.current() is first
    assert vault.reveal("a") is first[0]


def test_changes_are_told_in_their_transaction(database: Database) -> None:
    told: list[tuple[str, str, int]] = []

    def record(_: sqlite3.Connection, event: str, secret: SecretRecord) -> None:
        told.append((event, secret.name, secret.version))

    vault = Vault(database, KEY, recorder=record)
    vault.provide("a", VALUE)
    vault.rotate("a")
    vault.generate("b")
    vault.delete("a")
    assert told == [
        ("provided", "a", 1),
        ("rotated", "a", 2),
        ("provided", "b", 1),
        ("deleted", "a", 2),
    ]


def test_a_change_that_cannot_be_told_is_not_made(database: Database) -> None:
    def record(_: sqlite3.Connection, event: str, secret: SecretRecord) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Vault(database, KEY, recorder=record).provide("a", VALUE)
    assert Vault(database, KEY).list() == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE secrets SET sealed = zeroblob(length(sealed)) WHERE name = 'a'",
        "UPDATE secrets SET sealed = substr(sealed, 1, 20) WHERE name = 'a'",
        "UPDATE secrets SET sealed = x'' WHERE name = 'a'",
        f"UPDATE secrets SET sealed = ({SEALED} WHERE name = 'b') WHERE name = 'a'",
        "UPDATE secrets SET version = 7 WHERE name = 'a' AND version = 2",
        "UPDATE secrets SET name = 'c' WHERE name = 'b'",
        "UPDATE secrets SET hosts = '[\"*\"]' WHERE name = 'a'",
        "UPDATE secrets SET tools = '[\"shell\"]' WHERE name = 'a'",
        f"UPDATE secrets SET sealed = ({SEALED} WHERE version = 1 AND name = 'a')",
    ],
)
def test_a_row_that_was_altered_or_moved_gives_no_value(
    vault: Vault, database: Database, statement: str
) -> None:
    vault.provide("a", "value one", hosts=("nc.example",))
    vault.rotate("a", "value two")
    vault.provide("b", "value of b")
    changed = "UPDATE secrets SET changed = changed + 100"
    database.write(lambda c: (c.execute(statement), c.execute(changed)))
    for read in (vault.current, lambda: vault.reveal("a"), lambda: vault.reveal("b")):
        with pytest.raises(StorageError, match=r"was changed|another key") as caught:
            read()
        assert "value" not in str(caught.value).replace("values", "")


def test_an_altered_secret_can_be_deleted_and_the_rest_used_again(
    vault: Vault, database: Database
) -> None:
    vault.provide("a", "value one")
    vault.provide("b", "value of b")
    spoil = "UPDATE secrets SET sealed = x'00', changed = 100 WHERE name = 'a'"
    database.write(lambda c: c.execute(spoil))
    with pytest.raises(StorageError, match="letsbe secrets delete a"):
        vault.reveal("b")
    vault.delete("a")
    assert vault.reveal("b").reveal() == "value of b"


def test_another_key_opens_nothing(vault: Vault, database: Database) -> None:
    vault.provide("a", VALUE)
    with pytest.raises(StorageError, match=r"vault\.key") as caught:
        Vault(database, bytes(32)).reveal("a")
    assert VALUE not in str(caught.value)


@pytest.mark.parametrize("length", [0, 16, 31, 33])
def test_a_key_of_another_length_is_refused(database: Database, length: int) -> None:
    with pytest.raises(ConfigurationError, match="32 bytes"):
        Vault(database, bytes(length))


def test_two_vaults_on_one_file_see_each_others_changes(
    vault: Vault, tmp_path: Path
) -> None:
    with Database(tmp_path / "letsbe.db") as second:
        other = Vault(second, KEY)
        other.provide("a", "value one")
        assert vault.reveal("a").reveal() == "value one"
        vault.rotate("a", "value two")
        assert other.reveal("a").reveal() == "value two"
        assert other.version == vault.version
        other.delete("a")
        assert vault.current() == ()


CHANGE = """
import sys
import time
from pathlib import Path
from letsbe.storage.database import Database
from letsbe.vault.vault import Vault
with Database(Path(sys.argv[1])) as database:
    vault = Vault(database, bytes(range(32)))
    for line in sys.stdin:
        verb, name, value = line.split()
        if verb == "delete":
            vault.delete(name)
        else:
            getattr(vault, verb)(name, value)
        print(vault.version, flush=True)
"""


def test_another_processs_changes_are_seen(vault: Vault, database: Database) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", CHANGE, str(database.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    expected: list[tuple[str, str | None]] = [
        ("provide a value-one", "value-one"),
        ("rotate a value-two", "value-two"),
        ("delete a -", None),
    ]
    for command, value in expected:
        process.stdin.write(f"{command}\n")
        process.stdin.flush()
        version = int(process.stdout.readline())
        seen = time.monotonic()
        while vault.version != version:
            assert time.monotonic() - seen < 5
        if value is None:
            assert vault.current() == ()
        else:
            assert vault.reveal("a").reveal() == value
    vault.provide("b", "value-three")
    process.stdin.write("rotate b value-four\n")
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert vault.get("b").version == 2


def test_processes_that_rotate_at_once_make_every_version(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with Database(path) as database:
        vault = Vault(database, KEY)
        vault.provide("a", VALUE)
        command = [sys.executable, "-c", CHANGE, str(path)]
        processes = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)
            for _ in range(2)
        ]
        for number, process in enumerate(processes):
            assert process.stdin is not None
            lines = [f"rotate a value-{number}-{n}\n" for n in range(20)]
            process.stdin.write("".join(lines).encode())
            process.stdin.close()
        assert [process.wait(60) for process in processes] == [0, 0]
        assert vault.get("a").version == 41
        assert len(vault.current()) == 41


def test_the_cipher_is_loaded_only_when_it_is_needed() -> None:
    script = (
        "import sys, letsbe.vault.secret, letsbe.vault.vault, letsbe.vault.references;"
        "print([m for m in sys.modules if m.startswith(('cryptography', 'pydantic'))])"
    )
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert said.stdout == "[]\n"


def test_a_change_of_ones_own_is_seen_at_once(vault: Vault) -> None:
    for number in range(20):
        before = vault.version
        vault.provide("mine", f"value-number-{number}")
        assert vault.version > before
