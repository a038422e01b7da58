"""`letsbe-hub demo` tells what really happens, and leaves nothing behind."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.hub.processes import environment

DEMO = [sys.executable, "-m", "letsbe_hub", "demo"]


def begun(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        DEMO,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment() | {"TMPDIR": str(folder), "HOME": str(folder)},
    )


def gone(told: str, folder: Path) -> bool:
    """Say whether neither the Hub, nor a server, nor a file is left of it."""
    (url,) = re.findall(r"runs at (http://127\.0\.0\.1:\d+)", told)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/healthz")
    processes = Path("/proc").glob("[0-9]*/cmdline")
    left = [p for p in processes if str(folder).encode() in reading(p)]
    return not left and not list(folder.iterdir())


def reading(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""  # it has ended meanwhile


@pytest.fixture(scope="module")
def told() -> str:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        demo = begun(folder)
        try:
            said, complained = demo.communicate(timeout=240)
        finally:
            demo.kill()
        assert (demo.returncode, complained) == (0, ""), said
        assert gone(said, folder)
    return said


def test_its_facts_hold(told: str) -> None:
    facts = re.findall(r"^   checked   (.*): (yes|no)$", told, re.MULTILINE)
    assert Counter(facts) == {
        ("what the Hub shows is what the server will run, by its digest", "yes"): 1,
        ("the server ran it, and the folder is gone", "yes"): 1,
        ("the token reached the Hub", "no"): 1,
        ("the folder is still there", "yes"): 1,
        ("what ran by itself now asks first", "yes"): 1,
        ("everything was counted once", "yes"): 1,
        ("its statement, made from the buckets, says so too", "yes"): 3,
    }


def test_it_tells_each_step(told: str) -> None:
    lines = iter(told.splitlines())
    for step in (
        "bakery    operational, wrapper",
        "bakery    rm -r backup-ghp_...: denied",
        "bakery    rm -r old: pending_approval (RED)",
        "the Hub   shows `rm -r old`: removes 1 file",
        "owner     approves it",
        "dentist   knows: denied, never delete these",
        "owner     cannot decide again: the Hub says: the approval is denied",
        'the Hub   staged {"classification"',
        "dentist   file_write: pending_approval (RED)",
        "garage    lists files without the Hub: ok",
        "the Hub   is back, and knows of 6,000 tokens",
        "garage    3,000 of 8,000,000 tokens",
    ):
        assert any(line.strip().startswith(step) for line in lines), step


def test_told_to_end_in_the_middle_it_takes_everything_with_it(tmp_path: Path) -> None:
    demo = begun(tmp_path)
    assert demo.stdout is not None
    said = ""
    while "bakery    registered" not in said:
        line = demo.stdout.readline()
        assert line, said
        said += line
    demo.send_signal(signal.SIGTERM)
    said += demo.communicate(timeout=60)[0]
    assert demo.returncode == 128 + signal.SIGTERM
    assert gone(said, tmp_path)
