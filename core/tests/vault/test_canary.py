"""A canary value is planted, and searched for in all that is written or shown."""

from __future__ import annotations

import base64
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from letsbe.storage.database import Database
from letsbe.vault.references import fill
from letsbe.vault.vault import Vault

KEY = bytes(range(32))
CANARY = "canary-83b1c0de-value"
OLD = "canary-0ld00000-value"
FORMS = [
    form
    for value in (CANARY, OLD)
    for form in (
        value.encode(),
        value.encode().hex().encode(),
        base64.b64encode(value.encode()).rstrip(b"="),
        value.encode("utf-16-le"),
    )
]


def spread(vault: Vault) -> None:
    vault.provide("a", OLD)
    vault.rotate("a", CANARY)
    vault.provide("gone", CANARY)
    vault.delete("gone")


def written(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


def test_no_file_holds_it_while_open_or_closed(tmp_path: Path) -> None:
    with Database(tmp_path / "a.db") as database:
        spread(Vault(database, KEY))
        files = {file.name for file in tmp_path.iterdir()}
        assert files == {"a.db", "a.db-wal", "a.db-shm"}
        held = written(tmp_path)
        assert all(form not in held for form in FORMS)
    held = written(tmp_path)
    assert len(held) > 4096
    assert all(form not in held for form in FORMS)


def test_a_deleted_secrets_sealed_bytes_are_gone_too(tmp_path: Path) -> None:
    query = "SELECT sealed FROM secrets WHERE name = 'gone'"
    with Database(tmp_path / "a.db") as database:
        vault = Vault(database, KEY)
        vault.provide("gone", CANARY)
        (sealed,) = database.read(lambda c: c.execute(query).fetchone())
        vault.delete("gone")
    assert sealed not in written(tmp_path)


def test_no_listing_or_repr_shows_it(vault: Vault) -> None:
    spread(vault)
    shown = repr(
        (
            *(vault, vault.list(), vault.get("a"), vault.current(), vault.names()),
            *(vault.reveal("a"), vault._snapshot, vault._sealer),
        )
    )
    assert all(form.decode("latin-1") not in shown for form in FORMS)


@pytest.mark.parametrize(
    "fail",
    [
        lambda vault: vault.provide("not a name", CANARY),
        lambda vault: vault.provide("b", CANARY + "\0"),
        lambda vault: vault.provide("b", CANARY * 10_000),
        lambda vault: vault.provide("b", CANARY, hosts=("no host",)),
        lambda vault: vault.rotate("missing", CANARY),
        lambda vault: vault.provide(CANARY + "!", "some value"),
        lambda vault: fill("SECRET_REF(b)", {"a": vault.reveal("a")}),
        lambda vault: fill("SECRET_REF(" + CANARY + "!", {"a": vault.reveal("a")}),
    ],
)
def test_no_error_shows_it(vault: Vault, fail: Callable[[Vault], object]) -> None:
    spread(vault)
    with pytest.raises(Exception, match=r".") as caught:
        fail(vault)
    shown = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    shown = "\n".join(line for line in shown.splitlines() if "lambda vault" not in line)
    assert CANARY not in shown
    assert CANARY not in str(vars(caught.value))


def test_no_error_of_a_full_or_closed_database_shows_it(tmp_path: Path) -> None:
    database = Database(tmp_path / "a.db")
    vault = Vault(database, KEY)
    spread(vault)
    database.write(lambda c: c.execute("PRAGMA max_page_count = 1").fetchone())
    with pytest.raises(Exception, match="disk is full") as full:
        vault.rotate("a", CANARY * 1000)
    database.close()
    with pytest.raises(Exception, match="is closed") as closed:
        vault.rotate("a", CANARY)
    for error in (full.value, closed.value):
        assert CANARY not in "".join(traceback.format_exception(error))


def test_a_process_that_dies_of_an_error_does_not_print_it(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path;"
        "from letsbe.storage.database import Database;"
        "from letsbe.vault.vault import Vault;"
        "vault = Vault(Database(Path(sys.argv[1])), bytes(32));"
        "value = sys.stdin.read();"
        "vault.provide('a', value); vault.provide('a', value, hosts=('no host',))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "a.db")],
        input=CANARY,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 1
    assert "InvalidRequest" in ended.stderr
    assert CANARY not in ended.stderr + ended.stdout
