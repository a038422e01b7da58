"""A masked text that comes back is known by what is around its mask."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe.errors import MaskedValue
from letsbe.plugin import Arguments, ToolCall
from letsbe.wrapper.remembered import MOST_SESSIONS, MOST_TEXTS, References

pytestmark = pytest.mark.anyio


def call(session: str = "s", agent: str = "main") -> ToolCall:
    return ToolCall("shell", Arguments(), agent, session)


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
def test_the_reference_behind_a_mask_is_named(masked: str) -> None:
    references = References()
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
def test_what_is_not_a_masked_form_of_it_names_nothing(text: str) -> None:
    references = References()
    references.remember(call(), {"command": SENT})
    assert references.meant(call(), text) == []


def test_another_session_or_agent_is_not_asked() -> None:
    references = References()
    references.remember(call(), {"command": SENT})
    masked = SENT.replace("SECRET_REF(cloud_token)", "***)")
    assert references.meant(call("t"), masked) == []
    assert references.meant(call(agent="marketing"), masked) == []


def test_what_is_kept_is_bounded() -> None:
    references = References()
    for n in range(MOST_SESSIONS + 5):
        references.remember(call(f"s{n}"), {"command": SENT})
    masked = SENT.replace("SECRET_REF(cloud_token)", "***)")
    assert references.meant(call("s0"), masked) == []
    assert references.meant(call("s9"), masked) == ["cloud_token"]
    for n in range(MOST_TEXTS):
        references.remember(call("s9"), {"c": f"{n} SECRET_REF(other)"})
    assert references.meant(call("s9"), masked) == []


@given(
    before=st.text(max_size=40),
    after=st.text(max_size=40),
    name=st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True),
)
def test_with_much_around_it_the_name_is_always_found(
    before: str, after: str, name: str
) -> None:
    references = References()
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
