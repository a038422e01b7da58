"""Measures other redactors on the same text, each in an environment of its own.

``uv`` installs them from the package index; nothing of them is in our lock file.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

_LIMIT = 600  # seconds, installation included

_DETECT_SECRETS = """
import statistics, sys, tempfile, time
from detect_secrets import SecretsCollection
from detect_secrets.settings import default_settings
times = []
with default_settings():
    for _ in range(5):
        started = time.perf_counter()
        found = SecretsCollection()
        found.scan_file(sys.argv[1])
        times.append((time.perf_counter() - started) * 1000)
print(statistics.median(times))
"""

_LLM_GUARD = """
import logging, statistics, sys, time
import structlog
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
from llm_guard.input_scanners import Secrets
text = open(sys.argv[1]).read()
scanner = Secrets()
times = []
for _ in range(3):
    started = time.perf_counter()
    scanner.scan(text)
    times.append((time.perf_counter() - started) * 1000)
print(statistics.median(times))
"""

PEERS = {
    "detect-secrets": ("detect-secrets==1.5.0", _DETECT_SECRETS),
    "llm-guard": ("llm-guard==0.3.16", _LLM_GUARD),
}
"""What is installed, and a program that prints its median in milliseconds."""


def measure_peers(body: bytes, report: Callable[..., None]) -> None:
    """Print a figure for each peer, or why there is none.

    Args:
        body: The text that they are given, as a file of one line.
        report: Prints a figure: its name, limit and value, and facts beside it.
    """
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "body.json"
        text.write_bytes(body)
        for name, (requirement, program) in PEERS.items():
            command = ["uv", "run", "--isolated", "--no-project", "--with", requirement]
            done = subprocess.run(
                [*command, "python", "-c", program, str(text)],
                capture_output=True,
                check=False,
                text=True,
                timeout=_LIMIT,
                cwd=folder,
            )
            lines = done.stdout.split()
            if done.returncode == 0 and lines:
                report(f"peer_median {name}, {len(body)} bytes", None, float(lines[-1]))
            else:
                report(f"peer_median {name}", None, -1.0, failed=done.stderr[-200:])
