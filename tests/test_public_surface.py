"""What plugin authors are promised: the names, and what importing them costs."""

import re
import subprocess
import sys
from pathlib import Path

import letsbe.plugin

DOCUMENT = Path(__file__).parents[1] / "docs" / "plugins.md"
HEAVY = ("mcp", "starlette", "uvicorn", "httpx", "cryptography", "ahocorasick")


def test_the_public_names_are_the_documented_ones() -> None:
    section = DOCUMENT.read_text(encoding="utf-8").split("## The public names")[1]
    documented = re.findall(r"`(\w+)`", section.split("\n## ")[0])
    assert sorted(letsbe.plugin.__all__) == sorted(documented)


def test_every_public_name_is_there_and_no_other() -> None:
    # pytest adds names like `@pytest_ar` to what belongs to a plugin of its own.
    present = {n for n in vars(letsbe.plugin) if n.isidentifier() and n[0] != "_"}
    assert present == set(letsbe.plugin.__all__)


def test_importing_the_public_surface_loads_no_heavy_library() -> None:
    program = (
        "import sys, letsbe.plugin\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"
