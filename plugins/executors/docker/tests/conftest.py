"""What every test here shares: an executor with rule tables for a few programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from letsbe.plugin import Site, Verdict
from letsbe.testing import make_call, make_site
from letsbe_executor_docker.executor import DOCKER, DockerExecutor

TABLES = {
    "ls": 'tier = "GREEN"\noperands = "list"\n[flags]\nplain = "-l -a"\n',
    "cat": 'tier = "GREEN"\noperands = "read"\n',
    "sleep": 'tier = "GREEN"\noperands = "text"\n',
    "grep": 'tier = "GREEN"\noperands = ["text", "read"]\n',
    "mkdir": 'tier = "YELLOW"\noperands = "write"\n',
    "rm": 'tier = "RED"\noperands = "remove"\n[flags]\nplain = "-r -f"\n',
    "sh": 'tier = "RED"\noperands = "text"\n[flags]\nexec = "-c="\n',
    "curl": 'tier = "YELLOW_EXTERNAL"\noperands = "url"\n',
}
"""Rule tables as the shell executor would bring them."""

Judge = Callable[..., Verdict]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tables")
    for name, rules in TABLES.items():
        example = f'[examples]\nnot_green = ["{name} --nonsense"]\n'
        text = f'why = "does what {name} does"\n{rules}{example}'
        (folder / f"{name}.toml").write_text(text)
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def site(root: Path, tables: Path) -> Site:
    made = make_site(root, closed_ports=frozenset({8200}))
    made.rules.add(tables)
    return made


@pytest.fixture
def executor(site: Site) -> DockerExecutor:
    return DockerExecutor(site)


@pytest.fixture
def judge(executor: DockerExecutor) -> Judge:
    def classify(command: str | list[str], **arguments: Any) -> Verdict:
        form = "command" if isinstance(command, str) else "argv"
        given: Mapping[str, Any] = {form: command, **arguments}
        return executor.classify(make_call(DOCKER, given))

    return classify
