"""Whatever our grammar accepts, bash and tree-sitter-bash read with the same words.

Two kinds of lines are compared: those of the set of commands, and lines made at random
of the pieces that quoting, globs, comments and redirections are made of.
"""

import importlib.util
import json
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letsbe.policy.commands import CommandRefused, parse_line

_HERE = Path(__file__).parent
_SPEC = importlib.util.spec_from_file_location("oracles", _HERE / "oracles.py")
assert _SPEC
assert _SPEC.loader
oracles = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = oracles
_SPEC.loader.exec_module(oracles)

DATASET = _HERE.parent / "datasets" / "shell.jsonl"
PIECES = (
    *("a", "ls", "b.c", "-n", "--x=y", "'q r'", "'$x'", '"d e"', '"$"', '"\\$z"'),
    *("\\ ", "\\$", "\\'", "''", '""', "*", "?.x", "[ab]", "{}", "{", "}", "~/x", "~"),
    *("#c", "a#b", "$", "/x/y", "=", "+", ",", ":", "@", "%", "^", "!", "1", "2", "é"),
    *(
        "\\\n",
        "\n",
        " ",
        " ",
        "\t",
        "|",
        "&&",
        "||",
        ";",
        "|&",
        "<",
        "< f",
        ">",
        "&",
        "`",
    ),
    *(
        ">/dev/null",
        "2>&1",
        "2>/dev/null",
        ">&2",
        "&>/dev/null",
        ">>/dev/null",
        "(",
        ")",
    ),
)
LINES = st.lists(st.sampled_from(PIECES), min_size=1, max_size=9).map("".join)


def accepted(line: str) -> list[list[str]] | None:
    try:
        return [list(stage.argv) for stage in parse_line(line).stages]
    except CommandRefused:
        return None


def lines_of_the_set() -> list[str]:
    rows = DATASET.read_text(encoding="utf-8").splitlines()
    lines = [json.loads(row)["command"] for row in rows]
    return [line for line in lines if accepted(line) is not None]


def test_tree_sitter_reads_the_set_as_we_do() -> None:
    lines, silent = lines_of_the_set(), 0
    for line in lines:
        try:
            theirs = oracles.tree_sitter_argvs(line)
        except oracles.CannotSay:
            silent += 1
            continue
        assert accepted(line) == theirs, line
    assert silent < len(lines) / 20


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is the oracle")
def test_bash_accepts_what_we_accept_of_the_set() -> None:
    assert oracles.bash_accepts(lines_of_the_set()) == ""


@settings(max_examples=2000, deadline=None)
@given(LINES)
def test_tree_sitter_reads_what_we_accept_as_we_do(line: str) -> None:
    ours = accepted(line)
    if ours is None:
        return
    try:
        theirs = oracles.tree_sitter_argvs(line)
    except oracles.CannotSay:
        return
    assert ours == theirs


@pytest.mark.skipif(not shutil.which("bash"), reason="bash is the oracle")
@settings(max_examples=20, deadline=None)
@given(st.lists(LINES, min_size=300, max_size=300))
def test_bash_accepts_what_we_accept(lines: list[str]) -> None:
    assert oracles.bash_accepts(x for x in lines if accepted(x) is not None) == ""


def test_the_oracles_differ_where_words_do() -> None:
    assert oracles.tree_sitter_argvs("ls 'a b' \"c\"d | wc") == [
        ["ls", "a b", "cd"],
        ["wc"],
    ]
    with pytest.raises(oracles.CannotSay):
        oracles.tree_sitter_argvs("ls | (")
    if shutil.which("bash"):
        assert oracles.bash_accepts(["ls ;; id"])
