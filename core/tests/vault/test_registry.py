"""The registry: never behind the vault, whole at any moment, trusted only if ours."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe.errors import InvalidRequest, StorageError
from letsbe.storage.database import Database
from letsbe.vault.registry import Entry, Registry
from letsbe.vault.secret import Secret
from letsbe.vault.vault import Vault

KEY = bytes(range(32))
TEXT = st.text()


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    (tmp_path / "registry").mkdir(mode=0o700)
    return Registry(tmp_path / "registry" / "secrets", KEY, os.geteuid())


@pytest.fixture
def published(database: Database, registry: Registry) -> Vault:
    return Vault(database, KEY, registry=registry)


def seen(registry: Registry) -> dict[str, list[str]]:
    """Return the values of each name, the one in use first."""
    found: dict[str, list[str]] = {}
    for entry in registry.read():
        place = 0 if entry.newest else len(found.get(entry.name, ()))
        found.setdefault(entry.name, []).insert(place, entry.secret.reveal())
    return found


def test_every_change_is_in_it_at_once(published: Vault, registry: Registry) -> None:
    published.provide("a", "value-of-a", tools=("proxy",), hosts=("x.example",))
    assert seen(registry) == {"a": ["value-of-a"]}
    (entry,) = registry.read()
    assert (entry.tools, entry.hosts) == (("proxy",), ("x.example",))
    published.rotate("a", "value-of-a-2")
    published.generate("b")
    assert seen(registry)["a"] == ["value-of-a-2", "value-of-a"]
    assert set(seen(registry)) == {"a", "b"}
    published.delete("a")
    assert set(seen(registry)) == {"b"}


def test_many_are_stored_with_one_writing_of_it(
    published: Vault, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[int] = []
    publish = Registry.publish

    def counted(self: Registry, entries: Iterable[Entry]) -> None:
        kept = list(entries)
        written.append(len(kept))
        publish(self, kept)

    published.provide("n1", "an-older-value")
    monkeypatch.setattr(Registry, "publish", counted)
    records = published.provide_all({f"n{i}": f"value-of-{i}" for i in range(200)})
    assert written == [201]
    assert [record.version for record in records[:3]] == [1, 2, 1]
    assert seen(registry)["n1"] == ["value-of-1", "an-older-value"]
    assert len(seen(registry)) == 200


def test_of_many_all_are_stored_or_none(published: Vault, registry: Registry) -> None:
    with pytest.raises(InvalidRequest):
        published.provide_all({"good": "a-good-value", "not a name": "another-value"})
    with pytest.raises(InvalidRequest, match=r"^short: a secret's value"):
        published.provide_all({"good": "a-good-value", "short": "x"})
    assert published.names() == ()
    published.publish()
    assert seen(registry) == {}


def test_what_cannot_be_told_is_not_stored(
    published: Vault, registry: Registry, tmp_path: Path
) -> None:
    published.provide("a", "value-of-a")
    folder = tmp_path / "registry"
    folder.rename(tmp_path / "away")
    with pytest.raises(StorageError, match="registry"):
        published.provide("b", "value-of-b")
    assert published.names() == ("a",)
    (tmp_path / "away").rename(folder)
    assert set(seen(registry)) == {"a"}


def test_a_change_that_fails_leaves_at_most_a_value_too_many(
    database: Database, registry: Registry
) -> None:
    def refuse(*_: object) -> None:
        message = "no"
        raise RuntimeError(message)

    vault = Vault(database, KEY, registry=registry, recorder=refuse)
    vault.publish()
    with pytest.raises(RuntimeError):
        vault.provide("a", "value-of-a")
    assert seen(registry) == {}


def test_changes_at_once_lose_none(
    tmp_path: Path, database: Database, registry: Registry
) -> None:
    def change(number: int) -> None:
        with Database(database.path) as other:
            vault = Vault(other, KEY, registry=registry)
            vault.provide(f"s{number}", f"value-number-{number}")
            vault.provide(f"gone{number}", f"value-gone-{number}")
            vault.delete(f"gone{number}")

    threads = [threading.Thread(target=change, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(seen(registry)) == {f"s{n}" for n in range(6)}
    assert {p.name for p in (tmp_path / "registry").iterdir()} == {"secrets"}


def test_it_changes_its_identity_with_every_change(
    published: Vault, registry: Registry
) -> None:
    identities = {registry.identity()}
    for number in range(5):
        published.provide("a", f"value-of-a-{number}")
        identities.add(registry.identity())
    assert len(identities) == 6


@given(values=st.lists(st.tuples(TEXT, TEXT), max_size=5))
def test_what_is_put_in_comes_out(
    tmp_path_factory: pytest.TempPathFactory, values: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("registry", numbered=True) / "secrets"
    registry = Registry(path, KEY, os.geteuid())
    registry.publish(
        Entry(Secret(name, value), True, ("*",), ("*",)) for name, value in values
    )
    found = [(e.name, e.secret.reveal()) for e in registry.read()]
    assert found == values
    assert path.stat().st_mode & 0o777 == 0o600


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def opened(path: Path) -> None:
    path.chmod(0o644)


def opened_folder(path: Path) -> None:
    path.parent.chmod(0o777)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def linked(path: Path) -> None:
    path.rename(path.with_name("other"))
    path.symlink_to("other")


@pytest.mark.parametrize(
    "spoil", [cut, flipped, opened, opened_folder, emptied, linked, Path.unlink]
)
def test_what_is_not_ours_is_refused_without_a_value(
    published: Vault,
    registry: Registry,
    tmp_path: Path,
    spoil: Callable[[Path], None],
) -> None:
    published.provide("a", "value-of-a")
    spoil(tmp_path / "registry" / "secrets")
    with pytest.raises(StorageError) as caught:
        registry.read()
    assert "value-of-a" not in str(caught.value)
    assert "registry" in caught.value.message


def test_another_owners_is_refused(published: Vault, tmp_path: Path) -> None:
    published.provide("a", "value-of-a")
    path = tmp_path / "registry" / "secrets"
    with pytest.raises(StorageError, match="another user"):
        Registry(path, KEY, os.geteuid() + 1).read()


def test_no_value_stands_in_the_file(published: Vault, tmp_path: Path) -> None:
    published.provide("name_of_it", "value-of-a")
    content = (tmp_path / "registry" / "secrets").read_bytes()
    assert b"value-of-a" not in content
    assert b"name_of_it" not in content
