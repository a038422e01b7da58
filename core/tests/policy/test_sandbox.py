"""Programs started for real, held to what they may do."""

from __future__ import annotations

import dataclasses
import gc
import os
import pwd
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from letsbe.errors import ConfigurationError
from letsbe.policy.sandbox import (
    Access,
    Grant,
    Level,
    Mechanism,
    ResourceLimits,
    Sandbox,
    SandboxFailed,
    SandboxSettings,
    Start,
    _bubblewrap,
    _landlock,
    _system,
)
from letsbe.policy.sandbox._limits import Limits
from letsbe.policy.tiers import Tier

GREEN = Access(Tier.GREEN)
YELLOW = Access(Tier.YELLOW)
RED = Access(Tier.RED)
IS_ROOT = os.geteuid() == 0


@pytest.fixture(autouse=True)
def needs_landlock() -> None:
    if not _landlock.abi():
        pytest.skip("this kernel has no Landlock")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "root").mkdir()
    (tmp_path / "root/a").write_text("a\n")
    (tmp_path / "outside").write_text("outside\n")
    (tmp_path / "closed").mkdir()
    (tmp_path / "closed/key").write_text("canary\n")
    return tmp_path / "root"


def make(
    root: Path,
    settings: SandboxSettings | None = None,
    mechanism: Mechanism | None = None,
    landlock_abi: int | None = None,
) -> Sandbox:
    return Sandbox(
        settings or SandboxSettings(),
        roots=[root],
        closed=[root.parent / "closed"],
        mechanism=mechanism,
        landlock_abi=landlock_abi,
    )


def run(
    sandbox: Sandbox, access: Access, *argv: str, cwd: str = "/"
) -> tuple[int, str]:
    """Run a program; return its exit code and all it printed."""
    reader, writer = os.pipe2(os.O_CLOEXEC)
    executable = shutil.which(argv[0])
    assert executable
    with sandbox.temporary_folder([access]) as temporary:
        start = Start(
            argv,
            executable,
            cwd,
            {"PATH": os.environ["PATH"]},
            subprocess.DEVNULL,
            writer,
            writer,
        )
        try:
            process = sandbox.start(access, start, temporary)
        finally:
            os.close(writer)
        with os.fdopen(reader) as output:
            text = output.read()
        return process.wait(), text


@pytest.fixture
def sandbox(root: Path) -> Sandbox:
    return make(root)


def test_the_best_mechanism_is_chosen(sandbox: Sandbox) -> None:
    assert sandbox.mechanism is Mechanism.LANDLOCK
    assert "Landlock" in sandbox.describe()


def test_green_reads_and_no_more(sandbox: Sandbox, root: Path) -> None:
    assert run(sandbox, GREEN, "cat", f"{root}/a") == (0, "a\n")
    assert run(sandbox, GREEN, "touch", f"{root}/new")[0] != 0
    assert run(sandbox, GREEN, "chmod", "777", f"{root}/a")[0] != 0
    assert [path.name for path in root.iterdir()] == ["a"]


def test_yellow_writes_inside_the_roots_only(sandbox: Sandbox, root: Path) -> None:
    assert run(sandbox, YELLOW, "cp", f"{root}/a", f"{root}/b")[0] == 0
    assert run(sandbox, YELLOW, "chmod", "600", f"{root}/b")[0] == 0
    assert run(sandbox, YELLOW, "cp", f"{root}/a", f"{root.parent}/b")[0] != 0
    assert run(sandbox, YELLOW, "mv", f"{root}/a", f"{root.parent}/outside")[0] != 0
    assert (root.parent / "outside").read_text() == "outside\n"
    assert (root / "b").read_text() == "a\n"


@pytest.mark.may_skip("only root has a mount namespace to hide in")
def test_yellow_changes_no_metadata_outside(sandbox: Sandbox, root: Path) -> None:
    if not IS_ROOT:
        pytest.skip("Landlock knows no metadata, and only root may mount")
    assert run(sandbox, YELLOW, "chmod", "777", f"{root.parent}/outside")[0] != 0
    assert run(sandbox, YELLOW, "touch", "-d", "@1", f"{root.parent}/outside")[0] != 0


def test_red_changes_all_but_the_closed_places(sandbox: Sandbox, root: Path) -> None:
    assert run(sandbox, RED, "rm", f"{root}/a")[0] == 0
    for words in (("cat", "closed/key"), ("rm", "closed/key"), ("touch", "closed/x")):
        assert run(sandbox, RED, *words, cwd=str(root.parent))[0] != 0
    assert (root.parent / "closed/key").read_text() == "canary\n"


@pytest.mark.parametrize("access", [GREEN, YELLOW, RED])
def test_closed_places_are_not_read(
    sandbox: Sandbox, root: Path, access: Access
) -> None:
    assert "canary" not in run(sandbox, access, "cat", f"{root.parent}/closed/key")[1]


def test_secrets_are_closed_to_green_alone(sandbox: Sandbox) -> None:
    if IS_ROOT:
        assert run(sandbox, GREEN, "cat", "/etc/shadow")[0] != 0
        granted = Access(Tier.GREEN, grants=frozenset({Grant.ACCOUNTS}))
        assert run(sandbox, granted, "cat", "/etc/shadow")[0] == 0
    assert run(sandbox, GREEN, "cat", "/etc/passwd")[0] == 0


def test_what_appears_later_can_be_read(sandbox: Sandbox, root: Path) -> None:
    for number in range(5):
        beside = root.parent / f"later-{number}"
        beside.write_text("later\n")
        assert run(sandbox, GREEN, "cat", str(beside)) == (0, "later\n")


def test_a_closed_place_inside_a_root(root: Path) -> None:
    (root / "state").mkdir()
    (root / "folder").mkdir()
    closing = Sandbox(SandboxSettings(), roots=[root], closed=[root / "state"])
    assert run(closing, YELLOW, "touch", f"{root}/folder/new")[0] == 0
    assert run(closing, YELLOW, "touch", f"{root}/state/new")[0] != 0
    assert run(closing, YELLOW, "mv", f"{root}/state", f"{root}/folder/")[0] != 0
    assert str(root) in closing.describe()


@pytest.mark.parametrize("version", range(1, 8))
def test_every_abi_version_is_held_to_its_tier(root: Path, version: int) -> None:
    older = make(root, landlock_abi=version)
    truncate = f"import os; os.truncate('{root}/a', 0)"
    opening = f"import os; os.open('{root}/a', os.O_RDONLY | os.O_TRUNC)"
    for words in (truncate, opening):
        assert run(older, GREEN, sys.executable, "-c", words)[0] != 0
    outside = truncate.replace("root/a", "outside")
    assert run(older, YELLOW, sys.executable, "-c", outside)[0] != 0
    assert run(older, GREEN, "sh", "-c", f"kill -TERM {os.getpid()}")[0] != 0
    assert run(older, GREEN, "cat", f"{root}/a") == (0, "a\n")
    assert run(older, YELLOW, "touch", f"{root}/new")[0] == 0
    assert (root / "a").read_text() == "a\n"
    assert (root.parent / "outside").read_text() == "outside\n"


def test_the_service_itself_is_not_restricted(sandbox: Sandbox, root: Path) -> None:
    before = Path("/proc/self/status").read_text()
    run(sandbox, GREEN, "true")
    (root / "mine").write_text("still mine")
    after = Path("/proc/self/status").read_text()
    for name in ("CapEff", "CapBnd", "NoNewPrivs", "Seccomp:"):
        lines = [next(x for x in t.splitlines() if name in x) for t in (before, after)]
        assert lines[0] == lines[1]


def test_many_at_once(sandbox: Sandbox, root: Path) -> None:
    results: list[tuple[int, str]] = []

    def work(number: int) -> None:
        access = (GREEN, YELLOW, RED)[number % 3]
        results.append(run(sandbox, access, "cat", f"{root}/a"))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [(0, "a\n")] * 24


def count_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_descriptors_do_not_leak(sandbox: Sandbox, root: Path) -> None:
    for access in (GREEN, YELLOW, RED):
        run(sandbox, access, "true")
    before = count_descriptors()
    for number in range(5):
        (root.parent / f"changes-{number}").touch()
        for access in (GREEN, YELLOW, RED):
            run(sandbox, access, "true")
    assert count_descriptors() == before


def test_what_cannot_be_kept_in_is_not_started(
    sandbox: Sandbox, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(1, "refused")

    for module, name in ((_landlock, "restrict"), (_system, "set_filter")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, fail)
            with pytest.raises(SandboxFailed):
                run(sandbox, YELLOW, "touch", f"{root}/new")
    assert not (root / "new").exists()


def without_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(38, "not there")

    monkeypatch.setattr(_landlock, "abi", lambda: 0)
    monkeypatch.setattr(_system, "set_filter", fail)
    monkeypatch.setattr(_bubblewrap, "find_bubblewrap", lambda: None)


def test_required_and_unavailable_is_an_error(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_anything(monkeypatch)
    with pytest.raises(ConfigurationError, match="sandbox is required"):
        make(root, SandboxSettings(sandbox="required"))


def test_optional_and_unavailable_is_told(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_anything(monkeypatch)
    poor = make(root)
    assert poor.mechanism is Mechanism.NONE
    assert "not enforced" in poor.describe()
    assert run(poor, GREEN, "cat", f"{root}/a") == (0, "a\n")


def test_seccomp_alone_keeps_green_from_writing(root: Path) -> None:
    alone = make(root, mechanism=Mechanism.SECCOMP)
    assert run(alone, GREEN, "touch", f"{root}/new")[0] != 0
    assert run(alone, GREEN, "rm", "-f", f"{root}/a")[0] != 0
    assert run(alone, GREEN, "cat", f"{root}/a") == (0, "a\n")
    assert "seccomp alone" in alone.describe()


def test_bubblewrap_does_the_same(root: Path) -> None:
    if not _bubblewrap.find_bubblewrap():
        pytest.skip("bubblewrap is not installed")
    wrapped = make(root, mechanism=Mechanism.BUBBLEWRAP)
    connect = "import socket; socket.create_connection(('127.0.0.1', 1))"
    assert run(wrapped, GREEN, "cat", f"{root}/a") == (0, "a\n")
    assert run(wrapped, GREEN, "touch", f"{root}/new")[0] != 0
    assert "canary" not in run(wrapped, GREEN, "cat", f"{root.parent}/closed/key")[1]
    assert "REFUSED" not in run(wrapped, GREEN, sys.executable, "-c", connect)[1]
    assert run(wrapped, YELLOW, "touch", f"{root}/new")[0] == 0
    assert run(wrapped, YELLOW, "touch", f"{root.parent}/new")[0] != 0


def test_an_unknown_user_is_an_error(root: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no user"):
        make(root, SandboxSettings(user="letsbe-nobody-of-that-name"))


@pytest.mark.may_skip("only root can start programs as another user")
@pytest.mark.parametrize("access", [GREEN, YELLOW, RED])
def test_another_user(root: Path, access: Access) -> None:
    if not IS_ROOT:
        pytest.skip("needs root")
    other = make(root, SandboxSettings(user="nobody"))
    number = pwd.getpwnam("nobody").pw_uid
    code, output = run(other, access, "grep", "-E", "Uid|CapEff", "/proc/self/status")
    lines = dict(line.split(":") for line in output.splitlines())
    assert code == 0
    assert lines["Uid"].split() == [str(number)] * 4
    assert int(lines["CapEff"], 16) == 0


@pytest.fixture
def limited(root: Path) -> Sandbox:
    limits = ResourceLimits(cpu_seconds=1, memory=100_000_000, open_files=20)
    return make(root, SandboxSettings(limits=limits))


LIMITS = "ulimit -t; ulimit -d; ulimit -n"


@pytest.mark.parametrize("access", [YELLOW, RED])
def test_limits_hold_from_the_first_instruction(
    limited: Sandbox, access: Access
) -> None:
    code, output = run(limited, access, "sh", "-c", LIMITS)
    assert (code, output.split()) == (0, ["1", str(100_000_000 // 1024), "20"])


@pytest.mark.parametrize(
    "line",
    [
        f"sleep 0.3; {LIMITS}",
        # What it started before they were set is given them too, at any depth.
        f"(sleep 0.3; {LIMITS}) & (sh -c 'sleep 0.4' &) ; wait",
        f"(sh -c '(sleep 0.3; {LIMITS}) & wait') & wait",
    ],
)
def test_limits_of_a_reader_are_set_when_it_has_begun(
    limited: Sandbox, line: str
) -> None:
    code, output = run(limited, GREEN, "sh", "-c", line)
    assert (code, output.split()) == (0, ["1", str(100_000_000 // 1024), "20"])


@pytest.mark.parametrize("access", [GREEN, YELLOW])
def test_what_limits_do(limited: Sandbox, access: Access) -> None:
    assert run(limited, access, "sh", "-c", "while :; do :; done")[0] != 0
    greedy = "x = bytearray(500_000_000)"
    assert "MemoryError" in run(limited, access, sys.executable, "-c", greedy)[1]


def test_a_limited_process_has_its_children_limited(root: Path) -> None:
    limits = Limits(ResourceLimits(open_files=20))
    started = "sleep 30 & (sleep 30 & wait) & echo; wait"
    with subprocess.Popen(["sh", "-c", started], stdout=-1) as process:
        assert process.stdout is not None
        process.stdout.readline()
        limits.apply(process.pid)
        found = [process.pid, *_below(process.pid)]
        for number in found:
            assert resource.prlimit(number, resource.RLIMIT_NOFILE) == (20, 20)
            os.kill(number, signal.SIGKILL)
    assert len(found) >= 3


def _below(number: int) -> list[int]:
    path = Path(f"/proc/{number}/task/{number}/children")
    children = [int(child) for child in path.read_text().split()]
    return [each for child in children for each in (child, *_below(child))]


def test_threads_that_are_restricted_are_used_again(root: Path) -> None:
    sandbox = make(root)
    alone, until = threading.active_count(), time.monotonic() + 30
    # One is kept once the folders have been quiet for a while; others write there too.
    while threading.active_count() == alone and time.monotonic() < until:
        assert run(sandbox, GREEN, "true")[0] == 0
    names = [run(sandbox, GREEN, "echo", str(turn))[1].strip() for turn in range(5)]
    assert names == list("01234")
    before = threading.active_count()
    assert run(sandbox, GREEN, "true")[0] == 0
    assert threading.active_count() == before
    del sandbox
    gc.collect()
    until = time.monotonic() + 5
    while threading.active_count() >= before and time.monotonic() < until:
        time.sleep(0.01)
    assert threading.active_count() < before


def test_a_limit_above_our_own_is_lowered(root: Path) -> None:
    limits = ResourceLimits(open_files=2**40)
    assert run(make(root, SandboxSettings(limits=limits)), GREEN, "true")[0] == 0


def test_levels() -> None:
    system = frozenset({Grant.SYSTEM})
    assert Access(Tier.GREEN, grants=frozenset(Grant)).level is Level.READ
    assert Access(Tier.YELLOW).level is Level.WRITE
    assert Access(Tier.YELLOW_EXTERNAL).level is Level.WRITE
    assert Access(Tier.YELLOW, grants=system).level is Level.CHANGE
    assert Access(Tier.RED).level is Level.CHANGE
    assert Access(Tier.RED, grants=frozenset({Grant.WHOLE})).level is Level.FREE
    assert not Access(Tier.YELLOW, grants=frozenset(Grant)).gains
    assert Access(Tier.RED, grants=frozenset({Grant.GAIN})).gains


def test_who_reaches_out() -> None:
    assert not Access(Tier.GREEN, network=True, grants=frozenset(Grant)).reaches_out
    assert not YELLOW.reaches_out
    assert dataclasses.replace(YELLOW, network=True).reaches_out
    assert Access(Tier.YELLOW_EXTERNAL).reaches_out
    assert RED.reaches_out


def test_only_what_gains_goes_without_no_new_privileges(sandbox: Sandbox) -> None:
    gains = Access(Tier.RED, grants=frozenset({Grant.GAIN}))
    whole = Access(Tier.RED, grants=frozenset({Grant.WHOLE}))
    for access, expected in ((gains, "0"), (whole, "1"), (RED, "1"), (YELLOW, "1")):
        output = run(sandbox, access, "grep", "NoNewPrivs", "/proc/self/status")[1]
        assert output.split()[1] == expected
