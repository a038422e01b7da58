"""Measures what the sandbox adds to a program: ``python -m benchmarks.sandbox``.

Prints one JSON line per figure, times in milliseconds. The same program is started in
turns by ``subprocess.run``, by the core's runner without a sandbox, and by the runner
with one for each tier, with and without resource limits.
``benchmarks/README.md`` says what each figure means.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from letsbe.execution import Program, Run
from letsbe.policy.sandbox import Access, ResourceLimits, Sandbox, SandboxSettings
from letsbe.policy.tiers import Tier

PROGRAM = "/bin/true"
LIMIT = 6.0
NO_LIMITS = ResourceLimits(
    cpu_seconds=None, memory=None, processes=None, file_size=None, open_files=None
)
TIERS = (Tier.GREEN, Tier.YELLOW, Tier.RED)


def by_runner(sandbox: Sandbox | None, access: Access | None) -> Callable[[], object]:
    """Return what starts the program by the core's runner, and waits for it."""
    program = Program(PROGRAM, [PROGRAM], {"PATH": "/usr/bin"}, access=access)

    def run() -> None:
        job = Run(1000, 1000, time.monotonic() + 60, sandbox)
        try:
            job.pipeline([program], "/")
        finally:
            job.close()

    return run


def make_runs(folder: Path) -> dict[str, Callable[[], object]]:
    (folder / "root").mkdir()
    (folder / "closed").mkdir()

    def sandbox(limits: ResourceLimits) -> Sandbox:
        settings = SandboxSettings(sandbox="required", limits=limits)
        roots, closed = [folder / "root"], [folder / "closed"]
        return Sandbox(settings, roots=roots, closed=closed)

    limited, unlimited = sandbox(ResourceLimits()), sandbox(NO_LIMITS)
    runs: dict[str, Callable[[], object]] = {
        "subprocess.run": lambda: subprocess.run(
            [PROGRAM], capture_output=True, check=True
        ),
        "runner": by_runner(None, None),
    }
    for tier in TIERS:
        runs[str(tier)] = by_runner(limited, Access(tier))
        runs[f"{tier} without limits"] = by_runner(unlimited, Access(tier))
    return runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(dir="/var/tmp") as name:
        runs = make_runs(Path(name))
        times: dict[str, list[float]] = {kind: [] for kind in runs}
        time.sleep(0.2)  # the closed place's surroundings settle
        for _ in range(rounds):
            for kind, run in runs.items():
                started = time.perf_counter()
                run()
                times[kind].append((time.perf_counter() - started) * 1000)
    medians = {kind: statistics.median(taken) for kind, taken in times.items()}
    for tier in TIERS:
        added = medians[str(tier)] - medians["runner"]
        line = {
            "figure": f"sandbox_added_median {tier}",
            "value": round(added, 3),
            "unit": "ms",
            "limit": LIMIT,
            "kept": added <= LIMIT,
            "of_it_limits": round(
                medians[str(tier)] - medians[f"{tier} without limits"], 3
            ),
            "median": round(medians[str(tier)], 3),
            "runner": round(medians["runner"], 3),
            "subprocess.run": round(medians["subprocess.run"], 3),
            "ratio": round(medians[str(tier)] / medians["subprocess.run"], 2),
            "root": os.geteuid() == 0,
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
