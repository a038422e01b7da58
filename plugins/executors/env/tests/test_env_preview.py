"""The keys that an update touches, told before it is done, and never a value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from letsbe.plugin import Preview, ToolFailed
from letsbe.testing import make_call, make_site
from letsbe_executor_env.executor import ACTIONS, EnvExecutor

BY_NAME = {action.name: action for action in ACTIONS}


@pytest.fixture
def executor(tmp_path: Path) -> EnvExecutor:
    (tmp_path / ".env").write_text("PORT=80\nKEY=hunter2\n")
    return EnvExecutor(make_site(tmp_path))


def previewed(executor: EnvExecutor, tool: str, **arguments: Any) -> Preview | None:
    call = make_call(BY_NAME[tool], arguments)
    return executor.preview(call, executor.classify(call), lambda data: data)


def test_keys_are_named_and_nothing_is_changed(
    executor: EnvExecutor, tmp_path: Path
) -> None:
    told = previewed(
        executor,
        "env_update",
        set={"PORT": "8080", "NEW": "swordfish"},
        unset=["KEY", "GONE"],
    )
    assert told is not None
    assert told.detail == {
        "adds": ["NEW"],
        "sets": ["PORT"],
        "removes": ["KEY"],
        "finds nothing to remove of": ["GONE"],
    }
    assert "adds NEW; sets PORT; removes KEY" in told.summary
    assert not any(value in repr(told) for value in ("8080", "swordfish", "hunter2"))
    assert (tmp_path / ".env").read_text() == "PORT=80\nKEY=hunter2\n"


def test_a_new_file_gets_all_keys(executor: EnvExecutor, tmp_path: Path) -> None:
    told = previewed(executor, "env_update", path="new.env", set={"A": "1"})
    assert told is not None
    assert told.detail["adds"] == ["A"]
    assert not (tmp_path / "new.env").exists()


def test_reads_have_no_preview(executor: EnvExecutor) -> None:
    assert previewed(executor, "env_read") is None


def test_a_file_that_is_none_is_said(executor: EnvExecutor, tmp_path: Path) -> None:
    (tmp_path / "b.env").write_bytes(b"\xff\xff")
    with pytest.raises(ToolFailed):
        previewed(executor, "env_update", path="b.env", set={"A": "1"})


def test_the_class_of_an_update(executor: EnvExecutor) -> None:
    call = make_call(BY_NAME["env_update"], {"set": {"A": "1"}})
    (step,) = executor.classify(call).steps or ()
    assert (step.does, set(step.flags)) == ("env_update", {"set"})
    assert executor.classify(make_call(BY_NAME["env_read"], {})).steps == ()
