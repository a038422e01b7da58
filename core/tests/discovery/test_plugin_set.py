"""The plugin set as a document: what is written is read, and nothing else is."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from letsbe.discovery.plugin_set import (
    PluginSet,
    Selection,
    read_plugin_set,
    write_plugin_set,
)
from letsbe.discovery.records import NAME, Kind
from letsbe.errors import ConfigurationError, StorageError


def by_name(selection: Selection) -> tuple[str, str]:
    return selection.kind.value, selection.name


SELECTIONS = st.builds(
    Selection,
    kind=st.sampled_from(Kind),
    name=st.from_regex(NAME, fullmatch=True),
    distribution=st.none() | st.text(max_size=20),
    required=st.booleans(),
)
SETS = st.builds(
    PluginSet,
    st.lists(
        SELECTIONS, unique_by=lambda s: (s.kind, s.name), min_size=8, max_size=14
    ).map(lambda chosen: tuple(sorted(chosen, key=by_name))),
)


@settings(
    deadline=None,
    max_examples=10,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(before=SETS, chosen=SETS)
def test_what_is_written_is_read(
    tmp_path: Path, before: PluginSet, chosen: PluginSet
) -> None:
    path = tmp_path / "plugins.json"
    write_plugin_set(path, before)
    write_plugin_set(path, chosen)
    assert read_plugin_set(path) == chosen


def test_a_missing_set_is_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="run `letsbe init"):
        read_plugin_set(tmp_path / "plugins.json")


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"kind": "executor", "name": "a", "colour": "red"}, "unknown"),
    ({"kind": "executors", "name": "a"}, "`kind` must be one of executor"),
    ({"kind": ["executor"], "name": "a"}, "`kind`"),
    ({"kind": "executor"}, "`name`"),
    ({"kind": "executor", "name": "A b"}, "`name`"),
    ({"kind": "executor", "name": 7}, "`name`"),
    ({"kind": "executor", "name": "a", "distribution": 7}, "`distribution`"),
    ({"kind": "executor", "name": "a", "required": "yes"}, "`required`"),
]


@pytest.mark.parametrize(("row", "reason"), WRONG)
def test_a_wrong_entry_is_refused(
    row: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "plugins.json"
    path.write_text(json.dumps({"plugins": {"1": row}}))
    with pytest.raises(ConfigurationError) as caught:
        read_plugin_set(path)
    assert reason in caught.value.message
    assert str(path) in caught.value.message


def test_two_entries_of_one_name_must_agree(tmp_path: Path) -> None:
    path = tmp_path / "plugins.json"
    rows = {
        "1": {"kind": "tool", "name": "ghost", "distribution": "one"},
        "2": {"kind": "tool", "name": "ghost", "distribution": "two"},
    }
    path.write_text(json.dumps({"plugins": rows}))
    with pytest.raises(ConfigurationError, match="tool/ghost is there twice"):
        read_plugin_set(path)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"plugins": 7}'])
def test_a_damaged_document_is_reported_and_kept(text: str, tmp_path: Path) -> None:
    path = tmp_path / "plugins.json"
    path.write_text(text)
    with pytest.raises(StorageError):
        read_plugin_set(path)
    with pytest.raises(StorageError):
        write_plugin_set(path, PluginSet())
    assert path.read_text() == text


def test_a_document_without_the_table_is_no_empty_set(tmp_path: Path) -> None:
    path = tmp_path / "plugins.json"
    path.write_text("{}")
    with pytest.raises(ConfigurationError, match="no table"):
        read_plugin_set(path)
