"""Where a distribution came from, without what a URL may hold."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe.discovery.provenance import origin_of, without_credentials

CANARY = "canary-51d0"

Install = Callable[[str], None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Install ``some-plugin`` with a ``direct_url.json`` of this text."""
    folder = tmp_path / "some_plugin-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Name: some-plugin\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(tmp_path)

    def write(text: str) -> None:
        (folder / "direct_url.json").write_text(text)

    return write


CASES: list[tuple[dict[str, Any], str]] = [
    (
        {"url": "file:///srv/my%20plugin", "dir_info": {"editable": True}},
        "editable /srv/my plugin",
    ),
    ({"url": "file:///srv/plugin", "dir_info": {}}, "path /srv/plugin"),
    ({"url": "file:///srv/p.whl", "archive_info": {}}, "path /srv/p.whl"),
    (
        {
            "url": f"https://kim:{CANARY}@git.example.com:8443/team/plugin.git",
            "vcs_info": {"vcs": "git", "commit_id": "4f2c"},
        },
        "vcs git+https://git.example.com:8443/team/plugin.git@4f2c",
    ),
    (
        {
            "url": f"https://{CANARY}@example.com/p.whl?sig={CANARY}#sha256={CANARY}",
            "archive_info": {},
        },
        "url https://example.com/p.whl",
    ),
]


@pytest.mark.parametrize(("told", "shown"), CASES)
def test_origin_is_shown_without_credentials(
    told: dict[str, Any], shown: str, install: Install
) -> None:
    install(json.dumps(told))
    assert origin_of("some-plugin") == shown


def test_a_distribution_without_origin_came_from_an_index(tmp_path: Path) -> None:
    assert origin_of("pluggy") == "index"


@pytest.mark.parametrize("text", ["{", "[]", "null", '{"url": 7}', '{"vcs_info": {}}'])
def test_an_origin_that_cannot_be_read_is_unknown(text: str, install: Install) -> None:
    install(text)
    assert origin_of("some-plugin") in {"unknown", "index"}


def test_what_is_not_installed_is_unknown() -> None:
    assert origin_of("there-is-no-such-distribution") == "unknown"


def test_an_address_keeps_its_brackets() -> None:
    assert without_credentials("http://u@[::1]:80/p") == "http://[::1]:80/p"


WORD = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1)


@given(user=WORD, password=WORD, query=WORD, path=WORD)
def test_no_url_keeps_its_credentials(
    user: str, password: str, query: str, path: str
) -> None:
    url = f"https://u-{user}:p-{password}@example.com:443/{path}?q-{query}#f-{query}"
    assert without_credentials(url) == f"https://example.com:443/{path}"
