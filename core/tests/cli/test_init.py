from __future__ import annotations

import json
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from letsbe.cli import main
from letsbe.cli.init import make_home
from letsbe.configuration import Configuration, load_configuration
from letsbe.errors import ConfigurationError
from letsbe.home import Home


def run(*arguments: str) -> Any:
    return CliRunner().invoke(main, ["init", *arguments])


def test_a_home_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    root = tmp_path / 'ro"ot\u00e9'
    root.mkdir()
    home = Home(tmp_path / "home")
    ended = run("--home", str(home.folder), "--root", str(root), "--json")
    assert ended.exit_code == 0, ended.output
    assert json.loads(ended.output)["home"] == str(home.folder)
    for path in home.folder.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    assert load_configuration(home).files.roots == (root.resolve(),)


def test_what_is_there_stays_as_it_is(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    make_home(home, (), ("main",))
    before = {path: path.read_bytes() for path in _files(home)}
    (home.agent_tokens / "main").unlink()
    made = make_home(home, (), ("main", "sales"))
    assert made == ["tokens/agents/main", "tokens/agents/sales"]
    for path, content in before.items():
        # The registry is sealed anew, so that it is never behind the vault.
        if path.name not in {"main", "secrets"}:
            assert path.read_bytes() == content


def _files(home: Home) -> list[Path]:
    return [path for path in home.folder.rglob("*") if path.is_file()]


def test_two_homes_share_no_key_or_token(tmp_path: Path) -> None:
    seen: set[str] = set()
    for name in ("a", "b"):
        home = Home(tmp_path / name)
        make_home(home, (), ("main",))
        for path in (home.vault_key, home.audit_key, *home.folder.glob("tokens/*/*")):
            text = path.read_text(encoding="ascii")
            assert text not in seen
            seen.add(text)


def test_a_root_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    ended = run("--home", str(tmp_path / "h"), "--root", str(tmp_path / "nothing"))
    assert ended.exit_code == 2
    assert not (tmp_path / "h").exists()


def test_the_configuration_names_every_setting_with_its_default(
    tmp_path: Path,
) -> None:
    """Each commented line, uncommented, is the default that holds without it."""
    home = Home(tmp_path / "home")
    make_home(home, (), ())
    text = home.configuration.read_text(encoding="utf-8")
    settings = [
        line.removeprefix("# ")
        if line.startswith(("# [proxy.", "# [plugins.")) or " = " in line
        else line
        for line in text.splitlines()
    ]
    configured = Configuration.model_validate(tomllib.loads("\n".join(settings)))
    assert set(configured.proxy.upstreams) == {"openai"}
    # An account of its own is an example, as upstreams are.
    assert configured.proxy.user == "letsbe-proxy"
    proxy = configured.proxy.model_copy(update={"upstreams": {}, "user": None})
    plugins = configured.plugins.model_copy(update={"settings": {}})
    defaults = configured.model_copy(update={"proxy": proxy, "plugins": plugins})
    assert defaults == Configuration()
    for field in ("files", "wrapper"):
        for name in type(getattr(configured, field)).model_fields:
            assert any(line.startswith(f"{name} = ") for line in settings), name


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[wrapper", "TOML"),
        ("[wrapper]\nport = 99999\n", "wrapper.port"),
        ("[wrapper]\nnonsense = 1\n", "wrapper.nonsense"),
        ("[files]\nroots = 5\n", "files.roots"),
        ("nonsense = 1\n", "nonsense"),
    ],
)
def test_a_wrong_configuration_is_named(tmp_path: Path, text: str, said: str) -> None:
    home = Home(tmp_path / "home")
    make_home(home, (), ())
    home.configuration.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match=said):
        load_configuration(home)


def test_a_configuration_that_is_not_text_is_named(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.configuration.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="UTF-8"):
        load_configuration(home)
