from __future__ import annotations

import importlib
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from letsbe.cli import COMMANDS, main

HEAVY = {
    "ahocorasick",
    "anyio",
    "cryptography",
    "httpx",
    "mcp",
    "pluggy",
    "pydantic",
    "rich",
    "starlette",
    "tinydb",
    "uvicorn",
}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_where_the_table_says(name: str) -> None:
    place, _ = COMMANDS[name]
    module, _, attribute = place.partition(":")
    command = getattr(importlib.import_module(module), attribute)
    assert isinstance(command, click.Command)
    assert command.name == name
    assert command.help


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    shown = CliRunner().invoke(main, [name, "--help"])
    assert shown.exit_code == 0
    assert "Usage:" in shown.output


def test_help_lists_every_command_and_imports_nothing_heavy() -> None:
    code = (
        "import sys\n"
        "from letsbe.cli import main\n"
        "main(['--help'], standalone_mode=False)\n"
        "print('\\nIMPORTED', *sorted({m.split('.')[0] for m in sys.modules}))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    listing, _, imported = ended.stdout.partition("IMPORTED")
    for name, (_, line) in COMMANDS.items():
        assert name in listing
        assert line in " ".join(listing.split())
    assert not HEAVY & set(imported.split())


def test_an_unknown_command_is_a_usage_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("LETSBE_HOME", f"{tmp_path}/nowhere")
    shown = CliRunner().invoke(main, ["nonsense"])
    assert shown.exit_code == 2
    assert "nonsense" in shown.output


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_for_the_shell(shell: str) -> None:
    shown = CliRunner().invoke(main, ["completion", shell])
    assert shown.exit_code == 0
    assert "_LETSBE_COMPLETE" in shown.output
