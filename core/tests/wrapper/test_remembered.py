"""A masked text that comes back is known by what is around its mask."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from letsbe.errors import MaskedValue
from letsbe.plugin import Arguments, ToolCall
from letsbe.storage.database import Database
from letsbe.wrapper import remembered
from letsbe.wrapper.remembered import MOST_TEXTS, References

pytestmark = pytest.mark.anyio


def call(session: str = "s", agent: str = "main") -> ToolCall:
    return ToolCall("shell", Arguments(), agent, session)


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with Database(tmp_path_factory.mktemp("marks") / "letsbe.db") as made:
        yield made


@pytest.fixture
def references(database: Database) -> References:
    database.write(lambda connection: connection.execute("DELETE FROM reference_marks"))
    return References(database, KEY)


KEY = b"k" * 32
SENT = "curl -H 'Authorization: Bearer SECRET_REF(cloud_token)' https://a.example/x"


@pytest.mark.parametrize(
    "masked",
    [
        "curl -H 'Authorization: Bearer ***)' https://a.example/x",
        "curl -H 'Authorization: Bearer ***' https://a.example/x",
        "curl -H 'Authorization: Bearer SECRET…ken)' https://a.example/x",
        "curl -H 'Authorization: *** https://a.example/x",
    ],
)
def test_the_reference_behind_a_mask_is_named(
    references: References, masked: str
) -> None:
    references.remember(call(), {"command": SENT})
    assert references.meant(call(), masked) == ["cloud_token"]


@pytest.mark.parametrize(
    "text",
    [
        "Bearer ***",  # not like anything that was sent
        "curl -H 'Authorization: Bearer hunter2' https://a.example/x",
        SENT,
        "***",
    ],
)
def test_what_is_not_a_masked_form_of_it_names_nothing(
    references: References, text: str
) -> None:
    references.remember(call(), {"command": SENT})
    assert references.meant(call(), text) == []


def test_another_session_or_agent_is_not_asked(references: References) -> None:
    references.remember(call(), {"command": SENT})
    masked = SENT.replace("SECRET_REF(cloud_token)", "***)")
    assert references.meant(call("t"), masked) == []
    assert references.meant(call(agent="marketing"), masked) == []


def test_several_masks_in_one_text_name_their_references(
    references: References,
) -> None:
    sent = "mysql -uapp -pSECRET_REF(db) --host SECRET_REF(db_host) --verbose"
    references.remember(call(), [sent])
    both = "mysql -uapp -p*** --host ***) --verbose"
    assert references.meant(call(), both) == ["db", "db_host"]
    second = "mysql -uapp -pSECRET_REF(db) --host *** --verbose"
    assert references.meant(call(), second) == ["db_host"]


def test_it_is_known_after_a_restart_and_no_text_is_stored(tmp_path: Path) -> None:
    path = tmp_path / "letsbe.db"
    masked = SENT.replace("SECRET_REF(cloud_token)", "***)")
    with Database(path) as database:
        References(database, KEY).remember(call(), {"command": SENT})
    with Database(path) as database:
        assert References(database, KEY).meant(call(), masked) == ["cloud_token"]
        assert References(database, b"other key").meant(call(), masked) == []
    stored = b"".join(file.read_bytes() for file in tmp_path.iterdir())
    assert b"example" not in stored
    assert b"Authorization" not in stored


def test_what_is_kept_is_bounded(
    references: References, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    masked = SENT.replace("SECRET_REF(cloud_token)", "***)")
    references.remember(call("s9"), {"command": SENT})
    for _ in range(3):
        references.remember(call("s9"), {"command": SENT})
    assert references.meant(call("s9"), masked) == ["cloud_token"]
    for n in range(MOST_TEXTS):
        references.remember(call("s9"), {"c": f"{n} SECRET_REF(other)"})
    assert references.meant(call("s9"), masked) == []
    monkeypatch.setattr(remembered, "MOST_ROWS", 5)
    references.remember(call(), {"command": SENT})
    assert references.meant(call(), masked) == ["cloud_token"]
    count = "SELECT count(*) FROM reference_marks"
    assert database.read(lambda c: c.execute(count).fetchone()[0]) == 5


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    before=st.text(max_size=40),
    after=st.text(max_size=40),
    name=st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True),
)
def test_with_much_around_it_the_name_is_always_found(
    references: References, before: str, after: str, name: str
) -> None:
    around = f"https://example.com/{before}", f"{after}/the/rest/of/it"
    references.remember(call(), [f"{around[0]}SECRET_REF({name}){around[1]}"])
    found = references.meant(call(), "***".join(around))
    assert found == [name] or "SECRET_REF" in before + after or "*" in before + after


async def test_the_refusal_names_it(bench: Any) -> None:
    bench.provide("cloud_token")
    bench.provide("other_thing", "another-value-91")
    await bench.call(text="login --password=SECRET_REF(cloud_token) now")
    answer = await bench.call(text="login --password=*** now")
    assert answer.code == MaskedValue.code
    assert "SECRET_REF(cloud_token)" in answer.reason
    assert "cloud_token" in answer.alternative
