"""Rule tables: their form, and what their words are taken to mean."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from letsbe.policy.commands import line_from_argv, parse_line
from letsbe.policy.rules import (
    EXAMPLE_PLACE,
    Judgement,
    RuleBook,
    TableError,
    compile_table,
)
from letsbe.policy.tiers import Tier

SORT = """
tier = "GREEN"
why = "prints sorted lines"
operands = "read"
filter = true
[flags]
plain = "-n -k= --key= -u --unique --color? -c? --compact"
write = "-o= --output="
exec = "--compress-program="
[examples]
GREEN = ["sort x"]
"""
TOOL = """
tier = "GREEN"
why = "shows things"
inject = ["--safe"]
anywhere = true
[environment]
TOOL_PAGER = "cat"
[flags]
plain = "-v --verbose -H="
red = "--force"
[sub.list]
tier = "GREEN"
operands = "list"
emits = true
inject = ["--plain"]
flags = { plain = "-a --name=" }
names = "--name"
[sub.delete]
tier = "RED"
operands = "text"
[sub.show]
like = "list"
[sub.call]
tier = "YELLOW"
operands = ["text", "url"]
max = 2
[[sub.call.when]]
flags = "-H"
value = "danger.*"
tier = "RED"
rule = "danger"
why = "is dangerous"
external = true
[examples]
GREEN = ["tool list"]
"""
WRAP = """
tier = "YELLOW"
why = "runs a command"
style = "posix"
operands = ["text", "command"]
[flags]
plain = "-s="
[examples]
YELLOW = ["wrap 1 sort x"]
"""
FEED = """
tier = "GREEN"
why = "runs a command with words of its input"
style = "posix"
operands = "command"
appends = "-I"
flags = { plain = "-I= -0" }
[examples]
RED = ["feed sort"]
"""
CAT = """
tier = "GREEN"
why = "prints files"
operands = "read"
filter = true
flags = { plain = "-n" }
[examples]
GREEN = ["cat x"]
"""


@pytest.fixture(scope="module")
def book() -> RuleBook:
    texts = {"sort": SORT, "tool": TOOL, "wrap": WRAP, "feed": FEED, "cat": CAT}
    return RuleBook(
        {name: compile_table(name, tomllib.loads(text)) for name, text in texts.items()}
    )


def judge(book: RuleBook, text: str) -> Judgement:
    return book.judge(parse_line(text), EXAMPLE_PLACE)


@pytest.mark.parametrize(
    ("text", "tier", "rule"),
    [
        ("sort x", Tier.GREEN, "sort"),
        ("sort -nk2 x", Tier.GREEN, "sort"),
        ("sort -k 2 -u x", Tier.GREEN, "sort"),
        ("sort --key 2 --key=3 x", Tier.GREEN, "sort"),
        ("sort --uni x", Tier.GREEN, "sort"),
        ("sort --color --color=auto -cx x", Tier.GREEN, "sort"),
        ("sort -o out x", Tier.YELLOW, "sort.write"),
        ("sort -oout x", Tier.YELLOW, "sort.write"),
        ("sort -nuoout x", Tier.YELLOW, "sort.write"),
        ("sort x -o out", Tier.YELLOW, "sort.write"),
        ("sort --outp out", Tier.YELLOW, "sort.write"),
        ("sort '-o' out", Tier.YELLOW, "sort.write"),
        ("sort -- -o out", Tier.GREEN, "sort"),
        ("sort --comp=sh", Tier.RED, "sort.unknown_flag"),
        ("sort --compr=sh", Tier.RED, "sort.exec"),
        ("sort --compress-program", Tier.RED, "sort.exec"),
        ("sort -x", Tier.RED, "sort.unknown_flag"),
        ("sort -nx", Tier.RED, "sort.unknown_flag"),
        ("sort /etc/shadow", Tier.RED, "sort.read.secret"),
        ("sort -o /etc/passwd", Tier.RED, "sort.write.system"),
        ("sort </etc/shadow", Tier.RED, "input.read.secret"),
        ("sort SECRET_REF(x)", Tier.RED, "sort.path.secret_ref"),
        ("frob", Tier.RED, "unknown_program"),
        ("./sort x", Tier.RED, "program_path"),
        ("/usr/bin/sort x", Tier.GREEN, "sort"),
        ("/usr/bin/../../tmp/sort x", Tier.RED, "program_path"),
        ("tool list", Tier.GREEN, "tool.list"),
        ("tool -v list -v", Tier.GREEN, "tool.list"),
        ("tool -H list delete x", Tier.RED, "tool.delete"),
        ("tool list --force", Tier.RED, "tool.list.force"),
        ("tool frob", Tier.RED, "tool.unknown_subcommand"),
        ("tool show --name=x", Tier.GREEN, "tool.show"),
        ("tool call a https://example.com", Tier.YELLOW_EXTERNAL, "tool.call.host"),
        ("tool call a b c", Tier.RED, "tool.call.operand"),
        ("tool call -H danger1", Tier.RED, "tool.call.danger"),
        ("tool call -H fine", Tier.YELLOW, "tool.call"),
        ("wrap 1 sort x", Tier.YELLOW, "wrap"),
        ("wrap 1 sort --compress-program=sh x", Tier.RED, "sort.exec"),
        ("wrap -s 1 2 frob", Tier.RED, "unknown_program"),
        ("wrap 1 wrap 2 tool delete x", Tier.RED, "tool.delete"),
        ("wrap 1 cat /etc/shadow", Tier.RED, "cat.read.secret"),
        ("tool list src | feed cat", Tier.GREEN, "tool.list"),
        ("tool list src | sort -u | feed cat -n", Tier.GREEN, "tool.list"),
        ("tool list src | feed sort", Tier.RED, "feed.flags"),
        ("tool list src | feed -I X cat X", Tier.GREEN, "tool.list"),
        ("tool list --name=.env | feed cat", Tier.RED, "cat.read.secret"),
        ("tool list /etc | feed cat", Tier.RED, "cat.read.tree"),
        ("cat names | feed cat", Tier.RED, "cat.read.secret"),
        ("feed cat", Tier.RED, "cat.read.secret"),
    ],
)
def test_tier_and_deciding_rule(
    book: RuleBook, text: str, tier: Tier, rule: str
) -> None:
    judgement = judge(book, text)
    assert (judgement.tier, judgement.deciding.rule) == (tier, rule)


def test_nesting_is_limited(book: RuleBook) -> None:
    assert judge(book, "wrap 1 " * 8 + "sort x").tier is Tier.YELLOW
    deep = judge(book, "wrap 1 " * 9 + "sort x")
    assert (deep.tier, deep.deciding.rule) == (Tier.RED, "nesting")


def test_what_runs_is_hardened_inside_wrappers_too(book: RuleBook) -> None:
    judgement = judge(book, "wrap 1 tool -v list a")
    stage = judgement.pipelines[0].stages[0]
    assert stage.argv == ("wrap", "1", "tool", "--safe", "-v", "list", "--plain", "a")
    assert stage.environment == {"TOOL_PAGER": "cat"}


def test_fed_words_are_judged_and_not_run(book: RuleBook) -> None:
    judgement = judge(book, "tool list src | feed cat -n")
    assert judgement.pipelines[0].stages[1].argv == ("feed", "cat", "-n")


def test_tilde_and_globs(book: RuleBook) -> None:
    judgement = judge(book, "sort ~/x *.txt -k *")
    words = judgement.pipelines[0].stages[0].words
    assert [(w.text, w.glob) for w in words[1:]] == [
        ("/home/agent/x", False),
        ("*.txt", True),
        ("-k", False),
        ("*", False),
    ]


def test_cd_is_followed(book: RuleBook) -> None:
    judgement = judge(book, "cd /etc && cat shadow")
    assert judgement.deciding.rule == "cat.read.secret"
    assert [p.cwd for p in judgement.pipelines] == ["/etc", "/etc"]
    judgement = judge(book, "cd a && cd .. ; cat x <y")
    assert judgement.pipelines[2].stages[0].stdin == "/srv/work/y"


@pytest.mark.parametrize(
    "text", ["cd a | cat x", "cd a || cat x", "cd -", "cd a*", "cd -P a", "cd a b"]
)
def test_cd_that_cannot_be_followed_is_refused(book: RuleBook, text: str) -> None:
    assert judge(book, text).refused


def test_hosts_are_reported(book: RuleBook) -> None:
    judgement = judge(book, "tool call a https://user@Example.com:8443/x?y")
    assert (judgement.hosts, judgement.external) == (("example.com",), True)
    judgement = judge(book, "tool call a http://127.1:9/; sort x")
    assert (judgement.hosts, judgement.external) == (("127.1",), False)
    assert judge(book, "sort x").hosts == ()
    assert judge(book, "frob x").hosts is None


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8200/",
        "http://localhost:8200",
        "http://2130706433:8200/",
        "http://0x7f.1:8200/",
        "http://[::1]:8200/",
        "http://[::ffff:127.0.0.1]:8200/",
        "http://0.0.0.0:8100/",
        "http://a.localhost:18789/",
        "http://u:p@127.0.0.1:8200/",
        "localhost:8200",
    ],
)
def test_closed_ports_are_refused_however_written(book: RuleBook, url: str) -> None:
    judgement = judge(book, f"tool call a '{url}'")
    assert judgement.refused
    assert judgement.deciding.rule == "tool.call.host.closed"


def test_forbidden_paths_are_refused(book: RuleBook) -> None:
    assert judge(book, "cat /var/lib/letsbe/vault.key").refused
    assert judge(book, "cd /var/lib/letsbe && cat vault.key").refused


def test_a_match_names_its_place(book: RuleBook) -> None:
    text = "sort a && sort -o out x"
    deciding = judge(book, text).deciding
    assert deciding.command == 1
    assert text[slice(*deciding.span)] == "out"


def test_argv_meets_the_same_rules(book: RuleBook) -> None:
    line = line_from_argv(["sort", "--compress-program=sh", "a b"])
    assert book.judge(line, EXAMPLE_PLACE).deciding.rule == "sort.exec"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ('why = "x"', "tier"),
        ('tier = "GREEN"', "why"),
        ('tier = "PURPLE"\nwhy = "x"', "PURPLE"),
        ('tier = "GREEN"\nwhy = "x"\nfrob = 1', "frob"),
        ('tier = "GREEN"\nwhy = "x"\n[flags]\nfrob = "-a"', "frob"),
        ('tier = "GREEN"\nwhy = "x"\n[flags]\nplain = "-a"\nred = "-a"', "twice"),
        ('tier = "GREEN"\nwhy = "x"\noperands = "frob"', "frob"),
        ('tier = "GREEN"\nwhy = "x"\noperands = "re:("', "rule table"),
        ('tier = "GREEN"\nwhy = "x"\noperands = "command"', "posix"),
        ('tier = "GREEN"\nwhy = "x"\nstyle = "frob"', "style"),
        (
            'tier = "GREEN"\nwhy = "x"\nunlisted = "harmless"\n[flags]\nexec = "-x"',
            "harmless",
        ),
        ('tier = "GREEN"\nwhy = "x"\n[[when]]\ntier = "RED"', "rule"),
        ('tier = "GREEN"\nwhy = "x"\n[sub.a]\ntier = "GREEN"\nfrob = 1', "frob"),
        ('tier = "GREEN"\nwhy = "x"\n[sub.a]\nlike = "b"', "b"),
        ('tier = "GREEN"\nwhy = "x"', "examples"),
    ],
)
def test_a_wrong_table_is_refused(change: str, message: str) -> None:
    with pytest.raises(TableError, match=message):
        compile_table("x", tomllib.loads(change))


def write(folder: Path, **tables: str) -> Path:
    for name, text in tables.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder


def test_loading_leaves_out_what_is_wrong_and_says_so(tmp_path: Path) -> None:
    wrong = SORT.replace('["sort x"]', '["sort -o x"]')
    folder = write(tmp_path, sort=wrong, cat=CAT, broken="tier =", feed=FEED)
    book = RuleBook.load([folder])
    assert book.programs == ("cat", "feed")
    assert judge(book, "sort x").tier is Tier.RED
    assert any("sort -o x" in problem for problem in book.problems)
    assert any("broken.toml" in problem for problem in book.problems)


def test_two_tables_for_one_program_are_both_left_out(tmp_path: Path) -> None:
    other = CAT.replace("operands", 'aliases = ["sort"]\noperands')
    book = RuleBook.load([write(tmp_path, cat=other, sort=SORT)])
    assert book.programs == ("cat",)
    assert "claim the program sort" in book.problems[0]


def test_reading_refuses_what_loading_leaves_out(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"broken\.toml"):
        RuleBook.read([write(tmp_path, cat=CAT, broken="tier =")])


GO_PROGRAM = """
tier = "GREEN"
why = "does"
exact = true
style = "posix"
[flags]
plain = "--help"
[sub.rm]
tier = "RED"
operands = "text"
[[sub.rm.mode]]
flags = "--help"
tier = "GREEN"
[sub.rm.flags]
plain = "-q --quiet -v= --volume= --help"
[sub.box]
tier = "GREEN"
[sub.box.sub]
remove = "rm"
[examples]
GREEN = ["gone rm --help x"]
RED = ["gone rm --help=false x", "gone rm --help=F x", "gone rm --quie x"]
"""


@pytest.fixture
def go_book(tmp_path: Path) -> RuleBook:
    return RuleBook.load([write(tmp_path, gone=GO_PROGRAM)])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("gone rm -v=/x", "/x"),
        ("gone rm -qv=/x", "/x"),
        ("gone rm -qv/x", "/x"),
        ("gone rm -v /x", "/x"),
        ("gone rm -v= /x", "="),
        ("gone rm --volume==x", "=x"),
        ("gone box remove -v=/x", "/x"),
    ],
)
def test_exact_programs_read_values_as_pflag_does(
    go_book: RuleBook, text: str, value: str
) -> None:
    assert go_book.problems == ()
    judged = go_book.judge_words(parse_line(text).stages[0].words, EXAMPLE_PLACE)
    assert judged.arguments
    assert [
        word.text
        for _, given in judged.arguments.flags
        if given.flag and given.flag.values
        for word in given.values
    ] == [value]
    assert judged.matches[0].rule == "gone.rm"
