"""The provisioner's files: read as every reader would, or refused by line."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from letsbe.errors import ConfigurationError
from letsbe.tools.environment_files import read_environment

CANARY = "canary-9fK2mQ7x"


def written(folder: Path, text: str) -> Path:
    path = folder / "tool.env"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b", "b"),
        ("export A=b", "b"),
        ("A=", ""),
        ("A='b $c \"d\" # e'", 'b $c "d" # e'),
        ('A="b \\"c\\" \\$d \\\\"', 'b "c" $d \\'),
        ("A=https://x.example/#top", "https://x.example/#top"),
        ("A=b=c==", "b=c=="),
    ],
)
def test_a_value_is_what_a_shell_takes(tmp_path: Path, line: str, value: str) -> None:
    path = written(tmp_path, f"# comment\n\n{line}\n")
    assert read_environment(path) == {"A": value}
    shell = subprocess.run(
        ["sh", "-c", '. "$0"; printf %s "$A"', str(path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shell.stdout == value


@pytest.mark.parametrize(
    "line",
    [
        f"A={CANARY} # b",
        f"A=$HOME{CANARY}",
        f'A="{CANARY}',
        f"A='{CANARY}'b",
        f'A="$({CANARY})"',
        f"A=`{CANARY}`",
        f"{CANARY}",
        f"A-B={CANARY}",
        f"A = {CANARY}",
    ],
)
def test_what_readers_differ_about_is_refused_unseen(tmp_path: Path, line: str) -> None:
    path = written(tmp_path, f"X=1\n{line}\n")
    with pytest.raises(ConfigurationError, match="line 2") as caught:
        read_environment(path)
    assert CANARY not in str(caught.value)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc"))))
def test_a_single_quoted_value_is_itself(tmp_path: Path, value: str) -> None:
    if "'" not in value:
        path = written(tmp_path, f"A='{value}'\n")
        assert read_environment(path) == {"A": value}


def test_what_is_no_text_is_said_to_be(tmp_path: Path) -> None:
    path = tmp_path / "x.env"
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_environment(path)
    path.write_bytes(b"A=\xff\n")
    with pytest.raises(ConfigurationError, match="UTF-8"):
        read_environment(path)
    path.write_bytes(b"#" * (1024 * 1024 + 2))
    with pytest.raises(ConfigurationError, match="1 MiB"):
        read_environment(path)
