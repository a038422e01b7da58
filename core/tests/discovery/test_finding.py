"""What is found by metadata alone, and how the plugin set applies to it."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from letsbe.discovery.finding import Candidate, discover, installed_set
from letsbe.discovery.plugin_set import PluginSet, Selection
from letsbe.discovery.records import Kind, Status

Distribute = Callable[..., None]

BILLING = (Kind.BILLING,)
BOTH = (Kind.BILLING, Kind.TOOL)


def choose(*names: str, distribution: str | None = None) -> PluginSet:
    return PluginSet(
        tuple(Selection(Kind.BILLING, name, distribution) for name in names)
    )


def of_this_test(candidates: list[Candidate]) -> list[Candidate]:
    """Leave out the plugins that happen to be installed here."""
    return [
        c for c in candidates if not (c.record.distribution or "").startswith("letsbe-")
    ]


def summary(candidates: list[Candidate]) -> list[tuple[str, str | None, str]]:
    return [
        (c.record.name, c.record.distribution, c.record.status.value)
        for c in of_this_test(candidates)
    ]


def test_only_the_kinds_asked_for_are_found(distribute: Distribute) -> None:
    distribute("both", "[letsbe.billing]\nb = nowhere\n[letsbe.tools]\nt = nowhere\n")
    found = [c.record.name for c in discover(BILLING, PluginSet())]
    assert "b" in found
    assert "t" not in found


def test_the_set_decides_and_nothing_is_imported(distribute: Distribute) -> None:
    distribute("one", "[letsbe.billing]\nfirst = never_imported\n")
    distribute("two", "[letsbe.billing]\nsecond = never_imported\n")
    assert summary(discover(BILLING, choose("second"))) == [
        ("first", "one", "not_selected"),
        ("second", "two", "selected"),
    ]
    assert "never_imported" not in sys.modules


def test_a_chosen_plugin_that_is_not_installed_has_a_record() -> None:
    chosen = choose("gone", distribution="letsbe-gone")
    (found,) = of_this_test(discover(BILLING, chosen))
    assert found.entry is None
    assert found.record.status is Status.LOAD_ERROR
    assert "install letsbe-gone" in found.record.reason


def test_another_distribution_than_the_chosen_one_is_refused(
    distribute: Distribute,
) -> None:
    distribute("impostor", "[letsbe.billing]\nhouse = nowhere\n")
    chosen = choose("house", distribution="letsbe-billing-real")
    (found,) = of_this_test(discover(BILLING, chosen))
    assert found.record.status is Status.LOAD_ERROR
    assert "letsbe-billing-real" in found.record.reason
    assert "impostor" in found.record.reason


@pytest.mark.parametrize("spelled", ["my-plugin", "My_Plugin", "my.plugin"])
def test_a_distribution_may_be_spelled_in_its_usual_ways(
    spelled: str, distribute: Distribute
) -> None:
    distribute("My-Plugin", "[letsbe.billing]\nmine = nowhere\n")
    chosen = choose("mine", distribution=spelled)
    assert summary(discover(BILLING, chosen)) == [("mine", "My-Plugin", "selected")]


def test_two_distributions_with_one_name_are_both_refused_and_named(
    distribute: Distribute,
) -> None:
    distribute("one", "[letsbe.billing]\ntwin = nowhere\n")
    distribute("two", "[letsbe.billing]\ntwin = nowhere\n", version="2.0")
    found = of_this_test(discover(BILLING, choose("twin")))
    assert {c.record.status for c in found} == {Status.DUPLICATE}
    for candidate in found:
        assert "one 1.0 and two 2.0" in candidate.record.reason


def test_one_name_in_two_kinds_is_no_clash(distribute: Distribute) -> None:
    distribute("one", "[letsbe.billing]\nname = nowhere\n")
    distribute("two", "[letsbe.tools]\nname = nowhere\n")
    chosen = PluginSet(tuple(Selection(kind, "name") for kind in BOTH))
    found = [c.record for c in discover(BOTH, chosen) if c.record.name == "name"]
    assert {record.status for record in found} == {Status.SELECTED}


def test_of_one_distribution_twice_on_the_path_the_first_counts(
    distribute: Distribute, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    distribute("same", "[letsbe.billing]\nold = nowhere\n")
    newer = tmp_path / "newer"
    distribute("same", "[letsbe.billing]\nnew = nowhere\n", "2.0", newer)
    monkeypatch.syspath_prepend(newer)
    assert summary(discover(BILLING, choose("new"))) == [("new", "same", "selected")]


BROKEN = ["[letsbe.billing]\nno value here\n", "[letsbe.billing\n= x\n", "\x00"]


@pytest.mark.parametrize("text", BROKEN)
def test_broken_metadata_hides_no_other_plugin(
    text: str, distribute: Distribute
) -> None:
    distribute("broken", text)
    distribute("sound", "[letsbe.billing]\nsound = nowhere\n")
    found = summary(discover(BILLING, choose("sound")))
    assert ("sound", "sound", "selected") in found


@pytest.mark.parametrize("name", ["\x1b[2J", "UPPER", "two words", "a/../b", "x" * 99])
def test_a_name_that_is_none_is_shown_safely_and_cannot_be_chosen(
    name: str, distribute: Distribute
) -> None:
    distribute("odd", f"[letsbe.billing]\n{name} = nowhere\n")
    (found,) = of_this_test(discover(BILLING, PluginSet()))
    assert found.record.status is Status.NOT_SELECTED
    assert found.record.name.isprintable()
    assert "odd" not in {s.distribution for s in installed_set(BILLING).selections}


def test_order_does_not_depend_on_the_path(distribute: Distribute) -> None:
    for name in ("c", "a", "b"):
        distribute(f"dist-{name}", f"[letsbe.billing]\n{name} = nowhere\n")
    assert [name for name, *_ in summary(discover(BILLING, PluginSet()))] == [
        "a",
        "b",
        "c",
    ]


def test_installed_set_chooses_everything_from_its_distribution(
    distribute: Distribute,
) -> None:
    distribute("one", "[letsbe.billing]\nfirst = nowhere\ntwin = nowhere\n")
    distribute("two", "[letsbe.billing]\ntwin = nowhere\n")
    chosen = installed_set(BILLING)
    assert chosen.find(Kind.BILLING, "first") == Selection(Kind.BILLING, "first", "one")
    assert chosen.find(Kind.BILLING, "twin") == Selection(Kind.BILLING, "twin", None)
    assert chosen.find(Kind.TOOL, "first") is None
