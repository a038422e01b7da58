"""The command grammar: what it reads, and what it refuses with which rule."""

from __future__ import annotations

import pytest

from letsbe.policy.commands import (
    COMMAND_LIMIT,
    LENGTH_LIMIT,
    CommandRefused,
    Stream,
    line_from_argv,
    parse_line,
)


@pytest.mark.parametrize(
    ("text", "argv"),
    [
        ("ls", ["ls"]),
        ("  ls   -la\t/x ", ["ls", "-la", "/x"]),
        ("echo 'a b' \"c d\" e\\ f", ["echo", "a b", "c d", "e f"]),
        ("echo a'b'\"c\"d", ["echo", "abcd"]),
        ("echo '' \"\"", ["echo", "", ""]),
        ("echo '\\n' \"\\n\" \\n", ["echo", "\\n", "\\n", "n"]),
        (r'echo "\$HOME \" \\ \a"', ["echo", '$HOME " \\ \\a']),
        ("grep 'a|b;c&&d' x", ["grep", "a|b;c&&d", "x"]),
        ('grep "foo$" x', ["grep", "foo$", "x"]),
        ("grep foo$ x", ["grep", "foo$", "x"]),
        ("find . -exec ls {} \\;", ["find", ".", "-exec", "ls", "{}", ";"]),
        ("git show stash@{0}", ["git", "show", "stash@{0}"]),
        ("docker ps --format {{.Names}}", ["docker", "ps", "--format", "{{.Names}}"]),
        ("[ -f x ]", ["[", "-f", "x", "]"]),
        ("echo a#b a=b %d ^x", ["echo", "a#b", "a=b", "%d", "^x"]),
        ("echo SECRET_REF(db.password)", ["echo", "SECRET_REF(db.password)"]),
        ("curl -H 'X: SECRET_REF(a)'", ["curl", "-H", "X: SECRET_REF(a)"]),
        ("echo -k=SECRET_REF(a)/b", ["echo", "-k=SECRET_REF(a)/b"]),
        ("echo ü", ["echo", "ü"]),
        ("ls # all", ["ls"]),
        ("# first\n\nls -l # all\n", ["ls", "-l"]),
        ("ls \\\n -l \\\n-a", ["ls", "-l", "-a"]),
        ("ls\\\n -l", ["ls", "-l"]),
        ('git commit -m "a\n\nb"', ["git", "commit", "-m", "a\n\nb"]),
        (
            "awk '{print $1}\nEND {print NR}' x",
            ["awk", "{print $1}\nEND {print NR}", "x"],
        ),
        ('echo "a\\\nb"', ["echo", "ab"]),
        ('grep "a$\\|b$," x', ["grep", "a$\\|b$,", "x"]),
        ("sed s/x$/y/ x", ["sed", "s/x$/y/", "x"]),
    ],
)
def test_reads_words_as_bash_does(text: str, argv: list[str]) -> None:
    (stage,) = parse_line(text).stages
    assert list(stage.argv) == argv


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("", "grammar.empty"),
        ("   ", "grammar.empty"),
        ("ls |", "grammar.empty"),
        ("| ls", "grammar.empty"),
        ("ls && && id", "grammar.empty"),
        ("ls;; id", "grammar.empty"),
        ("ls && ", "grammar.empty"),
        ("echo $HOME", "grammar.expansion"),
        ('echo "$HOME"', "grammar.expansion"),
        ("echo $'a'", "grammar.expansion"),
        ("echo ${IFS}", "grammar.expansion"),
        ("echo $(id)", "grammar.expansion"),
        ('echo "a$(id)"', "grammar.expansion"),
        ("cat$IFS/etc/passwd", "grammar.expansion"),
        ("echo `id`", "grammar.substitution"),
        ('echo "`id`"', "grammar.substitution"),
        ("(ls)", "grammar.group"),
        ("cat <(id)", "grammar.group"),
        ("echo a)", "grammar.group"),
        ("f() { id; }", "grammar.group"),
        ("echo {a,b}", "grammar.braces"),
        ("echo {1..3}", "grammar.braces"),
        ("{ ls; }", "grammar.braces"),
        ("{\\\n", "grammar.braces"),
        ("echo {fd}>/dev/null", "grammar.braces"),
        ("ls &", "grammar.background"),
        ("ls & id", "grammar.background"),
        ("ls ;&>/dev/null", "grammar.background"),
        ("ls; >/dev/null", "grammar.empty"),
        ("ls &> x", "grammar.redirection"),
        ("ls >&2x", "grammar.redirection"),
        ('ls >& "1"', "grammar.redirection"),
        ("ls 1>&/dev/null", "grammar.redirection"),
        ("ls 2>&1-", "grammar.redirection"),
        ("ls | # a", "grammar.empty"),
        ("# a", "grammar.empty"),
        ("ls\n;id", "grammar.empty"),
        ("ls |\n", "grammar.empty"),
        ("ls >/dev/null |\n >/dev/null\n", "grammar.empty"),
        ("ls 2\\\n>/dev/null", "grammar.backslash"),
        ('echo "$\\\nHOME"', "grammar.expansion"),
        ("ls > out", "grammar.redirection"),
        ("ls >| x", "grammar.redirection"),
        ("ls <> x", "grammar.redirection"),
        ("ls << EOF", "grammar.redirection"),
        ("ls <<< x", "grammar.redirection"),
        ("ls 3>/dev/null", "grammar.redirection"),
        ("ls 0<x", "grammar.redirection"),
        ("ls 1>&9", "grammar.redirection"),
        ("ls <*.txt", "grammar.redirection"),
        ("cat <a <b", "grammar.redirection"),
        ("ls >", "grammar.redirection"),
        ("ls\rid", "grammar.hidden_character"),
        ("ls\0", "grammar.hidden_character"),
        ("ls\x1b[2J", "grammar.hidden_character"),
        ("l\u200bs", "grammar.hidden_character"),
        ("ls \u202etxt", "grammar.hidden_character"),
        ("ls\u00a0-l", "grammar.hidden_character"),
        ("echo 'a", "grammar.quote"),
        ('echo "a', "grammar.quote"),
        ("echo a\\", "grammar.backslash"),
        ("A=1 ls", "grammar.assignment"),
        ("A+=1 ls", "grammar.assignment"),
        ("l* x", "grammar.program"),
        ("~/x", "grammar.program"),
        ("SECRET_REF(a) x", "grammar.program"),
        ("if ls", "grammar.keyword"),
        ("! ls", "grammar.keyword"),
        ("[[ a == b ]]", "grammar.keyword"),
        ("ls ~root", "grammar.tilde"),
        ("ls ~+", "grammar.tilde"),
        ("make x=~/y", "grammar.tilde"),
        ("ls 'a*'*", "grammar.glob"),
        ("echo SECRET'_REF(a)'", "grammar.reference"),
        ("echo SECRET_REF(0)", "grammar.group"),
    ],
)
def test_refuses_with_a_rule_a_place_and_a_way_out(text: str, rule: str) -> None:
    with pytest.raises(CommandRefused) as caught:
        parse_line(text)
    assert caught.value.rule == rule
    start, end = caught.value.span
    assert 0 <= start <= end <= len(text)
    assert caught.value.alternative


def test_operators_join_pipelines() -> None:
    line = parse_line("a | b && c || d ; e;")
    expected = [
        ("", ["a", "b"]),
        ("&&", ["c"]),
        ("||", ["d"]),
        (";", ["e"]),
    ]
    assert [(p.join, [s.argv[0] for s in p.stages]) for p in line.pipelines] == expected
    lines = parse_line("\na |\n\nb &&\nc ||# no\nd\n# and\ne\n")
    assert [
        (p.join, [s.argv[0] for s in p.stages]) for p in lines.pipelines
    ] == expected


@pytest.mark.parametrize(
    ("text", "stdout", "stderr"),
    [
        ("ls", Stream.OUTPUT, Stream.ERROR),
        ("ls >/dev/null", Stream.DISCARDED, Stream.ERROR),
        ("ls 2>/dev/null", Stream.OUTPUT, Stream.DISCARDED),
        ("ls 2>&1", Stream.OUTPUT, Stream.OUTPUT),
        ("ls >/dev/null 2>&1", Stream.DISCARDED, Stream.DISCARDED),
        ("ls 2>&1 >/dev/null", Stream.DISCARDED, Stream.OUTPUT),
        ("2>/dev/null ls", Stream.OUTPUT, Stream.DISCARDED),
        ("ls 1> '/dev/null'", Stream.DISCARDED, Stream.ERROR),
        ("ls >&2", Stream.ERROR, Stream.ERROR),
        ("ls >>/dev/null", Stream.DISCARDED, Stream.ERROR),
        ("ls >|/dev/null", Stream.DISCARDED, Stream.ERROR),
        ("ls 2>>/dev/null", Stream.OUTPUT, Stream.DISCARDED),
        ("ls &>/dev/null", Stream.DISCARDED, Stream.DISCARDED),
        ("ls >& /dev/null", Stream.DISCARDED, Stream.DISCARDED),
        ("ls |& cat", Stream.OUTPUT, Stream.OUTPUT),
        ("ls >/dev/null |& cat", Stream.DISCARDED, Stream.DISCARDED),
    ],
)
def test_streams_follow_the_order_of_redirections(
    text: str, stdout: Stream, stderr: Stream
) -> None:
    stage = parse_line(text).stages[0]
    assert stage.argv == ("ls",)
    assert (stage.stdout, stage.stderr) == (stdout, stderr)


def test_input_comes_from_a_file() -> None:
    (stage,) = parse_line("sort < 'a b'").stages
    assert stage.stdin is not None
    assert stage.stdin.text == "a b"


def test_digits_before_a_redirection_may_belong_to_a_word() -> None:
    (stage,) = parse_line("ls a2>/dev/null").stages
    assert stage.argv == ("ls", "a2")
    assert stage.stdout is Stream.DISCARDED


@pytest.mark.parametrize(
    ("text", "glob", "tilde"),
    [
        ("ls *.txt", True, False),
        ("ls a?", True, False),
        ("ls [ab]", True, False),
        ("ls '*.txt'", False, False),
        (r"ls \*", False, False),
        ("ls ~/x", False, True),
        ("ls '~/x'", False, False),
        ("ls ~", False, True),
    ],
)
def test_words_know_what_bash_would_expand(text: str, glob: bool, tilde: bool) -> None:
    word = parse_line(text).stages[0].words[1]
    assert (word.glob, word.tilde) == (glob, tilde)


def test_spans_point_into_the_text() -> None:
    text = "ls  'a b' | wc"
    words = [w for stage in parse_line(text).stages for w in stage.words]
    assert [text[w.start : w.end] for w in words] == ["ls", "'a b'", "wc"]


def test_limits_fail_closed() -> None:
    parse_line("x " + "a" * (LENGTH_LIMIT - 2))
    with pytest.raises(CommandRefused, match="characters") as caught:
        parse_line("x " + "a" * (LENGTH_LIMIT - 1))
    assert caught.value.rule == "grammar.too_long"
    parse_line(";".join(["x"] * COMMAND_LIMIT))
    with pytest.raises(CommandRefused) as caught:
        parse_line(";".join(["x"] * (COMMAND_LIMIT + 1)))
    assert caught.value.rule == "grammar.too_many_commands"


def test_argv_is_taken_as_it_is() -> None:
    (stage,) = line_from_argv(["git", "commit", "-m", "a $b\n`c` *"]).stages
    assert stage.argv == ("git", "commit", "-m", "a $b\n`c` *")
    assert not any(word.glob or word.tilde for word in stage.words)


@pytest.mark.parametrize(
    ("argv", "rule"),
    [
        ([], "grammar.empty"),
        ([""], "grammar.empty"),
        (["ls", "a\0b"], "grammar.hidden_character"),
        (["ls", "a\u202eb"], "grammar.hidden_character"),
        (["A=b", "ls"], "grammar.assignment"),
        (["x", "a" * LENGTH_LIMIT], "grammar.too_long"),
    ],
)
def test_argv_has_limits_too(argv: list[str], rule: str) -> None:
    with pytest.raises(CommandRefused) as caught:
        line_from_argv(argv)
    assert caught.value.rule == rule
