"""Checks built wheels: typed, licensed, described. ``check_wheels.py FOLDER``."""

import sys
from email.message import Message
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile


def faults(path: Path) -> list[str]:
    """Say what is wrong with a wheel, one sentence each."""
    with ZipFile(path) as wheel:
        names = wheel.namelist()
        metadata = _metadata(wheel)
    module = path.name.split("-")[0].removesuffix("_core")
    body = str(metadata.get_payload())
    checks = {
        f"{module}/py.typed is missing": f"{module}/py.typed" in names,
        "the licence's text is missing": any(
            name.endswith(".dist-info/licenses/LICENSE") for name in names
        ),
        "the licence is not Apache-2.0": metadata["License-Expression"] == "Apache-2.0",
        "the README is not the description": body.lstrip().startswith(
            f"# {metadata['Name']}"
        ),
        "the description is not Markdown": metadata["Description-Content-Type"]
        == "text/markdown",
        "tests are inside": not any(  # a template is a text, whatever its folder
            "/tests/" in f"/{name}" and name.endswith(".py") for name in names
        ),
    }
    return [fault for fault, fine in checks.items() if not fine]


def _metadata(wheel: ZipFile) -> Message:
    name = next(n for n in wheel.namelist() if n.endswith(".dist-info/METADATA"))
    return Parser().parsestr(wheel.read(name).decode())


def main(folder: Path) -> int:
    """Check every wheel of a folder; return the exit code."""
    wheels = sorted(folder.glob("*.whl"))
    wrong = 0 if wheels else 1
    for wheel in wheels:
        found = faults(wheel)
        wrong += len(found)
        print(f"{wheel.name}: {'; '.join(found) or 'fine'}")
    print(f"{len(wheels)} wheels, {wrong} faults")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
