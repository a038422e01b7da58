"""No value and no raw path leads out of the place it is put in."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from letsbe.errors import InvalidRequest
from letsbe.plugin._adapters.paths import (
    fill_path,
    placeholders,
    read_path,
    settings_in,
)

ESCAPES = [
    *("..", ".", "", "a/b", "a\\b", "%2e%2e", "%2E.", "%252e%252e", "a%2fb", "a%252Fb"),
    *("..;x", "%5c", "a\0b", "a\nb", "a\x7fb", "\ud800", ".. ", "..%00", "../x"),
]


@pytest.mark.parametrize("value", ESCAPES)
def test_a_value_that_leads_elsewhere_is_refused(value: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        fill_path("/posts/{id}/", {"id": value})
    assert caught.value.details[0].field == "tool_args.id"


@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("a b", "/x/a%20b"),
        ("ä", "/x/%C3%A4"),
        ("a@b.c", "/x/a%40b.c"),
        ("50%", "/x/50%25"),
        ("a?b#c", "/x/a%3Fb%23c"),
        ("...", "/x/..."),
        (7, "/x/7"),
    ],
)
def test_any_other_value_is_one_segment(value: str | int, path: str) -> None:
    assert fill_path("/x/{v}", {"v": value}) == path


def test_several_segments_are_each_one() -> None:
    assert fill_path("/f/{path*}", {"path": "/a b/c/"}) == "/f/a%20b/c"
    assert fill_path("/f/{path*}", {"path": "/"}) == "/f/"
    for value in ("a/../b", "a//b", "a/%2e%2e/b"):
        with pytest.raises(InvalidRequest):
            fill_path("/f/{path*}", {"path": value})


@given(st.text())
@example("%25252e")
def test_a_value_stays_one_segment_however_often_it_is_decoded(value: str) -> None:
    try:
        path = fill_path("/base/{v}", {"v": value})
    except InvalidRequest:
        return
    for _ in range(4):
        assert path.count("/") == 2
        assert "\\" not in path
        assert path.split("/")[2] not in {"", ".", ".."}
        path = unquote(path)


@pytest.mark.parametrize(
    "path",
    [
        *("", "x", "//evil.example/x", "https://evil.example", "/a/../b", "/a/./b"),
        *(
            "/a//b",
            "/a?x=1",
            "/a#x",
            "/a%2f..",
            "/%2e%2e/x",
            "/a\\b",
            "/a/%00",
            "@evil",
        ),
    ],
)
def test_a_raw_path_that_leads_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(InvalidRequest):
        read_path(path)


@pytest.mark.parametrize(
    ("path", "read"),
    [("/", "/"), ("/a/b/", "/a/b/"), ("/a%20b", "/a%20b"), ("/a b", "/a%20b")],
)
def test_a_raw_path_has_one_spelling(path: str, read: str) -> None:
    assert read_path(path) == read
    assert read_path(read) == read


def test_a_template_names_its_places() -> None:
    assert placeholders("/a/{id}/{$own}/{path*}") == {"id", "path"}
    assert settings_in("/a/{id}/{$own}/{path*}") == {"own"}
