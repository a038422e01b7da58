"""Everything but the closed places, said as a list of what is free."""

from __future__ import annotations

import os
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from letsbe.policy.sandbox._surroundings import (
    closed_paths,
    kind_of,
    stamp_of,
    survey,
)

NAMES = st.sampled_from("abc")
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)


def covers(free: tuple[str, ...], path: str) -> bool:
    return any(f"{path}/".startswith(f"{place}/") for place in free)


@settings(max_examples=50, deadline=None)
@given(
    folders=st.sets(PATHS, max_size=8),
    closed=st.sets(PATHS, min_size=1, max_size=3),
)
def test_all_is_free_but_the_closed_and_the_way_there(
    folders: set[str], closed: set[str]
) -> None:
    with TemporaryDirectory() as name:
        top = Path(name).resolve()
        for folder in folders:
            (top / folder).mkdir(parents=True, exist_ok=True)
        places = frozenset(str(top / path) for path in closed)
        found = survey(places)
        for path in map(str, [top, *top.rglob("*")]):
            is_closed = covers(tuple(places), path)
            leads_there = any(p.startswith(f"{path}/") for p in places)
            assert covers(found.free, path) == (not is_closed and not leads_there)
            assert (path in found.around) == (leads_there)


def test_a_closed_place_need_not_exist(tmp_path: Path) -> None:
    (tmp_path / "free").mkdir()
    found = survey(frozenset({str(tmp_path / "later")}))
    assert str(tmp_path / "free") in found.free
    (tmp_path / "later").mkdir()
    found = survey(frozenset({str(tmp_path / "later")}))
    assert str(tmp_path / "later") not in found.free


def test_links_are_not_free(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "closed")
    found = survey(frozenset({str(tmp_path / "closed")}))
    assert not covers(found.free, str(tmp_path / "link"))


def test_a_place_is_closed_by_all_its_names(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    closed = closed_paths([tmp_path / "link"])
    assert closed == {str(tmp_path / "link"), str((tmp_path / "real").resolve())}


def test_the_stamp_tells_when_something_appears(tmp_path: Path) -> None:
    closed = frozenset({str(tmp_path / "closed")})
    found = survey(closed)
    assert not found.settled or found.stamp == stamp_of(found.around)
    os.utime(tmp_path, (1, 1))
    settled = survey(closed)
    (tmp_path / "new").mkdir()
    assert stamp_of(settled.around) != settled.stamp


def test_a_change_of_this_moment_is_not_settled(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    assert not survey(frozenset({str(tmp_path / "closed")})).settled
    time.sleep(0.15)
    assert str(tmp_path / "new") in survey(frozenset({str(tmp_path / "closed")})).free


def test_what_is_within_a_folder(tmp_path: Path) -> None:
    for name in ("root/closed", "root/free", "other"):
        (tmp_path / name).mkdir(parents=True)
    found = survey(frozenset({str(tmp_path / "root/closed")}))
    assert found.within(str(tmp_path / "other")) == (str(tmp_path / "other"),)
    assert found.within(str(tmp_path / "root")) == (str(tmp_path / "root/free"),)
    assert found.within(str(tmp_path / "root/closed")) == ()
    assert found.within(str(tmp_path / "root/closed/deep")) == ()


def test_kinds(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "link").symlink_to("file")
    kinds = {name: kind_of(str(tmp_path / name)) for name in ("", "file", "link", "x")}
    assert kinds == {"": "folder", "file": "file", "link": None, "x": None}
