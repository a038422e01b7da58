"""What the documents show is true: their examples run, their commands exist.

In every Markdown file of the workspace,

- ``python`` blocks run, each in an interpreter of its own;
- ``console`` blocks run too if they use nothing but the programs in ``RUN``. The blocks
  of one file run in order in one folder, with a home that has that folder as its root;
- otherwise each command is looked up: ``./run`` and ``letsbe`` commands and their
  options must exist;
- what stands below a command, or in a ``text`` block right after a ``python`` block, is
  its output. ``...`` stands for anything;
- ``toml`` and ``json`` blocks must parse.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from letsbe.cli import main
from letsbe_hub.cli import main as hub

ROOT = Path(__file__).parents[1]
RUN = {"cat", "echo", "grep", "head", "letsbe", "letsbe-hub", "ls", "mkdir", "printf"}
KNOWN = {".", "./run", "apt", "cd", "curl", "git", "python3", "sudo", "systemctl", "uv"}
PROGRAMS = {"letsbe": main, "letsbe-hub": hub}
SERVERS = {"demo", "up"}
IGNORED = {".venv", ".uv", ".uv-cache", ".git", "node_modules"}


@dataclass(frozen=True)
class Block:
    """A fenced block of a document, and its place."""

    path: Path
    line: int
    language: str
    text: str
    output: str | None = None

    @property
    def place(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line}"

    @property
    def commands(self) -> list[tuple[str, str]]:
        """Return (command, output) of each ``$`` line, continuation lines joined."""
        found = re.findall(
            r"^\$ ((?:.*\\\n)*.*)\n((?:(?!\$ ).*\n)*)", self.text, re.MULTILINE
        )
        return [(command, output) for command, output in found]

    @property
    def runs(self) -> bool:
        words = [shlex.split(command, comments=True) for command, _ in self.commands]
        return all(w[0] in RUN and not SERVERS & set(w[:2]) for w in words)


def documents() -> list[Path]:
    return sorted(
        path
        for path in ROOT.rglob("*.md")
        if not IGNORED & set(path.relative_to(ROOT).parts)
    )


def blocks(path: Path) -> list[Block]:
    """Read a document's fenced blocks, each with the ``text`` block that follows it."""
    text = path.read_text()
    fence = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    matches = list(fence.finditer(text))
    found = []
    for match, after in zip(matches, [*matches, None][1:], strict=True):
        output = None
        if (
            after
            and after[1] == "text"
            and not text[match.end() : after.start()].strip()
        ):
            output = after[2]
        line = text.count("\n", 0, match.start()) + 1
        found.append(Block(path, line, match[1], match[2], output))
    return found


BLOCKS = [block for path in documents() for block in blocks(path)]


def of(*languages: str) -> list[Block]:
    return [block for block in BLOCKS if block.language in languages]


def same(expected: str, printed: str) -> bool:
    """Compare outputs; ``...`` matches anything, space at line ends is nothing."""
    parts = [re.escape(part) for part in tidy(expected).split("...")]
    return re.fullmatch(".*".join(parts), tidy(printed), re.DOTALL) is not None


def tidy(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def environment(folder: Path) -> dict[str, str]:
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    return {
        "PATH": path,
        "HOME": str(folder),
        "LETSBE_HOME": str(folder / "home"),
        "LETSBE_HUB_HOME": str(folder / "hub"),
        "LANG": "C.UTF-8",
        "COLUMNS": "100",
        "NO_COLOR": "1",
        "PYTHONWARNINGS": "error",
        **{k: v for k, v in os.environ.items() if k.startswith("COVERAGE_")},
    }


def execute(argv: list[str], folder: Path, where: Path) -> tuple[int, str]:
    ran = subprocess.run(
        argv,
        cwd=where,
        env=environment(folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=60,
    )
    return ran.returncode, ran.stdout


def looked_up(command: str) -> str | None:
    """Say what is wrong with one of our commands; None if nothing is."""
    words = shlex.split(command, comments=True)
    if words[0] == "./run" and words[1] not in PROGRAMS:
        helped = re.findall(r"^  ([\w-]+) ", (ROOT / "run").read_text(), re.MULTILINE)
        return None if words[1] in helped else f"./run has no {words[1]}"
    if words[0] == "./run":
        words = words[1:]
    found: click.Command = PROGRAMS[words[0]]
    options = {"--help", "-h"}
    for word in words[1:]:
        options |= {name for p in found.params for name in (*p.opts, *p.secondary_opts)}
        if word.startswith("-") and word.split("=")[0] not in options:
            return f"{found.name} has no option {word}"
        if not word.startswith("-") and isinstance(found, click.Group):
            context = click.Context(found, info_name=found.name)
            for name in word.split("|"):
                inner = found.get_command(context, name)
                if inner is None:
                    return f"{found.name} has no command {name}"
            found = inner or found
    return None


@pytest.mark.parametrize("block", of("python"), ids=lambda b: b.place)
def test_python_examples_run(block: Block, tmp_path: Path) -> None:
    (tmp_path / "example.py").write_text(block.text)
    code, printed = execute([sys.executable, "example.py"], tmp_path, tmp_path)
    assert code == 0, printed
    if block.output is not None:
        assert same(block.output, printed), printed


def console_documents() -> list[Path]:
    return sorted({block.path for block in of("console") if block.runs})


@pytest.mark.parametrize(
    "path", console_documents(), ids=lambda p: str(p.relative_to(ROOT))
)
def test_console_examples_print_what_they_show(path: Path, tmp_path: Path) -> None:
    work = tmp_path / "work"
    work.mkdir()
    init = ["letsbe", "init", "--home", str(tmp_path / "home"), "--root", str(work)]
    assert execute(init, tmp_path, work)[0] == 0
    for block in blocks(path):
        if block.language == "console" and block.runs:
            for command, output in block.commands:
                _, printed = execute(["sh", "-c", command], tmp_path, work)
                assert same(output, printed), f"{block.place}: {command}\n{printed}"


@pytest.mark.parametrize("block", of("console", "sh", "bash"), ids=lambda b: b.place)
def test_commands_exist(block: Block) -> None:
    assert block.language == "console", "show commands as `console`, each after `$ `"
    assert block.commands
    for command, _ in block.commands:
        syntax = subprocess.run(["sh", "-n", "-c", command], check=False)
        assert syntax.returncode == 0, command
        program = shlex.split(command, comments=True)[0]
        assert program in RUN | KNOWN, f"{program} is not a program that is known here"
        if program in {"./run", *PROGRAMS}:
            assert looked_up(command) is None


def named_commands() -> list[tuple[str, str]]:
    """Return (document, command) of the commands in running text and plain blocks."""
    found = []
    for path in documents():
        text = path.read_text()
        inline = re.findall(
            r"(?<!`)`((?:\./run|letsbe|letsbe-hub) [^`\n]+)`(?!`)", text
        )
        listed = [
            re.split(r"  +", line.strip())[0]
            for block in blocks(path)
            if block.language == ""
            for line in block.text.splitlines()
            if re.match(r"\s*(\./run|letsbe|letsbe-hub) \S", line)
        ]
        name = str(path.relative_to(ROOT))
        found += [(name, command) for command in (*inline, *listed)]
    return sorted(set(found))


@pytest.mark.parametrize(("document", "command"), named_commands())
def test_commands_in_running_text_exist(document: str, command: str) -> None:
    assert looked_up(command.replace("[", "").replace("]", "")) is None, document


@pytest.mark.parametrize("block", of("toml", "json"), ids=lambda b: b.place)
def test_data_examples_parse(block: Block) -> None:
    parse = {"toml": tomllib.loads, "json": json.loads}[block.language]
    assert parse(block.text) is not None


def test_every_link_to_a_file_leads_somewhere() -> None:
    broken = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in documents()
        for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text())
        if "://" not in target and not (path.parent / target).exists()
    ]
    assert broken == []


def test_every_test_that_the_security_model_names_exists() -> None:
    """A row without its test would promise what nobody looks at."""
    text = (ROOT / "docs" / "security-model.md").read_text("utf-8")
    rows = [line.split("|")[1:-1] for line in text.splitlines() if line[:2] == "| "]
    for way, _, named in rows[1:]:
        tests = re.findall(r"`([^`]+\.(?:py|js)|[^`]+::[^`]+)`", named)
        assert tests, way
        for test in tests:
            file, *names = test.split("::")
            path = ROOT / file if "/" in file else ROOT / "tests/openclaw" / file
            text = path.read_text("utf-8")
            for name in names:
                assert re.search(rf"(def|class) {name}\b", text), test


def test_the_readme_sets_up_with_two_commands() -> None:
    shown = [c for block in blocks(ROOT / "README.md") for c, _ in block.commands]
    assert [c for c in shown if c in {"./run demo", "./run test"}] == [
        "./run demo",
        "./run test",
    ]


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("letsbe up --home DIR", None),
        ("./run letsbe secrets list", None),
        ("./run test -k grammar", None),
        ("letsbe plugins list|check", None),
        ("letsbe plugins lists", "plugins has no command lists"),
        ("letsbe up --hom DIR", "up has no option --hom"),
        ("./run tests", "./run has no tests"),
    ],
)
def test_a_wrong_command_is_noticed(command: str, fault: str | None) -> None:
    assert looked_up(command) == fault


def test_outputs_are_compared() -> None:
    assert same("a\n...\nz\n", "a  \nb\nc\nz")
    assert same("id ...: ok", "id 17: ok\n")
    assert not same("a\n...\nz\n", "a\nb\n")
    assert not same("ok", "ok\nmore")
