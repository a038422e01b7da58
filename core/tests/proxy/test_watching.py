"""The proxy's view of the vault: quick to notice, hard to lose."""

from __future__ import annotations

import contextlib
import os
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from letsbe.cli.init import make_home
from letsbe.errors import ConfigurationError, LetsBeError, UnknownSecret
from letsbe.home import Home
from letsbe.proxy.watching import WatchedVault
from letsbe.storage.database import Database
from letsbe.storage.keys import load_key
from letsbe.vault.vault import Vault


@pytest.fixture
def watched(home: Home) -> Iterator[WatchedVault]:
    provide(home, "first", "first-value-1")
    with contextlib.closing(WatchedVault(home)) as made:
        made.start(lambda: None)
        yield made


def provide(home: Home, name: str, value: str) -> None:
    with Database(home.database) as database:
        Vault(database, load_key(home.vault_key)).provide(name, value)


def values(vault: WatchedVault) -> set[str]:
    return {secret.reveal() for secret in vault.current()}


def eventually(condition: Callable[[], bool], seconds: float = 3.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_change_is_noticed_within_a_tenth_of_a_second(
    home: Home, watched: WatchedVault
) -> None:
    took = []
    with Database(home.database) as database:
        vault = Vault(database, load_key(home.vault_key))
        for n in range(10):
            vault.provide("moving", f"moving-value-{n}")
            begun = time.monotonic()
            eventually(lambda n=n: f"moving-value-{n}" in values(watched))  # type: ignore[misc] # the default binds n
            took.append(time.monotonic() - begun)
    assert statistics.median(took) < 0.1
    assert "moving-value-3" in values(watched)


def test_the_listener_hears_of_changes(home: Home) -> None:
    provide(home, "first", "first-value-1")
    versions: list[int] = []
    with contextlib.closing(WatchedVault(home)) as vault:
        vault.start(lambda: versions.append(vault.version))
        provide(home, "second", "second-value-2")
        eventually(lambda: versions == [2])


def test_a_listener_that_fails_does_not_stop_the_watch(home: Home) -> None:
    with contextlib.closing(WatchedVault(home)) as vault:
        vault.start(lambda: 1 / 0)
        provide(home, "a", "value-of-a")
        eventually(lambda: "value-of-a" in values(vault))
        provide(home, "b", "value-of-b")
        eventually(lambda: "value-of-b" in values(vault))


def removed(home: Home) -> None:
    for path in home.folder.glob("letsbe.db*"):
        path.unlink()


def emptied(home: Home) -> None:
    removed(home)
    home.database.touch(0o600)


def rubbish(home: Home) -> None:
    removed(home)
    home.database.write_bytes(os.urandom(8192))
    home.database.chmod(0o600)


def a_folder(home: Home) -> None:
    removed(home)
    home.database.mkdir()


def of_another_key(home: Home) -> None:
    other = Home(home.folder.with_name("other"))
    make_home(other, (), ())
    provide(other, "theirs", "theirs-value-1")
    removed(home)
    for path in other.folder.glob("letsbe.db*"):
        shutil.copy(path, home.folder)


def without_key(home: Home) -> None:
    home.vault_key.unlink()
    copied = home.database.with_suffix(".copy")
    shutil.copy(home.database, copied)
    removed(home)
    copied.rename(home.database)


def open_key(home: Home) -> None:
    home.vault_key.chmod(0o644)
    copied = home.database.with_suffix(".copy")
    shutil.copy(home.database, copied)
    removed(home)
    copied.rename(home.database)


DAMAGES = [removed, emptied, rubbish, a_folder, of_another_key, without_key, open_key]


@pytest.mark.parametrize("damage", DAMAGES)
def test_the_last_good_secrets_stay_in_force(
    home: Home, watched: WatchedVault, damage: Callable[[Home], None]
) -> None:
    kept = home.folder.with_name("kept")
    shutil.copytree(home.folder, kept)
    damage(home)
    eventually(lambda: watched.problem is not None)
    time.sleep(0.2)
    assert values(watched) == {"first-value-1"}
    assert watched.key_for("first", "api.example.com").reveal() == "first-value-1"
    # What was there before comes back, and is used again.
    shutil.rmtree(home.folder)
    shutil.copytree(kept, home.folder)
    eventually(lambda: watched.problem is None)
    provide(home, "second", "second-value-2")
    eventually(lambda: "second-value-2" in values(watched))


@pytest.mark.parametrize("damage", DAMAGES)
def test_nothing_starts_without_a_vault(
    home: Home, damage: Callable[[Home], None]
) -> None:
    provide(home, "first", "first-value-1")
    damage(home)
    with pytest.raises(LetsBeError):
        WatchedVault(home)


def test_another_good_vault_takes_over(home: Home, watched: WatchedVault) -> None:
    copied = home.folder.with_name("copied.db")
    with Database(home.database) as database:
        database.write(lambda _: None)
    shutil.copy(home.database, copied)
    provide(Home(home.folder), "later", "later-value-2")
    eventually(lambda: "later-value-2" in values(watched))
    version = watched.version
    for path in home.folder.glob("letsbe.db*"):
        path.unlink()
    copied.rename(home.database)
    eventually(lambda: watched.version > version)
    assert "later-value-2" not in values(watched)
    assert watched.problem is None


def test_an_unknown_key_is_said_so(watched: WatchedVault) -> None:
    with pytest.raises(UnknownSecret, match="frist"):
        watched.key_for("frist", "api.example.com")


def test_a_home_that_is_none_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="letsbe init"):
        WatchedVault(Home(tmp_path))
