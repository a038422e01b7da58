"""``./run``: its set-up, with stand-ins for uv and python3 that log their calls."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROGRAMS = ["cat", "cmp", "cut", "dirname", "grep", "head", "id", "mkdir", "mv"]
PROGRAMS += [
    "readlink",
    "rm",
    "sed",
    "sh",
    "sort",
    "touch",
    "chmod",
    "mktemp",
    "nproc",
    "xargs",
]
CACHE = "-o cache_dir=.pytest_cache/all"
UV = """#!/bin/sh
[ "$1" = --version ] && echo "uv {version} (stand-in)" && exit
echo "uv $*" >>"{log}"
while [ $# -gt 0 ]; do
    [ "$1" = --output-file ] && mkdir -p "${{2%/*}}" && echo "a==1" >"$2"
    shift
done
"""
PYTHON = """#!/bin/sh
echo "python3 $*" >>"{log}"
case $* in
*ensurepip*) exit {without_venv} ;;
*version_info*) exit {too_old} ;;
--version) echo "Python 3.9.2" ;;
"-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
*"pip "*install*) cp "{new_uv}" "${{0%/python}}/uv" ;;
esac
"""


class Machine:
    """A clone in a folder with a space, and a PATH with only what is put there."""

    def __init__(self, folder: Path) -> None:
        self.clone = folder / "a clone"
        self.bin = folder / "bin"
        self.log = folder / "log"
        self.bin.mkdir()
        self.clone.mkdir()
        for name in ("run", "pyproject.toml", "uv.lock"):
            shutil.copy(ROOT / name, self.clone / name)
        for name in [*PROGRAMS, "cp"]:
            program = shutil.which(name)
            assert program is not None
            (self.bin / name).symlink_to(program)

    def program(self, name: str, text: str) -> Path:
        path = self.bin / name
        path.write_text(text)
        path.chmod(0o755)
        return path

    def uv(self, version: str, name: str = "uv") -> Path:
        return self.program(name, UV.format(version=version, log=self.log))

    def python(self, *, without_venv: int = 0, too_old: int = 0) -> None:
        new_uv = self.uv("99.0", "uv-of-the-index")
        settings = {"without_venv": without_venv, "too_old": too_old}
        text = PYTHON.format(log=self.log, new_uv=new_uv, **settings)
        self.program("python3", text)

    def run(self, *arguments: str, **environment: str) -> tuple[int, str]:
        """Run it from another folder; return exit code and what it said."""
        ran = subprocess.run(
            [self.bin / "sh", self.clone / "run", *arguments],
            cwd=self.bin,
            env={"PATH": str(self.bin), "HOME": str(self.bin), **environment},
            capture_output=True,
            text=True,
            check=False,
        )
        return ran.returncode, ran.stdout + ran.stderr

    def calls(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_the_uv_that_is_there_is_used(machine: Machine) -> None:
    machine.uv("99.0")
    code, _ = machine.run("test", "-k", "one thing")
    assert code == 0
    where = f"--project {machine.clone}"
    pytest_command = "python -m pytest --numprocesses auto"
    assert machine.calls() == [
        f"uv sync {where} --all-packages --locked --quiet",
        f"uv run {where} --no-sync --quiet -- {pytest_command} -k one thing {CACHE}",
    ]
    assert not (machine.clone / ".uv").exists()


@pytest.mark.parametrize("old", [None, "0.1.9"])
def test_without_a_new_enough_uv_one_is_installed_once(
    machine: Machine, old: str | None
) -> None:
    if old:
        machine.uv(old)
    machine.python()
    code, said = machine.run("test")
    assert code == 0, said
    assert "installing uv into .uv/" in said
    floor = re.search(
        r'required-version = "(.*)"', (ROOT / "pyproject.toml").read_text()
    )
    assert floor is not None
    assert any(f"install uv{floor[1]}" in call for call in machine.calls())
    assert sorted(p.name for p in machine.clone.glob(".uv*")) == [".uv"]
    _, said = machine.run("test")
    assert "installing uv" not in said


@pytest.mark.parametrize(
    ("setting", "advice"),
    [
        ({"without_venv": 1}, "apt install python3-venv"),
        ({"too_old": 1}, "Python 3.11 or newer is needed"),
    ],
)
def test_what_is_missing_is_named(
    machine: Machine, setting: dict[str, int], advice: str
) -> None:
    machine.python(**setting)
    code, said = machine.run("demo")
    assert code == 1
    assert advice in said
    assert not list(machine.clone.glob(".uv*"))


def test_a_missing_python_is_named(machine: Machine) -> None:
    code, said = machine.run("test")
    assert code == 1
    assert "apt install python3 python3-venv" in said


def test_another_index_gives_the_files_of_the_lock(machine: Machine) -> None:
    machine.uv("99.0")
    index = "http://127.0.0.1:1/simple"
    code, said = machine.run("test", PIP_INDEX_URL=index)
    assert code == 0, said
    installs = [call for call in machine.calls() if call.startswith("uv pip install")]
    assert f"--default-index {index} --require-hashes" in installs[0]
    assert "--no-deps" in installs[1]
    machine.run("test", PIP_INDEX_URL=index)
    assert len([c for c in machine.calls() if c.startswith("uv pip install")]) == 2


def test_each_distribution_is_tested_alone_and_one_that_fails_fails_all(
    machine: Machine,
) -> None:
    for folder, name in (("core", "one"), ("hub", "two"), ("plugins/a/b", "three")):
        (machine.clone / folder).mkdir(parents=True)
        (machine.clone / folder / "pyproject.toml").write_text(f'name = "{name}"\n')
    uv = machine.uv("99.0")
    code, said = machine.run("isolated")
    assert code == 0, said
    told = re.findall(r"tested (\w+) alone", said)
    assert sorted(told) == ["one", "three", "two"]
    tests = [call for call in machine.calls() if "--isolated" in call]
    assert sorted(call.split("--package ")[1].split()[0] for call in tests) == [
        *("one", "three", "two")
    ]
    text = uv.read_text().replace(
        "while",
        'case "$*" in *"--package two "*) echo broken; exit 1 ;; esac\nwhile',
        1,
    )
    uv.write_text(text)
    code, said = machine.run("isolated")
    assert code != 0
    assert "tested three alone" in said
    assert machine.run("isolated", "one")[0] == 0
    code, said = machine.run("isolated", "four")
    assert "there is no distribution four" in said


@pytest.mark.parametrize(
    ("exits", "failed", "ci", "code"),
    [
        ((1, 0, 0), 3, "true", 0),
        ((1, 0, 1), 1, "true", 1),
        ((1, 1), 1, "true", 1),
        ((1,), 4, "true", 1),
        ((1,), 1, "", 1),
        ((2,), 1, "true", 2),
    ],
)
def test_in_ci_a_few_tests_that_failed_run_again_and_must_pass_twice(
    machine: Machine, exits: tuple[int, ...], failed: int, ci: str, code: int
) -> None:
    kept = machine.clone / ".pytest_cache/all/v/cache/lastfailed"
    names = ",\n".join(
        f'  "tests/test_{n}.py::test_[a b]": true' for n in range(failed)
    )
    first, *later = exits
    lines = [
        "#!/bin/sh",
        '[ "$1" = --version ] && echo "uv 99.0 (stand-in)" && exit',
        'case "$*" in *"-m pytest"*) ;; *) exit 0 ;; esac',
        f'echo "uv $*, at once: $PYTEST_XDIST_AUTO_NUM_WORKERS" >>"{machine.log}"',
        *('case "$*" in *--last-failed*)', f"  grep -q test_0 '{kept}' || exit 5"),
        f"  echo '{{}}' >'{kept}'",
        f'  case $(grep -c last-failed "{machine.log}") in',
        *(f"  {time}) exit {status} ;;" for time, status in enumerate(later, 1)),
        *("  esac ;;", "esac"),
        f"mkdir -p '{kept.parent}'",
        f"printf '{{\n%s\n}}' '{names}' >'{kept}'",
        f"exit {first}",
    ]
    machine.program("uv", "\n".join(lines))
    ended, said = machine.run("test", CI=ci)
    assert ended == code, said
    again = [call for call in machine.calls() if "--last-failed" in call]
    assert len(again) == len(later)
    assert all(call.endswith("none, at once: 0") for call in again)
    assert said.count("UNSTABLE") == len(later)
    assert said.count("tests/test_0.py::test_[a b]") == len(later)


def test_every_command_is_in_the_help() -> None:
    text = (ROOT / "run").read_text()
    accepted = re.search(r"^(demo .*)\) set_up ;;$", text, re.MULTILINE)
    assert accepted is not None
    helped = re.findall(r"^  ([\w-]+) ", text, re.MULTILINE)
    assert {*accepted[1].split(" | "), "help"} == set(helped)


@pytest.mark.parametrize("arguments", [["tset"], ["--all"]])
def test_an_unknown_command_changes_nothing(
    machine: Machine, arguments: list[str]
) -> None:
    code, said = machine.run(*arguments)
    assert code == 1
    assert f"there is no command {arguments[0]}" in said
    assert machine.calls() == []


@pytest.mark.may_skip("root may write everywhere")
@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_of_someone_else_is_named(machine: Machine) -> None:
    machine.clone.chmod(0o555)
    code, said = machine.run("test")
    assert code == 1
    assert "is not writable by" in said
