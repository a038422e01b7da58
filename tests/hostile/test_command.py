"""The command line shows hostile plugins without running or hanging with them."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from letsbe.cli.plugins import plugins
from letsbe.discovery.plugin_set import PluginSet, Selection, write_plugin_set
from letsbe.discovery.records import Kind

CANARY = "canary-7f3a-not-to-be-seen"

Install = Callable[..., str]
Choose = Callable[..., Path]


@pytest.fixture
def choose(tmp_path: Path) -> Choose:
    """Make a home that chose some executors; return its folder."""

    def put(*names: str) -> Path:
        home = tmp_path / "home"
        home.mkdir(mode=0o700)
        (home / "letsbe.toml").write_text("")
        chosen = tuple(Selection(Kind.EXECUTOR, name) for name in names)
        write_plugin_set(home / "plugins.json", PluginSet(chosen))
        return home

    return put


def statuses(printed: str) -> dict[str, str]:
    return {row["name"]: row["status"] for row in json.loads(printed)}


def test_list_shows_hostile_plugins_and_imports_none(
    install: Install, choose: Choose
) -> None:
    home = choose(install("import_exit"), install("harmless"))
    install("import_hang")
    install("import_error", plugin="harmless", distribution="another")
    ran = CliRunner().invoke(plugins, ["list", "--json", "--home", str(home)])
    assert ran.exit_code == 1
    shown = statuses(ran.stdout)
    assert shown["import_exit"] == "selected"
    assert shown["import_hang"] == "not_selected"
    assert shown["harmless"] == "duplicate"
    assert not [name for name in sys.modules if name.startswith("hostile_")]


def test_list_is_content_if_all_that_is_chosen_is_there(
    install: Install, choose: Choose
) -> None:
    home = choose(install("import_exit"))
    ran = CliRunner().invoke(plugins, ["list", "--home", str(home)])
    assert ran.exit_code == 0
    row = next(r for r in ran.stdout.splitlines() if "import_exit" in r).split("\t")
    assert row[:3] == ["executor/import_exit", "1.0", "hostile-import-exit"]
    assert row[4] == "selected"


def test_requirements_are_the_pins_of_what_is_chosen(
    install: Install, choose: Choose
) -> None:
    home = choose(install("harmless"), install("import_exit"), "gone")
    install("import_hang")
    ran = CliRunner().invoke(plugins, ["list", "--requirements", "--home", str(home)])
    assert ran.stdout == "hostile-harmless==1.0\nhostile-import-exit==1.0\n"
    assert "executor/gone: not installed" in ran.stderr
    assert ran.exit_code == 1


def test_requirements_and_json_are_two_forms(tmp_path: Path) -> None:
    arguments = ["list", "--requirements", "--json", "--home", str(tmp_path)]
    assert CliRunner().invoke(plugins, arguments).exit_code == 2


def test_before_init_nothing_is_chosen(install: Install, tmp_path: Path) -> None:
    install("import_exit")
    ran = CliRunner().invoke(plugins, ["list", "--json", "--home", str(tmp_path)])
    assert statuses(ran.stdout)["import_exit"] == "not_selected"
    assert "run `letsbe init" in ran.stderr
    assert ran.exit_code == 0


def test_check_needs_a_plugin_set(tmp_path: Path) -> None:
    (tmp_path / "letsbe.toml").write_text("")
    ran = CliRunner().invoke(plugins, ["check", "--home", str(tmp_path)])
    assert ran.exit_code == 1
    assert "run `letsbe init" in ran.stderr


def test_check_is_content_with_what_works(install: Install, choose: Choose) -> None:
    home = choose(install("harmless"))
    install("import_exit")
    ran = CliRunner().invoke(plugins, ["check", "--json", "--home", str(home)])
    assert ran.exit_code == 0
    assert statuses(ran.stdout)["harmless"] == "active"


def test_check_shows_people_why(install: Install, choose: Choose) -> None:
    home = choose(install("harmless"), install("register_raises"))
    ran = CliRunner().invoke(plugins, ["check", "--home", str(home)])
    assert ran.exit_code == 1
    rows = [line.split("\t") for line in ran.stdout.splitlines()]
    assert ["executor/harmless", "1.0", "active", ""] in rows
    reason = "letsbe_executors failed: it raised RuntimeError"
    assert ["executor/register_raises", "1.0", "load_error", reason] in rows
    assert CANARY not in ran.output


def test_check_ends_in_time_and_shows_no_secret(
    install: Install, choose: Choose, site_folder: Path
) -> None:
    names = ("health_blocks", "health_stubborn", "register_raises", "import_interrupt")
    home = choose(*map(install, names), install("gate_broken"), install("harmless"))
    path = [str(site_folder), str(Path(__file__).parent / "plugins")]
    began = time.monotonic()
    ran = subprocess.run(
        [
            sys.executable,
            "-c",
            "from letsbe.cli.plugins import plugins; plugins()",
            *("check", "--json", "--timeout", "0.5", "--home", str(home)),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(path)},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert time.monotonic() - began < 30
    assert ran.returncode == 1
    shown = statuses(ran.stdout)
    assert shown["health_blocks"] == shown["health_stubborn"] == "unhealthy"
    assert shown["register_raises"] == shown["import_interrupt"] == "load_error"
    assert shown["gate_broken"] == "load_error"
    assert shown["harmless"] == "active"
    assert CANARY not in ran.stdout + ran.stderr
