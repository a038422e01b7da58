"""``docs/plugins.md`` names every hook, status and kind as they are."""

import importlib.util
import inspect
import re
from pathlib import Path

import pytest

from letsbe.discovery.records import Kind, Status
from letsbe.plugin import Site, _hooks
from letsbe.plugin._loading import new_manager

TEXT = (Path(__file__).parents[1] / "docs" / "plugins.md").read_text(encoding="utf-8")
HOOKS = {
    name: f"{name}({', '.join(inspect.signature(hook).parameters)})"
    for name, hook in vars(_hooks).items()
    if name.startswith("letsbe_")
}


def test_every_hook_and_its_arguments_are_documented() -> None:
    assert re.findall(r"^\| `(letsbe_\w+\([\w, ]*\))` \|", TEXT, re.MULTILINE) == [
        *HOOKS.values()
    ]


def test_the_count_of_hooks_is_the_documented_one() -> None:
    registering = {kind.hook for kind in Kind}
    counted = f"There are {len(HOOKS)} hooks: {len(registering)} register objects, "
    assert f"{counted}{len(HOOKS) - len(registering)} tell of events." in TEXT


def test_every_kind_is_documented_with_its_group_and_hook() -> None:
    for kind in Kind:
        assert f"| `{kind}` | `{kind.group}` | `{kind.hook}` |" in TEXT


def test_every_status_is_documented() -> None:
    section = TEXT.split("## What becomes of a plugin")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == set(Status)


def test_the_example_registers_what_it_says() -> None:
    (example,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    module = type(pytest)("documented_example")
    exec(compile(example, "docs/plugins.md", "exec"), vars(module))
    manager = new_manager()
    manager.register(module)
    ((clock,),) = manager.hook.letsbe_executors(site=Site(roots=()))
    assert [action.name for action in clock.actions] == ["clock_read"]


def test_every_hook_has_a_specification_that_says_what_an_exception_means() -> None:
    for name in HOOKS:
        documentation = inspect.getdoc(getattr(_hooks, name)) or ""
        assert re.search(r"exception|failing as", documentation, re.IGNORECASE), name


def test_the_reference_is_what_the_code_says() -> None:
    root = Path(__file__).parents[1]
    path = root / ".ci" / "reference.py"
    spec = importlib.util.spec_from_file_location("reference", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    shown = (root / "docs" / "reference.md").read_text(encoding="utf-8")
    assert shown == module.text(), "run .ci/reference.py"
