"""Properties of the grammar: no text breaks it, and bash reads what it reads."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from letsbe.policy.commands import CommandRefused, parse_line

WORDS = st.lists(
    st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), max_size=12),
    min_size=1,
    max_size=6,
)
SHELLISH = st.text(
    alphabet="ab1 \t'\"\\|&;$`(){}[]*?~#!=:,./-@%^+_", min_size=1, max_size=24
)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(CommandRefused):
        assert parse_line(text).stages


@given(WORDS)
def test_quoted_words_come_back(words: list[str]) -> None:
    text = "echo " + shlex.join(words)
    (stage,) = parse_line(text).stages
    assert list(stage.argv[1:]) == words


@given(st.lists(WORDS, min_size=1, max_size=4), st.sampled_from(["|", "&&", "||", ";"]))
def test_quotes_hide_operators(commands: list[list[str]], operator: str) -> None:
    text = f" {operator} ".join("echo " + shlex.join(words) for words in commands)
    stages = parse_line(text).stages
    assert [list(stage.argv[1:]) for stage in stages] == commands


BASH = shutil.which("bash")


@pytest.mark.skipif(BASH is None, reason="bash is the oracle")
@settings(
    deadline=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(SHELLISH)
def test_bash_reads_the_same_words(tmp_path: Path, text: str) -> None:
    """With -f: globs stay as they are, which is what our words keep too."""
    command = "printf '%s\\0' x " + text
    try:
        stages = parse_line(command).stages
    except CommandRefused:
        return
    if len(stages) > 1 or any(word.tilde for word in stages[0].words):
        return
    result = subprocess.run(
        [str(BASH), "--norc", "-f", "-c", command],
        cwd=tmp_path,
        env={"PATH": "/nonexistent", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        check=True,
    )
    words = result.stdout.decode().split("\0")[:-1]
    assert words == list(stages[0].argv[2:])
