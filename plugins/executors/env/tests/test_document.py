"""Files render back to what they were; values read back as they were set."""

import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from letsbe.plugin import ToolFailed
from letsbe_executor_env.document import parse
from letsbe_executor_env.quoting import check_value, quote, readers_that_differ

KEYS = st.from_regex(r"\A[A-Za-z_][A-Za-z0-9_]{0,12}\Z")
VALUES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc"]) | st.sampled_from("\t\n"),
    max_size=40,
) | st.text("'\"\\$`# \t\n=ab!~", max_size=12)
TEXTS = (
    st.lists(
        st.sampled_from(
            ["A", "=", "'", '"', "\\", "#", " ", "\n", "\r\n", "export ", "x", "$", "é"]
        )
    ).map("".join)
    | st.text()
)


@given(TEXTS)
def test_any_text_renders_back(text: str) -> None:
    assert parse(text).text == text


@given(TEXTS)
def test_lines_are_numbered(text: str) -> None:
    document, at = parse(text), 0
    for line in document.lines:
        assert line.number == 1 + text.count("\n", 0, at)
        at += len(line.text)


@given(text=TEXTS, key=KEYS, value=VALUES)
def test_what_is_set_is_read_and_nothing_else_changes(
    text: str, key: str, value: str
) -> None:
    before = parse(text)
    if any(line.open_quote for line in before.invalid):
        return  # refused: what follows the quote cannot be told
    after = before.with_value(key, value)
    again = parse(after.text)
    assert again.values[key] == value
    assert after.values == {**before.values, key: value}
    others = [line.text for line in before.lines if line.key != key]
    kept = [line.text for line in after.lines if line.key != key]
    assert "".join(kept).rstrip("\r\n") == "".join(others).rstrip("\r\n")
    removed = parse(after.without(key).text)
    assert key not in removed.values


@given(values=st.dictionaries(KEYS, VALUES, max_size=6), crlf=st.booleans())
def test_a_file_of_values_reads_back(values: dict[str, str], crlf: bool) -> None:
    document = parse("# made\r\n" if crlf else "# made\n")
    for key, value in values.items():
        document = document.with_value(key, value)
    assert parse(document.text).values == values
    assert parse(document.text).invalid == ()


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(values=st.lists(VALUES, min_size=1, max_size=20))
def test_bash_reads_what_was_set(tmp_path: Path, values: list[str]) -> None:
    document = parse("")
    for number, value in enumerate(values):
        document = document.with_value(f"LB_{number}", value)
    (tmp_path / ".env").write_bytes(document.text.encode())
    names = " ".join(f'"$LB_{number}"' for number in range(len(values)))
    script = f". ./.env && printf '%s\\0' {names}"
    ran = subprocess.run(
        ["bash", "--norc", "-c", script], cwd=tmp_path, capture_output=True, check=True
    )
    assert ran.stdout.decode() == "".join(f"{value}\0" for value in values)


@pytest.mark.parametrize(
    ("value", "spelled", "readers"),
    [
        ("", "", ()),
        ("plain-1.2:3/x@y", "plain-1.2:3/x@y", ()),
        ("two words", "'two words'", ()),
        ("a#b", "'a#b'", ()),
        ("$HOME", "'$HOME'", ()),
        ("~", "'~'", ()),
        ('say "hi"', "'say \"hi\"'", ()),
        ("a\nb", "'a\nb'", ()),
        ("C:\\x", "'C:\\x'", ()),
        ("a\\\\b", "'a\\\\b'", ("python-dotenv",)),
        ("a${b}", "'a${b}'", ("python-dotenv",)),
        ("it's", '"it\'s"', ()),
        ("end\\", '"end\\\\"', ("dotenv for node",)),
        ("it's $5", '"it\'s \\$5"', ("python-dotenv", "dotenv for node")),
    ],
)
def test_spelling(value: str, spelled: str, readers: tuple[str, ...]) -> None:
    assert quote(value) == spelled
    assert readers_that_differ(value) == readers


@pytest.mark.parametrize("value", ["\0", "a\rb", "\x1b[0m", "\x7f"])
def test_control_characters_are_refused_unseen(value: str) -> None:
    with pytest.raises(ToolFailed, match="value of K holds") as caught:
        check_value("K", f"canary{value}")
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("A=1\nB=2\n", {"A": "1", "B": "2"}),
        ("A=1", {"A": "1"}),
        ("export A=1\n", {"A": "1"}),
        ("  A = 1  \n", {"A": "1"}),
        ("A=1\r\nB='2'\r\n", {"A": "1", "B": "2"}),
        ("\ufeffA=1\n", {"A": "1"}),
        ("# A=1\n\n\t\n", {}),
        ("A=x # note\n", {"A": "x"}),
        ("A=x#y\n", {"A": "x#y"}),
        ("A= # note\n", {"A": ""}),
        ("A=#x\n", {"A": "#x"}),
        ("A='x' # note\n", {"A": "x"}),
        ("A='a\nb'\nB=1\n", {"A": "a\nb", "B": "1"}),
        ("A='a\r\nb'\r\n", {"A": "a\nb"}),
        ('A="a\\nb\\"c\\$d"\n', {"A": 'a\nb"c$d'}),
        ("A='it\\'s'\n", {"A": "it's"}),
        ("A='end\\'\n", {"A": "end\\"}),
        ("A=a b\n", {"A": "a b"}),
        ("A=1\nA=2\n", {"A": "2"}),
        ("A\nexport B\n", {"A": None, "B": None}),
        ("a.b-c=1\n", {"a.b-c": "1"}),
        ("A==x\n", {"A": "=x"}),
    ],
)
def test_reading(text: str, values: dict[str, str | None]) -> None:
    document = parse(text)
    assert document.values == values
    assert document.invalid == ()


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("A=1\n1B=2\n", [2]),
        ("A=1\n\n- b: c\n", [3]),
        ("A='x'y\nB=1\n", [1]),
        ("A=1\nB='open\nC=1\n", [2]),
        ('A="x" y\nB=1\n', [1]),
        ("=x\n", [1]),
        ("A B\n", [1]),
        ("A='1\n2'\n!\n", [3]),
    ],
)
def test_invalid_lines_are_told_by_number(text: str, numbers: list[int]) -> None:
    invalid = parse(text).invalid
    assert [line.number for line in invalid] == numbers
    assert all(
        word not in str(line.invalid) for line in invalid for word in ("open'", "b:")
    )


def test_an_open_quote_is_told_from_other_mistakes() -> None:
    assert parse("A='x\n").invalid[0].open_quote
    assert not parse("A='x'y\n").invalid[0].open_quote


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# c\n\nA=1 # n\nB=2\n", "# c\n\nA=9 # n\nB=2\n"),
        ("export A='1'\n", "export A=9\n"),
        ("A = 1\n", "A = 9\n"),
        ("A=1", "A=9"),
        ("A=1\r\nB=2\r\n", "A=9\r\nB=2\r\n"),
        ("A='x\ny' # n\nB=1\n", "A=9 # n\nB=1\n"),
        ("A= # n\n", "A=9 # n\n"),
        ("A=1\nA=2\n", "A=9\nA=9\n"),
        ("export A\n", "export A=9\n"),
        ("A # n\n", "A=9 # n\n"),
        ("B=1", "B=1\nA=9\n"),
        ("B=1\r\n", "B=1\r\nA=9\r\n"),
        ("export B=1\n", "export B=1\nexport A=9\n"),
        ("\ufeffB=1\n", "\ufeffB=1\nA=9\n"),
        ("\ufeffA=1\n", "\ufeffA=9\n"),
        ("", "A=9\n"),
        ("# only", "# only\nA=9\n"),
    ],
)
def test_setting_keeps_the_rest(before: str, after: str) -> None:
    assert parse(before).with_value("A", "9").text == after


def test_a_file_made_to_be_slow_is_not() -> None:
    for line in ("A='\\'\n", 'A="\\"\n', "A='x'y\n", "A='\n"):
        started = time.thread_time()
        parse(line * (200_000 // len(line)))
        assert time.thread_time() - started < 3
