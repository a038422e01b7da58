"""Installs hostile plugins as distributions, for one test at a time."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from letsbe.discovery.plugin_set import PluginSet, Selection
from letsbe.discovery.records import Kind
from letsbe.plugin import Secret
from letsbe.plugin._facade import Plugins, load_plugins
from letsbe.testing import make_site

PLUGINS = Path(__file__).parent / "plugins"

Install = Callable[..., str]


@pytest.fixture
def site_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path, as ``site-packages`` is, beside the hostile modules."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(PLUGINS)
    monkeypatch.syspath_prepend(folder)
    yield folder
    for name in [name for name in sys.modules if name.startswith("hostile_")]:
        del sys.modules[name]


@pytest.fixture
def install(site_folder: Path) -> Install:
    """Install ``hostile_<name>`` as a distribution of its own; return its name."""

    def put(
        name: str,
        *,
        kind: Kind = Kind.EXECUTOR,
        plugin: str | None = None,
        distribution: str | None = None,
        attribute: str = "",
    ) -> str:
        distribution = distribution or f"hostile-{name.replace('_', '-')}"
        folder = site_folder / f"{distribution.replace('-', '_')}-1.0.dist-info"
        folder.mkdir()
        (folder / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n"
        )
        (folder / "entry_points.txt").write_text(
            f"[{kind.group}]\n{plugin or name} = hostile_{name}{attribute}\n"
        )
        return plugin or name

    return put


class NoSecrets:
    version = 0

    def current(self) -> tuple[Secret, ...]:
        return ()


Load = Callable[..., Plugins]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load chosen plugins as a process does."""

    def start(
        *names: str,
        kind: Kind = Kind.EXECUTOR,
        hook_timeout: float = 5.0,
        start_timeout: float = 20.0,
        strict: bool = True,
    ) -> Plugins:
        return load_plugins(
            {kind},
            lambda name: make_site(tmp_path),
            NoSecrets(),
            PluginSet(tuple(Selection(kind, name) for name in names)),
            hook_timeout=hook_timeout,
            start_timeout=start_timeout,
            strict=strict,
        )

    return start
