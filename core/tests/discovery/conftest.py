"""Distributions that exist only as metadata, for one test."""

from collections.abc import Callable
from pathlib import Path

import pytest

Distribute = Callable[..., None]


@pytest.fixture
def distribute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Distribute:
    """Put a distribution with some entry points on the path."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)

    def put(
        name: str, entry_points: str, version: str = "1.0", folder: Path = site
    ) -> None:
        info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(entry_points)

    return put
