"""The mini languages inside arguments: sed, awk and SQL."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe.policy.rules._awk import awk_is_pure
from letsbe.policy.rules._sed import NotUnderstood, sed_actions
from letsbe.policy.rules._sql import sql_tier
from letsbe.policy.tiers import Tier


@pytest.mark.parametrize(
    "script",
    [
        "p",
        "1,5p",
        "$d",
        "2~3p;q",
        "/a/,/b/d",
        r"\,a/b,d",
        "/a/I,+3{s/x/y/;p}",
        "s/a/b/g2p",
        "s|a/b|c|;s#x#y#",
        r"s/\/w\//x/",
        "y/abc/xyz/",
        "1!G;h;$!d",
        ":a;N;$!ba;s/\\n/ /g",
        "/x/a some text w file",
        "5q",
        "/^$/d # w x",
        "s/a/w/;s/e/e2/",
    ],
)
def test_sed_scripts_that_only_edit(script: str) -> None:
    assert list(sed_actions(script)) == []


@pytest.mark.parametrize(
    ("script", "actions"),
    [
        ("w out", [("write", "out")]),
        ("1w out", [("write", "out")]),
        ("s/a/b/w out", [("write", "out")]),
        ("s/a/b/gw out", [("write", "out")]),
        ("r /etc/shadow", [("read", "/etc/shadow")]),
        ("e id", [("exec", "")]),
        ("1e", [("exec", "")]),
        ("s/a/b/e", [("exec", "")]),
        ("s/a/b/;e", [("exec", "")]),
        ("p;w a\np", [("write", "a")]),
        ("/x/{w a\n}", [("write", "a")]),
        ("s/[/]/w x", [("write", "x")]),
    ],
)
def test_sed_scripts_that_do_more(script: str, actions: list[tuple[str, str]]) -> None:
    try:
        assert list(sed_actions(script)) == actions
    except NotUnderstood:
        assert script == "s/[/]/w x"  # what follows the third slash is no flag


@pytest.mark.parametrize(
    "script",
    ["s/a", "y/a/b", "k", "1,p", "/a", "a\\", "b x w /etc/x", ": a b", "s/a/b/z"],
)
def test_sed_scripts_that_are_not_understood(script: str) -> None:
    with pytest.raises(NotUnderstood):
        list(sed_actions(script))


@given(st.text(max_size=40))
def test_any_sed_script_is_read_or_not_understood(script: str) -> None:
    with suppress(NotUnderstood):
        assert all(kind in ("read", "write", "exec") for kind, _ in sed_actions(script))


@pytest.mark.parametrize(
    "program",
    [
        "{print $1}",
        '{print $1 " > " $2}',
        "$3 > 5 {print $2}",
        "{if ($1 > 2) print; else n++}",
        "/a|b/ {n++} END {print n}",
        '{print "a|b"}',
        '{printf "%s\\n", $1 > "/dev/stderr"}',
        "{print (a > b)}",
        "{x = $1 / $2; print x / 3}",
        "NR==1 || /x/",
        "!seen[$0]++",
        '{ gsub(/"/, "") } 1',
    ],
)
def test_awk_programs_that_only_print(program: str) -> None:
    assert awk_is_pure(program)


@pytest.mark.parametrize(
    "program",
    [
        'BEGIN{system("id")}',
        '{print | "sh"}',
        '{print > "out"}',
        "{print >> $1}",
        'BEGIN{"id" | getline x}',
        'BEGIN{while ((getline l < "/etc/shadow") > 0) print l}',
        'BEGIN{ARGV[1]="/etc/shadow"; ARGC=2}',
        '@load "x"',
        "BEGIN{@f()}",
        '{print("x") > "f"}',
        '{print $1, $2 > "f"}',
        '{print "a" "b" > "f"}',
        '/[/"]/ {system("id")} /["]/',
        'BEGIN{if (1) /"/ ; print "" | "sh" ; /"/}',
        'BEGIN{x=")"} (1) /"/ {print | "sh"} /"/',
        '{print "unclosed}',
        '{print |& "sh"}',
    ],
)
def test_awk_programs_that_may_do_more(program: str) -> None:
    assert not awk_is_pure(program)


@given(st.text(max_size=40))
def test_any_awk_program_gets_an_answer(program: str) -> None:
    assert awk_is_pure(program) in (True, False)


@pytest.mark.parametrize(
    ("text", "tier"),
    [
        ("select * from t", Tier.GREEN),
        ("SELECT count(*) FROM t; SHOW tables;", Tier.GREEN),
        ("with a as (select 1) select * from a", Tier.GREEN),
        ("explain select 1", Tier.GREEN),
        (r"\dt", Tier.GREEN),
        (".tables", Tier.GREEN),
        ("", Tier.GREEN),
        ("insert into t values (1)", Tier.YELLOW),
        ("UPDATE t SET a = 1", Tier.YELLOW),
        ("create table t (a int)", Tier.YELLOW),
        ("select * into x from t", Tier.YELLOW),
        ("explain analyze delete from t", Tier.RED),
        ("delete from t", Tier.RED),
        ("drop table t", Tier.RED),
        ("select 1; drop table t", Tier.RED),
        (r"select '\'; drop table t; --'", Tier.RED),
        ("select 1 -- x\n; truncate t", Tier.RED),
        ("/*!50000 drop table t */", Tier.RED),
        ("copy t to program 'sh'", Tier.RED),
        ("select pg_read_file('/etc/passwd')", Tier.RED),
        ("select load_file('/etc/passwd')", Tier.RED),
        ("select * from t into outfile '/x'", Tier.RED),
        ("select rolpassword from pg_authid", Tier.RED),
        (r"\! id", Tier.RED),
        (r"\o |sh", Tier.RED),
        (r"\dt \! id", Tier.RED),
        (".shell id", Tier.RED),
        (".tables\n.shell id", Tier.RED),
        ("select load_extension('x')", Tier.RED),
        ("do $$ begin end $$", Tier.RED),
        ("grant all on t to x", Tier.RED),
        ("frobnicate", Tier.RED),
    ],
)
def test_sql(text: str, tier: Tier) -> None:
    assert sql_tier(text) is tier


@given(
    st.text(max_size=40), st.sampled_from(["", "'", '"', "--", "/*", "$$", ";", "\\"])
)
def test_a_prefix_never_hides_what_destroys(prefix: str, opening: str) -> None:
    assert sql_tier(f"{prefix}{opening} ; drop table t") is Tier.RED
