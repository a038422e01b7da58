"""The mask guard: no mask is run, no ordinary text is stopped."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from letsbe.errors import MaskedValue
from letsbe.vault.masks import check_masks

MASKED = [
    ("password", "***"),
    ("password", "********"),
    ("password", '"***"'),
    ("value", "***"),
    ("value", "••••••••"),
    ("value", "a1b2c3…d4e5"),
    ("value", "[REDACTED]"),
    ("value", "[REDACTED:github_token]"),
    ("value", "[redacted]"),
    ("value", "<redacted>"),
    ("value", "__OPENCLAW_REDACTED__"),
    ("value", "oc-sent-v2.abc"),
    ("password", "abcdef…wxyz"),
    ("password", "…"),
    ("password", "xxxxxxxx"),
    ("api_key", "sk-***abcd"),
    ("headers.Authorization", "Bearer ***"),
    ("headers.Authorization", "Bearer ***)"),
    ("headers.Authorization", "Basic abcdef…3xyz"),
    ("command", "curl -H 'Authorization: Bearer ***' https://x"),
    ("command", "curl -H 'Authorization: Bearer ***)' https://x"),
    ("command", "curl -H 'X-Api-Key: SECRET…ken)' https://x"),
    ("command", "curl -u admin:*** https://x"),
    ("command", "curl 'https://x/?api_key=***&page=2'"),
    ("command", "curl https://api.telegram.org/bota1b2c3…d4e5/getMe"),
    ("command", "psql postgres://app:***@db/shop"),
    ("command", "mysql -p*** -u root"),
    ("command", "sshpass -p *** ssh host"),
    ("command", "PGPASSWORD=*** psql"),
    ("command", "PASSWORD=***; TOKEN=***"),
    ("command", "login --password ***"),
    ("command", "login --token=***"),
    ("command", "login --token abcdef…3xyz"),
    ("command", "login token=abcdef...w3yz"),
    ("command", "echo *** | docker login --password-stdin"),
    ("command", "export NC=***"),
    ("argv.3", "***"),
    ("url", "https://x/?api_key=***&b=1"),
    ("content", "NEXTCLOUD_TOKEN=***\nURL=https://nc.example\n"),
    ("content", "URL=https://nc.example\nDB_PASSWORD='***'\n"),
    ("content", "API_KEY=••••••\n"),
    ("content", "api_key: 'sk-***abcd'\n"),
    ("content", 'first = 1\n{"password": "***", "user": "a"}\n'),
    ("content", '{"user": "***", "password": "***"}'),
    ("content", "password: ***\nuser: a"),
    ("content", "password=[redacted]\n"),
    ("content", "token: '<redacted>'\n"),
    ("content", "the key is sk-abc…wxyz"),
    ("content", "jwt eyJhbG…4f3c"),
    ("content", "a [REDACTED] value"),
    ("content", "-----BEGIN PRIVATE KEY-----\n…redacted…\n-----END PRIVATE KEY-----"),
    ("content", "dsn = 'postgres://app:***@db/shop'"),
    ("content", "ref SECRET…ken) here"),
]

ORDINARY = [
    # Globs, crontabs, other languages' stars.
    "**/*.py",
    "src/**",
    "rm -rf build/**",
    "rsync --include='dir/***' a b",
    "* * * * * /usr/bin/true",
    "*/5 * * * 1-5 run",
    "0 0 * * * PATH=/bin backup",
    "char ***argv;",
    "int x = ***p;",
    "a ** b",
    "/*** comment ***/",
    "/*****\n * text\n *****/",
    "print('*' * 3)",
    "SELECT * FROM users",
    # Markdown.
    "# Title\n\n***\n\nText",
    "***\n",
    "* * *\n",
    "**bold** and *italic* and ***both***",
    "***Note:*** read this",
    "***Important: read this first*** and go on",
    "**Password:** choose one",
    "***Password:*** choose one",
    "**Token** … later",
    "password: ***required***",
    "| *** | x |",
    "- *** item",
    "five stars: *****",
    "Rating: ***",
    # Prose with dots.
    "Hmm… well",
    "wait…what",
    "Really…what now",
    "loading…done",
    "to be continued…",
    "Your password expires in 3 days...",
    "The password: see the vault…",
    "What is a token...?",
    "…",
    "...",
    "Secret Santa… who is it",
    "commit 3f4a5b…9c2d fixes it",
    "0x1234…abcd is the address",
    "v1.2.3…v1.3 in the changelog",
    # Policies and documentation of passwords.
    "Passwords have at least 12 characters, one of * ! ? and no spaces",
    "Password policy: 12 characters … no more",
    "token: ${TOKEN}",
    "password: {{ vault.password }}",
    "password = os.environ['PASSWORD']",
    "def login(password: str = ...) -> None: ...",
    "def f(token: tuple[str, ...]) -> None:",
    "auth: {...auth, a: 1}",
    "author: ***someone***",
    "monkey: banana…",
    "Bearer tokens… are for bearers",
    "SECRET_REF(nextcloud_token)",
    "curl -H 'Authorization: Bearer SECRET_REF(nc)' https://x",
    "redacted documents are masked and hidden",
    "set hidden",
    "",
    " ",
]

COMMANDS = [
    *("ls **/*.py", "find . -name '*.py'", "git log main...dev", "echo wait…what"),
    *(
        "git diff a1b2c3d...e4f5a6b",
        "rsync --include='dir/***' a b",
        "ls *",
        "echo ...",
    ),
    *("grep -rn 'password' src/**", "crontab -l", "echo 'token: yes'", "expr 2 '*' 3"),
]


def passes(args: Any) -> bool:
    try:
        check_masks(args)
    except MaskedValue:
        return False
    return True


def placed(field: str, text: str) -> dict[str, Any]:
    """Put a text where a path says."""
    value: Any = text
    for part in reversed(field.split(".")):
        value = ["x"] * int(part) + [value] if part.isdigit() else {part: value}
    return dict(value)


@pytest.mark.parametrize(("field", "text"), MASKED)
def test_a_mask_is_refused_and_its_field_named(field: str, text: str) -> None:
    with pytest.raises(MaskedValue) as caught:
        check_masks(placed(field, text))
    assert caught.value.details[0].field == field
    assert "SECRET_REF(name)" in str(caught.value)


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_passes(text: str) -> None:
    for field in ("content", "message", "description"):
        if text.strip() != "***":
            assert passes({field: text})
        assert passes({field: f"First line.\n\n{text}\n\nLast line.\n"})


@pytest.mark.parametrize("command", COMMANDS)
def test_an_ordinary_command_passes(command: str) -> None:
    assert passes({"command": command})


def test_what_is_no_text_passes() -> None:
    assert passes({"a": 1, "b": [None, True, 2.5], "c": {}})
    assert passes([])
    assert passes(None)


names = st.from_regex(
    r"([a-z]{1,8}_)?(password|token|secret|api_key)(_[a-z]{1,5})?", fullmatch=True
)
token_ends = st.tuples(
    st.from_regex(r"[A-Za-z0-9]{5}[0-9]", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9]{4}", fullmatch=True),
)
masks = st.one_of(
    st.integers(3, 12).map(lambda count: "*" * count),
    token_ends.map("…".join),
    st.from_regex(r"\[REDACTED(:[a-z]{1,9})?\]", fullmatch=True),
)
forms = st.sampled_from(
    ["{n}={m}", "{n}: {m}", '{{"{n}": "{m}"}}', "{N}='{m}'", "--{n} {m}", "--{n}={m}"]
)
lines = st.lists(st.sampled_from(["", "text", "# note", "PORT=80"]), max_size=3)


@given(names, masks, forms, lines, lines)
@example("token", "a1b2c3…d4e5", "{n}={m}", [], [])
def test_a_mask_where_a_value_is_due_is_refused_wherever_the_line_is(
    name: str, mask: str, form: str, before: list[str], after: list[str]
) -> None:
    line = form.format(n=name, N=name.upper(), m=mask)
    assert not passes({"content": "\n".join([*before, line, *after])})


@given(names, masks)
def test_a_mask_as_the_whole_of_a_field_is_refused(name: str, mask: str) -> None:
    assert not passes({name: mask})
    assert not passes({"env": [{"value": mask}]})


@given(st.text(st.characters(exclude_characters="*•●….[(<", exclude_categories=["Cs"])))
def test_text_without_stars_dots_and_brackets_passes(text: str) -> None:
    assert passes({"content": text, "command": text}) or "oc-sent-" in text


globs = st.lists(
    st.sampled_from(["**", "*", "src", "*.py", "a?", "[ab]*", "..", ".", "x"]),
    min_size=1,
    max_size=6,
).map("/".join)
cron = st.tuples(*[st.sampled_from(["*", "*/5", "0", "1-5", "1,2"])] * 5).map(" ".join)
prose = st.lists(
    st.sampled_from(
        [
            *("The", "password", "token", "key", "is", "secret", "and", "…", "now…"),
            *("so…", "*very*", "**much**", "***both***", "reset:", "it.", "Please,"),
            *("wait...", "(see)", "[link](x)", "`code`", "-", "1.", ">", "#", "don't"),
        ]
    ),
    max_size=30,
).map(" ".join)


@given(globs | cron)
def test_globs_and_crontabs_pass_in_every_field(text: str) -> None:
    for field in ("pattern", "command", "path", "content"):
        assert passes({field: text})


@given(prose)
def test_prose_about_passwords_passes(text: str) -> None:
    assert passes({"content": text})


@given(st.text(st.sampled_from("*…•.=:'\" apswordtken-_/@)(\n[]RED")))
def test_any_mixture_is_judged(text: str) -> None:
    passes({"content": text, "command": text})


def test_a_refusal_names_the_reference_that_was_meant() -> None:
    known = ["chatwoot_token", "nextcloud_token", "stripe.live", "db-password"]
    meant = {
        "NEXTCLOUD_TOKEN=***": "nextcloud_token",
        "DB_PASSWORD='***'": "db-password",
        "curl -H 'X: SECRET…oot_token)'": "chatwoot_token",
        "STRIPE_SECRET: sk-abc…wxyz": None,
        "stripe_secret: ***": "stripe.live",
        "UNRELATED=***": None,
    }
    for text, name in meant.items():
        with pytest.raises(MaskedValue) as caught:
            check_masks({"content": text}, lambda: known)
        expected = f"SECRET_REF({name})" if name else "SECRET_REF(name)"
        assert expected in str(caught.value), text
        others = {f"SECRET_REF({other})" for other in known if other != name}
        assert not any(other in str(caught.value) for other in others)


def test_a_masked_reference_is_known_by_its_end() -> None:
    known = ["chatwoot_token", "nextcloud_token", "stripe_live"]
    with pytest.raises(MaskedValue) as caught:
        check_masks({"command": "curl -H 'X: SECRET…ive)' u"}, lambda: known)
    assert "write SECRET_REF(stripe_live)" in str(caught.value)
    with pytest.raises(MaskedValue) as caught:
        check_masks({"command": "curl -H 'X: SECRET…ken)' u"}, lambda: known)
    assert "SECRET_REF(chatwoot_token) or SECRET_REF(nextcloud_token)" in str(
        caught.value
    )


def test_the_field_helps_to_find_the_name() -> None:
    with pytest.raises(MaskedValue, match=r"SECRET_REF\(smtp\.password\)"):
        check_masks(
            {"smtp": {"password": "***"}}, lambda: ["smtp.password", "imap.password"]
        )


def test_names_are_asked_for_only_if_there_is_a_mask() -> None:
    def never() -> list[str]:
        raise AssertionError

    check_masks({"command": "ls **/*.py", "a": ["x"] * 100}, never)


def test_what_the_mask_left_of_a_value_is_not_shown() -> None:
    with pytest.raises(MaskedValue) as caught:
        check_masks({"token": "canar1…v4lu"}, lambda: ["a"])
    shown = (
        str(caught.value) + str(caught.value.details) + str(caught.value.alternative)
    )
    assert "canar1" not in shown
    assert "v4lu" not in shown


@pytest.mark.slow
@pytest.mark.parametrize(
    "part",
    ["*** ", "password=", "a…b", "pass", "***a", "SECRET_", "sk-aaaa", "[REDACT"],
)
def test_a_large_text_takes_no_long_time(part: str) -> None:
    text = part * (2_000_000 // len(part))
    began = time.thread_time()
    passes({"content": text})
    assert time.thread_time() - began < 2
