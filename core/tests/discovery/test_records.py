"""What foreign text becomes before it is shown, and what a record says of itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe.discovery.records import Kind, PluginRecord, Status, shown

RECORD = PluginRecord(
    Kind.TOOL, "ghost", "letsbe-tool-ghost", "1.2", "index", Status.SELECTED
)


@given(st.text(), st.integers(1, 200))
def test_shown_text_is_one_printable_line(text: str, limit: int) -> None:
    line = shown(text, limit)
    assert line.isprintable()
    assert len(line) <= limit


@given(st.text(st.characters(categories=["L", "N", "P"]), max_size=50))
def test_ordinary_text_is_shown_as_it_is(text: str) -> None:
    assert shown(text) == text


def test_every_kind_has_its_group_and_hook() -> None:
    assert {kind.group for kind in Kind} == {
        "letsbe.executors",
        "letsbe.tools",
        "letsbe.redactors",
        "letsbe.billing",
        "letsbe.notifiers",
    }
    assert len({kind.hook for kind in Kind}) == len(Kind)


@pytest.mark.parametrize("status", list(Status))
def test_only_what_is_chosen_and_of_no_use_has_failed(status: Status) -> None:
    well = {Status.SELECTED, Status.ACTIVE, Status.NOT_SELECTED}
    assert RECORD.turned(status, "").failed is (status not in well)


def test_a_record_as_json_has_every_field() -> None:
    assert RECORD.as_json() == {
        "kind": "tool",
        "name": "ghost",
        "distribution": "letsbe-tool-ghost",
        "version": "1.2",
        "origin": "index",
        "api_version": None,
        "status": "selected",
        "reason": "",
    }
