from __future__ import annotations

import stat
from pathlib import Path

import pytest

from letsbe.errors import ConfigurationError, InvalidRequest, Unauthenticated
from letsbe.home import Home
from letsbe.wrapper.tokens import (
    Caller,
    Role,
    Tokens,
    create_agent_token,
    create_token,
    read_token,
)


def test_each_token_is_its_callers(home: Home) -> None:
    tokens = Tokens(home)
    expected = {
        home.operator_token: Caller(Role.OPERATOR),
        home.runtime_token: Caller(Role.RUNTIME),
        home.agent_tokens / "main": Caller(Role.AGENT, "main"),
        home.agent_tokens / "marketing": Caller(Role.AGENT, "marketing"),
    }
    for path, caller in expected.items():
        assert tokens.caller(f"Bearer {read_token(path)}") == caller
        assert tokens.caller(f"bearer  {read_token(path)} ") == caller


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Bearer x", "x"])
def test_anything_else_is_nobodys(home: Home, header: str | None) -> None:
    with pytest.raises(Unauthenticated):
        Tokens(home).caller(header)


def test_a_token_is_written_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "tokens" / "operator"
    token = create_token(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_token(path) == token
    with pytest.raises(FileExistsError):
        create_token(path)


def test_a_token_open_to_others_is_refused(home: Home) -> None:
    home.operator_token.chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        Tokens(home)


@pytest.mark.parametrize("text", ["", "short", "ä" * 40])
def test_a_file_without_a_real_token_is_refused(home: Home, text: str) -> None:
    home.operator_token.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError):
        Tokens(home)


def test_two_callers_cannot_share_a_token(home: Home) -> None:
    same = read_token(home.operator_token)
    (home.agent_tokens / "main").write_text(same, encoding="ascii")
    with pytest.raises(ConfigurationError, match="another caller"):
        Tokens(home)


@pytest.mark.parametrize("name", ["../operator", "a/b", "", ".", "a\n", "ä"])
def test_an_agents_name_cannot_be_a_path(home: Home, name: str) -> None:
    with pytest.raises(InvalidRequest):
        create_agent_token(home, name)
