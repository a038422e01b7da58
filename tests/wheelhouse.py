"""Wheels of this workspace, and of what it needs, for environments without an index."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement


def repack(names: Iterable[str], folder: Path) -> None:
    """Make wheels of distributions that are installed here, and of all that they need.

    Args:
        names: The distributions; this workspace's own are looked into, not packed.
        folder: Where the wheels go.
    """
    waiting, done = [Requirement(name) for name in names], set[str]()
    while waiting:
        wanted = waiting.pop()
        found = distribution(wanted.name)
        key = f"{_plain(wanted.name)}{sorted(wanted.extras)}"
        if key in done:
            continue
        done.add(key)
        here, elsewhere = _needed(found, wanted.extras)
        waiting += here
        for need in elsewhere:
            _stand_in(need, folder)
        if not _plain(wanted.name).startswith("letsbe"):
            _pack(found, folder)


def _needed(
    found: Distribution, extras: set[str]
) -> tuple[list[Requirement], list[Requirement]]:
    """Return what a distribution needs here, and what it needs on other systems."""
    here, elsewhere = [], []
    wanted = [{"extra": extra} for extra in ("", *extras)]
    for need in map(Requirement, found.requires or ()):
        if need.marker is None or any(need.marker.evaluate(each) for each in wanted):
            here.append(need)
        elif "extra" not in str(need.marker):
            elsewhere.append(need)
    return here, elsewhere


def _stand_in(need: Requirement, folder: Path) -> None:
    """Make an empty wheel: uv pins for every system, though it installs for one."""
    floors = [s.version for s in need.specifier if s.operator in {">=", "==", "~="}]
    name, version = _plain(need.name), (floors or ["1.0"])[0].replace("*", "0")
    info = f"{name}-{version}.dist-info"
    about = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    wheel = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{info}/METADATA", about)
        archive.writestr(f"{info}/WHEEL", wheel)
        archive.writestr(f"{info}/RECORD", "")


def _pack(found: Distribution, folder: Path) -> None:
    tags = re.findall(r"^Tag: (\S+)", found.read_text("WHEEL") or "", re.MULTILINE)
    parts = zip(*(tag.split("-") for tag in tags), strict=True)
    tag = "-".join(".".join(sorted(set(part))) for part in parts)
    name = f"{_plain(found.name)}-{found.version}-{tag}.whl"
    with zipfile.ZipFile(folder / name, "w") as archive:
        for file in found.files or ():
            path = Path(str(file.locate()))
            outside = str(file).startswith("..") or path.suffix == ".pyc"
            if not outside and path.is_file():
                archive.write(path, str(file))


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "_", name).lower()


def changed(wheel: Path, version: str, core: str) -> Path:
    """Make another version of a wheel, which asks for another core.

    Args:
        wheel: A wheel of this workspace.
        version: The version of the new one.
        core: What it requires of the core: ``>=9``.

    Returns:
        The new wheel, beside the old one.
    """
    name, old, *tags = wheel.stem.split("-")
    made = wheel.with_name("-".join([name, version, *tags]) + ".whl")
    info, new = f"{name}-{old}.dist-info", f"{name}-{version}.dist-info"
    with zipfile.ZipFile(wheel) as source, zipfile.ZipFile(made, "w") as target:
        for item in source.namelist():
            data = source.read(item)
            if item == f"{info}/METADATA":
                text = data.decode().replace(
                    f"\nVersion: {old}", f"\nVersion: {version}"
                )
                needs = f"Requires-Dist: letsbe-core{core}"
                data = re.sub("Requires-Dist: letsbe-core.*", needs, text).encode()
            if item == f"{info}/RECORD":  # without hashes, which are not asked for
                lines = [f"{n.replace(info, new)},," for n in source.namelist()]
                data = "\n".join([*lines, ""]).encode()
            target.writestr(item.replace(info, new), data)
    return made
