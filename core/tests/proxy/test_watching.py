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
from letsbe.proxy.sharing import open_vault
from letsbe.proxy.watching import WatchedVault
from letsbe.storage.database import Database


@pytest.fixture
def watched(home: Home) -> Iterator[WatchedVault]:
    provide(home, "first", "first-value-1")
    with contextlib.closing(WatchedVault(home)) as made:
        made.start(lambda: None)
        yield made


def provide(home: Home, name: str, value: str) -> None:
    with Database(home.database) as database:
        open_vault(home, database).provide(name, value)


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
        vault = open_vault(home, database)
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
    home.registry.unlink()


def emptied(home: Home) -> None:
    removed(home)
    home.registry.touch(0o600)


def rubbish(home: Home) -> None:
    removed(home)
    home.registry.write_bytes(os.urandom(8192))
    home.registry.chmod(0o600)


def a_folder(home: Home) -> None:
    removed(home)
    home.registry.mkdir()


def a_pipe(home: Home) -> None:
    removed(home)
    os.mkfifo(home.registry, 0o600)


def a_link(home: Home) -> None:
    home.registry.rename(home.folder / "elsewhere")
    home.registry.symlink_to(home.folder / "elsewhere")


def of_another_key(home: Home) -> None:
    other = Home(home.folder.with_name("other"))
    make_home(other, (), ())
    provide(other, "theirs", "theirs-value-1")
    copied(other.registry, home.registry)


def without_key(home: Home) -> None:
    home.registry_key.unlink()
    copied(home.registry, home.registry)


def open_key(home: Home) -> None:
    home.registry_key.chmod(0o644)
    copied(home.registry, home.registry)


def open_to_all(home: Home) -> None:
    removed_and_back = home.registry.read_bytes()
    removed(home)
    home.registry.write_bytes(removed_and_back)
    home.registry.chmod(0o644)


def in_an_open_folder(home: Home) -> None:
    home.registry.parent.chmod(0o755)
    copied(home.registry, home.registry)


def copied(source: Path, place: Path) -> None:
    """Put a file in a place as another one."""
    unfinished = place.with_suffix(".copy")
    shutil.copy(source, unfinished)
    unfinished.replace(place)


DAMAGES = [
    *(removed, emptied, rubbish, a_folder, a_pipe, a_link, of_another_key),
    *(without_key, open_key, open_to_all, in_an_open_folder),
]


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
def test_nothing_starts_without_a_registry(
    home: Home, damage: Callable[[Home], None]
) -> None:
    provide(home, "first", "first-value-1")
    damage(home)
    with pytest.raises(LetsBeError):
        WatchedVault(home)


@pytest.mark.parametrize("name", ["letsbe.db", "vault.key"])
def test_nothing_starts_on_a_registry_whose_vault_is_gone(
    home: Home, name: str
) -> None:
    (home.folder / name).unlink()
    with pytest.raises(ConfigurationError, match=name):
        WatchedVault(home)


def test_a_vault_that_goes_is_said_and_the_secrets_stay(
    home: Home, watched: WatchedVault
) -> None:
    home.database.rename(home.folder / "away")
    eventually(lambda: "letsbe.db" in (watched.problem or ""))
    assert values(watched) == {"first-value-1"}
    (home.folder / "away").rename(home.database)
    eventually(lambda: watched.problem is None)


def test_an_older_registry_takes_over(home: Home, watched: WatchedVault) -> None:
    kept = home.folder.with_name("kept")
    shutil.copy(home.registry, kept)
    provide(home, "later", "later-value-2")
    eventually(lambda: "later-value-2" in values(watched))
    version = watched.version
    copied(kept, home.registry)
    eventually(lambda: watched.version > version)
    assert "later-value-2" not in values(watched)
    assert watched.problem is None


def test_an_unknown_key_is_said_so(watched: WatchedVault) -> None:
    with pytest.raises(UnknownSecret, match="frist"):
        watched.key_for("frist", "api.example.com")


def test_a_home_that_is_none_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="letsbe init"):
        WatchedVault(Home(tmp_path))
