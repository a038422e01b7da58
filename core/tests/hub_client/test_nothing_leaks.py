"""Whatever goes to the Hub passes the pipeline: every sender, with a value in it."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from typing_extensions import override

import letsbe.hub_client
from letsbe.cli.init import make_home
from letsbe.errors import LetsBeError, OutputWithheld
from letsbe.home import Home
from letsbe.hub_client.approvals import ApprovalOutbox
from letsbe.hub_client.beating import Report, beat
from letsbe.hub_client.registration import register
from letsbe.hub_client.state import HubState
from letsbe.hub_client.transport import HubApi
from letsbe.hub_client.usage import UsageOutbox
from letsbe.proxy.metering import Meter
from letsbe.proxy.sharing import open_usage
from letsbe.proxy.usage import Usage
from letsbe.redaction.finding import Finding
from letsbe.redaction.pipeline import Pipeline
from letsbe.storage.database import Database
from letsbe.wrapper.approvals import Approval

CANARY = "canary-Zk3v9QpL7wXr2TbN"
FORMS = (
    CANARY.encode(),
    CANARY.encode().hex().encode(),
    base64.b64encode(CANARY.encode()),
)


class Finds:
    """Finds the canary."""

    name, order = "registry", 10

    def find(self, text: bytes) -> Iterator[Finding]:
        for form in FORMS:
            at = text.find(form)
            while at >= 0:
                yield Finding(at, at + len(form), "registered", "canary")
                at = text.find(form, at + 1)

    def names(self) -> frozenset[str]:
        return frozenset({"canary"})


class Fails(Finds):
    """Cannot tell."""

    @override
    def find(self, text: bytes) -> Iterator[Finding]:
        raise RuntimeError(CANARY)


class Hub:
    """Takes everything, and keeps what came, heads and all."""

    def __init__(self) -> None:
        self.came: list[bytes] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        line = f"{request.method} {request.url}\n{request.headers}\n".encode()
        self.came.append(line + request.content)
        data = {"approvalId": "h1", "tenantId": "t", "apiKey": "lbk_1"}
        return httpx.Response(200, json={"success": True, "data": data})


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    make_home(made, (), ("main",))
    return made


@pytest.fixture
def hub() -> Hub:
    return Hub()


def api(hub: Hub, layer: Finds) -> HubApi:
    transport = httpx.MockTransport(hub)
    return HubApi("http://127.0.0.1:1", lambda: "lbk_x", Pipeline([layer]), transport)


def full(state: str) -> Approval:
    """Return an approval with the canary wherever a text can stand."""
    deep = {"a": [{"b": f"x {CANARY} y"}], CANARY: FORMS[1].decode()}
    texts = {
        "reason": f"it says {CANARY}",
        "rule": CANARY,
        "alternative": FORMS[2].decode(),
        "agent_id": CANARY,
        "session_id": CANARY,
        "tool_name": CANARY,
        "decided_by": CANARY,
        "decision_reason": f"because of {CANARY}",
    }
    objects = ("tool_args", "context", "plan", "explanation", "preview")
    answer = {"status": "error", "code": "x", "reason": f"no: {CANARY}"}
    return Approval.model_validate(
        {"id": "a1", "state": state, "digest": "0" * 64, "tier": "RED"}
        | {"external": False, "created_at": 1.0, "expires_at": 2.0}
        | texts
        | dict.fromkeys(objects, deep)
        | {"answer": answer | {"output": CANARY}}
    )


class Queue:
    """A queue of approvals with one in it."""

    def __init__(self, approval: Approval) -> None:
        self._approval = approval

    def get(self, approval_id: str) -> Approval:
        return self._approval

    def list(self, *_: Any, after: str | None = None, **__: Any) -> list[Approval]:
        return [] if after else [self._approval]


async def ask_and_report(home: Home, api: HubApi) -> None:
    for state in ("pending", "failed"):
        queue: Any = Queue(full(state))
        with Database(home.database) as database:
            outbox = ApprovalOutbox(queue, queue, HubState(database), api)
            await outbox.send()


async def send_usage(home: Home, api: HubApi) -> None:
    with open_usage(home) as database:
        meter = Meter(database, home.usage)
        meter.record(CANARY, f"vendor/{CANARY}", Usage(7))
        await meter.close()
        await UsageOutbox(database, HubState(database), api).send(time.time())


async def send_heartbeat(home: Home, api: HubApi) -> None:
    details = {"unavailable": [f"tool x: {CANARY}"], CANARY: {"deep": [CANARY]}}
    report = Report("degraded", CANARY, f"http://{CANARY}:1", details)
    failed = (7, f"line 3: {CANARY} is no level")
    await api.post("heartbeat", beat("srv", report, 6, failed, (5, "0" * 64), (0, 0)))


async def send_chat(home: Home, api: HubApi) -> None:
    said = {"messages": [{"role": "user", "content": f"my key is {CANARY}"}]}
    await api.post("chat", said)


SENDERS = [ask_and_report, send_usage, send_heartbeat, send_chat]
Sender = Callable[[Home, HubApi], Coroutine[Any, Any, None]]


def shows(came: list[bytes]) -> bool:
    whole = b"\n".join(came)
    escaped = json.dumps(CANARY).encode()
    return any(form in whole for form in (*FORMS, escaped))


@pytest.mark.parametrize("sender", SENDERS)
def test_no_sender_tells_a_value(home: Home, hub: Hub, sender: Sender) -> None:
    asyncio.run(sender(home, api(hub, Finds())))
    assert hub.came
    assert not shows(hub.came)
    assert b"SECRET_REF(canary)" in b"".join(hub.came)


@pytest.mark.parametrize("sender", SENDERS)
def test_what_cannot_be_searched_is_not_sent(
    home: Home, hub: Hub, sender: Sender
) -> None:
    with pytest.raises(OutputWithheld) as caught:
        asyncio.run(sender(home, api(hub, Fails())))
    assert not hub.came
    assert CANARY not in str(caught.value)


def test_a_registration_tells_no_value(home: Home, hub: Hub) -> None:
    async def run(pipeline: Pipeline) -> None:
        with Database(home.database) as database:
            await register(
                home,
                HubState(database),
                pipeline,
                url="http://127.0.0.1:1",
                order=CANARY,
                token="one-time",
                wrapper_url=f"http://{CANARY}",
                transport=httpx.MockTransport(hub),
            )

    with pytest.raises(LetsBeError):
        asyncio.run(run(Pipeline([Fails()])))
    assert not hub.came
    asyncio.run(run(Pipeline([Finds()])))
    assert hub.came
    assert not shows(hub.came)


def test_there_is_one_way_to_the_hub() -> None:
    """Only the transport speaks HTTP, and only what was redacted is a body in it."""
    folder = Path(letsbe.hub_client.__file__).parent
    for path in folder.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        speaks = "httpx.AsyncClient" in text or "httpx.post" in text
        assert speaks == (path.name == "transport.py"), path
    text = (folder / "transport.py").read_text(encoding="utf-8")
    assert text.count('self._send("POST"') == 1
    assert 'self._send("POST", path, clean' in text
