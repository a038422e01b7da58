"""The client's parts without a Hub: pauses, addresses, answers, outbox, roll-back."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe.cli.init import make_home
from letsbe.discovery.finding import installed_set
from letsbe.discovery.plugin_set import PluginSet, Selection, write_plugin_set
from letsbe.discovery.records import Kind
from letsbe.errors import ConfigurationError, InvalidRequest, LetsBeError
from letsbe.home import Home
from letsbe.hub_client import applying
from letsbe.hub_client.applying import Configurator
from letsbe.hub_client.connection import checked_url, read_key, write_key
from letsbe.hub_client.documents import checked, digest, document_of
from letsbe.hub_client.intervals import JITTER, MOST, Backoff
from letsbe.hub_client.state import HubState
from letsbe.hub_client.transport import HubApi, HubRefused, HubUnreachable
from letsbe.hub_client.usage import UsageOutbox, waiting
from letsbe.policy.autonomy import AutonomyLevel
from letsbe.policy.tiers import Tier
from letsbe.proxy.sharing import open_usage
from letsbe.redaction.pipeline import Pipeline
from letsbe.storage.database import Database
from letsbe.wrapper.additions import Additions
from letsbe.wrapper.agents import AgentPolicies

Answer = Callable[[httpx.Request], httpx.Response]
HOUR = int(time.time()) // 3600 * 3600


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    make_home(made, (tmp_path,), ("main",))
    return made


@pytest.fixture
def database(home: Home) -> Iterator[Database]:
    opened = open_usage(home)
    yield opened
    opened.close()


def api(answer: Answer) -> HubApi:
    transport = httpx.MockTransport(answer)
    return HubApi("http://127.0.0.1:1", lambda: "lbk_x", Pipeline(()), transport)


def said(status: int = 200, **body: Any) -> httpx.Response:
    return httpx.Response(status, json={"success": status < 400} | body)


@given(st.lists(st.booleans(), max_size=40), st.floats(0, 1))
def test_pauses_grow_to_a_limit_and_start_anew(
    successes: list[bool], drawn: float
) -> None:
    backoff = Backoff(lambda: drawn)
    for success in successes:
        if success:
            pause = backoff.succeeded(60)
            assert 60 * (1 - JITTER) <= pause <= 60 * (1 + JITTER)
            assert backoff.failures == 0
        else:
            assert 0 < backoff.failed() <= MOST + 1
    assert backoff.failed(500) >= 500
    assert 5 <= backoff.failed(5) <= 10  # as the Hub says, however often it failed
    assert 0 < backoff.failed(0) <= 2


@pytest.mark.parametrize(
    "url",
    [
        "http://hub.example",
        "ftp://x",
        "https://",
        "https://u:p@x",
        "x",
        "https://[",
        "https://x?y",
    ],
)
def test_an_address_that_leaks_or_is_none_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequest):
        checked_url(url)


def test_the_key_is_for_its_owner_alone(home: Home) -> None:
    write_key(home, "lbk_1")
    write_key(home, "lbk_2")
    assert read_key(home) == "lbk_2"
    assert home.hub_key.stat().st_mode & 0o077 == 0
    home.hub_key.chmod(0o644)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        read_key(home)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (httpx.Response(200, text="<html>"), HubUnreachable),
        (httpx.Response(200, json=[]), HubUnreachable),
        (httpx.Response(200, json={"success": "yes"}), HubUnreachable),
        (httpx.Response(302, headers={"location": "http://x"}), HubUnreachable),
        (said(503, error={"message": "down"}), HubUnreachable),
        (said(429, error=None), HubUnreachable),
        (said(400, error={"code": "X", "message": "no"}), HubRefused),
        (said(401, error=7), HubRefused),
    ],
)
def test_every_answer_is_understood_or_an_error(
    answer: httpx.Response, kind: type[LetsBeError]
) -> None:
    with pytest.raises(kind):
        asyncio.run(api(lambda _: answer).post("heartbeat", {}))


def test_the_hub_says_when_to_come_back() -> None:
    later = httpx.Response(
        429, json={"success": False, "error": {}}, headers={"retry-after": "7"}
    )
    with pytest.raises(HubUnreachable) as caught:
        asyncio.run(api(lambda _: later).post("heartbeat", {}))
    assert caught.value.seconds == 7


def test_no_answer_is_an_error_without_the_librarys_text() -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("secret text")

    with pytest.raises(HubUnreachable) as caught:
        asyncio.run(api(fail).get("config"))
    assert "secret text" not in str(caught.value)


class FakeHub:
    """Takes usage as the Hub does, and refuses what it is told to."""

    def __init__(self) -> None:
        self.stored: dict[tuple[int, str], tuple[int, int]] = {}
        self.refuse: set[str] = set()
        self.lose_answers = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        buckets = json.loads(request.content)["buckets"]
        blamed = [n for n, b in enumerate(buckets) if b["model"] in self.refuse]
        if blamed:
            details = [{"field": f"buckets.{n}", "message": "no"} for n in blamed]
            error = {"code": "USAGE_CONFLICT", "message": "no", "details": details}
            return said(409, error=error)
        for bucket in buckets:
            key = bucket["hour"], bucket["model"]
            self.stored[key] = bucket["revision"], bucket["inputTokens"]
        if self.lose_answers:
            self.lose_answers -= 1
            raise httpx.ReadTimeout("lost")
        return said(data={"stored": len(buckets), "unchanged": 0})


def count(database: Database, model: str, tokens: int, hour: int = HOUR) -> None:
    statement = (
        "INSERT INTO token_usage (hour, agent_id, model, input_tokens, output_tokens,"
        " cached_tokens, revision) VALUES (?, 'main', ?, ?, 0, 0, 1)"
        " ON CONFLICT (hour, agent_id, model) DO UPDATE SET"
        " input_tokens = excluded.input_tokens, revision = revision + 1"
    )
    database.write(lambda c: c.execute(statement, (hour, model, tokens)))


def test_usage_goes_out_once_and_again_only_when_it_changed(
    database: Database,
) -> None:
    hub = FakeHub()
    outbox = UsageOutbox(database, HubState(database), api(hub))
    for number in range(450):
        count(database, f"m{number}", number)
    assert asyncio.run(outbox.send(time.time())) == 450
    assert asyncio.run(outbox.send(time.time())) == 0
    count(database, "m7", 99)
    assert waiting(database, time.time()) == 1
    assert asyncio.run(outbox.send(time.time())) == 1
    assert hub.stored[HOUR, "m7"] == (2, 99)
    assert len(hub.stored) == 450


def test_a_lost_answer_sends_again(database: Database) -> None:
    hub = FakeHub()
    hub.lose_answers = 1
    count(database, "m", 5)
    outbox = UsageOutbox(database, HubState(database), api(hub))
    with pytest.raises(HubUnreachable):
        asyncio.run(outbox.send(time.time()))
    assert waiting(database, time.time()) == 1
    again = UsageOutbox(database, HubState(database), api(hub))
    assert asyncio.run(again.send(time.time())) == 1


def test_one_refused_bucket_does_not_hold_up_the_others(database: Database) -> None:
    hub = FakeHub()
    hub.refuse = {"bad"}
    for model in ("a", "bad", "z"):
        count(database, model, 1)
    state = HubState(database)
    outbox = UsageOutbox(database, state, api(hub))
    assert asyncio.run(outbox.send(time.time())) == 2
    assert len(state.all("usage-refused:")) == 1
    hub.refuse = set()
    count(database, "bad", 2)
    assert asyncio.run(outbox.send(time.time())) == 1
    assert state.all("usage-refused:") == {}


def test_usage_that_is_too_old_is_not_sent(database: Database) -> None:
    count(database, "m", 1, HOUR - 40 * 86400)
    assert waiting(database, time.time()) == 0


def test_marks_of_usage_go_when_it_is_too_old_to_be_sent(database: Database) -> None:
    state, hub = HubState(database), FakeHub()
    hub.refuse = {"bad"}
    outbox = UsageOutbox(database, state, api(hub))
    count(database, "a", 1)
    count(database, "bad", 1)
    later = time.time() + 30 * 86400
    asyncio.run(outbox.send(later))
    assert len(state.all("usage:")) == 2
    assert asyncio.run(outbox.send(later + 5 * 86400)) == 0
    assert state.all("usage:") == state.all("usage-refused:") == {}


def document(**more: Any) -> dict[str, Any]:
    agents = {"main": {"name": "Main", "autonomyLevel": 3, "tools": ["shell"]}}
    rules = [{"tool": "shell", "tier": "RED", "reason": "careful"}]
    whole = {"autonomyLevel": 1, "agents": agents, "classification": rules} | more
    return document_of(checked(whole))


def apply(configurator: Configurator, version: int, whole: dict[str, Any]) -> None:
    configurator.apply(version, whole, digest(whole))


def in_force(home: Home) -> tuple[int, int, list[Tier]]:
    policies = AgentPolicies(home.agents)
    verdicts = Additions(home.classification).of("shell")
    level = policies.policy("main").level
    return int(policies.tenant_level()), int(level), [v.tier for v in verdicts]


def test_a_configuration_is_in_force_whole(home: Home, database: Database) -> None:
    configurator = Configurator(home, HubState(database))
    apply(configurator, 1, document())
    assert in_force(home) == (1, 3, [Tier.RED])
    assert configurator.applied() == (1, document())
    apply(configurator, 2, document(agents={}, classification=[]))
    assert in_force(home) == (1, 1, [])


def test_agents_that_the_hub_does_not_know_stay(home: Home, database: Database) -> None:
    AgentPolicies(home.agents).set_scope("local", ["file_read"])
    configurator = Configurator(home, HubState(database))
    apply(configurator, 1, document())
    apply(configurator, 2, document(agents={}))
    names = [agent.agent_id for agent in AgentPolicies(home.agents).all()]
    assert names == ["local"]


@pytest.mark.parametrize(
    "more",
    [
        {"plugins": []},
        {"plugins": [{"kind": "tool", "name": "x", "distribution": "no-such"}]},
    ],
)
def test_a_set_that_cannot_be_leaves_all_as_it_is(
    home: Home, database: Database, more: dict[str, Any]
) -> None:
    configurator = Configurator(home, HubState(database))
    apply(configurator, 1, document())
    before = home.plugin_set.read_text()
    if not json.loads(before)["plugins"] and more == {"plugins": []}:
        apply(configurator, 2, document(**more))  # nothing is there to be left out
        return
    with pytest.raises(ConfigurationError):
        apply(configurator, 2, document(**more, autonomyLevel=3))
    assert home.plugin_set.read_text() == before
    assert in_force(home) == (1, 3, [Tier.RED])
    failed = configurator.failed()
    assert failed is not None
    assert failed[0] == 2


def test_a_plugin_set_counts_once_it_was_loaded(home: Home, database: Database) -> None:
    state = HubState(database)
    # Another set than that of what is installed, which may be nothing.
    write_plugin_set(home.plugin_set, PluginSet((Selection(Kind.TOOL, "gone"),)))
    configurator = Configurator(home, state)
    apply(configurator, 1, document())
    assert not configurator.waits_for_restart()
    installed = [
        {"kind": s.kind.value, "name": s.name, "distribution": s.distribution}
        | {"required": s.required}
        for s in installed_set().selections
    ]
    apply(configurator, 2, document(plugins=installed))
    assert configurator.waits_for_restart()
    apply(configurator, 3, document(plugins=installed, autonomyLevel=2))
    assert configurator.restart_for() == 3
    started_again = Configurator(home, state)
    assert not started_again.waits_for_restart()
    assert started_again.restart_for() == 3  # until the Hub was told
    started_again.restarted()
    assert started_again.restart_for() is None


def test_a_document_that_was_tampered_with_is_refused(
    home: Home, database: Database
) -> None:
    configurator = Configurator(home, HubState(database))
    with pytest.raises(ConfigurationError, match="digest"):
        configurator.apply(1, document(), "0" * 64)
    assert configurator.applied()[0] == 0


@pytest.mark.parametrize("step", ["Additions", "TenantDocument", "AgentPolicies"])
def test_what_fails_in_the_middle_is_taken_back(
    home: Home, database: Database, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    configurator = Configurator(home, HubState(database))
    apply(configurator, 1, document())

    class Broken:
        def __init__(self, _: Path) -> None: ...

        def __getattr__(self, name: str) -> Any:
            if name == "facts":
                return lambda: {"models": []}
            raise ConfigurationError("the disk is full")

    monkeypatch.setattr(applying, step, Broken)
    with pytest.raises(ConfigurationError):
        apply(configurator, 2, document(autonomyLevel=3, classification=[]))
    monkeypatch.undo()
    assert in_force(home) == (1, 3, [Tier.RED])
    assert not configurator.recover()


def test_a_kill_in_the_middle_is_taken_back_at_the_next_start(
    home: Home, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    configurator = Configurator(home, HubState(database))
    apply(configurator, 1, document())

    class Killed(BaseException):
        pass

    def die(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(Configurator, "_restore", die)
    monkeypatch.setattr(AgentPolicies, "replace", die)
    with pytest.raises(Killed):
        apply(configurator, 2, document(autonomyLevel=3, classification=[]))
    monkeypatch.undo()
    assert in_force(home) == (1, 3, [])  # between two versions
    started = Configurator(home, HubState(database))
    assert started.recover()
    assert in_force(home) == (1, 3, [Tier.RED])
    assert started.applied()[0] == 1
    assert AgentPolicies(home.agents).tenant_level() is AutonomyLevel.CAREFUL


def test_additions_only_raise_and_fail_closed(home: Home) -> None:
    home.classification.write_text('{"rules": {"1": {"tool": "x", "tier": "GREEN"}}}')
    with pytest.raises(LetsBeError, match="no rule"):
        Additions(home.classification).of("x")
