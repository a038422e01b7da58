"""What a server gives back of its memory."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
from pathlib import Path
from letsbe.footprint import give_back, keep_small

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096

keep_small()
kept = []
blocks = []
for _ in range(1_000):  # each too small for a mapping of its own, none at the end
    blocks.append(bytearray(60_000))
    kept.append(bytearray(600))
blocks.clear()
before = resident()
give_back()
print(before - resident())
"""


def printed(program: str) -> str:
    """Return what a program prints in a process of its own."""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_what_was_freed_goes_back_to_the_system() -> None:
    assert int(printed(PROGRAM)) > 20_000_000


def test_httpx_comes_without_its_command_line() -> None:
    program = (
        "import sys; from letsbe.footprint import keep_small; keep_small(); import"
        " httpx; print('rich' in sys.modules, httpx.Client().timeout.connect)"
    )
    assert printed(program).split() == ["False", "5.0"]


def test_what_a_start_made_is_left_out_of_later_searches() -> None:
    program = (
        "import gc; from letsbe.footprint import settle; k = [[] for _ in range(1000)]"
        "; settle(); print(len(gc.get_objects()) < 1000, gc.get_freeze_count() > 1000)"
    )
    assert printed(program).split() == ["True", "True"]
