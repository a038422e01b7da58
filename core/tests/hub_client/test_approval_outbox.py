"""What the Hub refuses of approvals is not asked again, also after a restart."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from letsbe.errors import NotFound
from letsbe.hub_client.approvals import ApprovalOutbox, Decides
from letsbe.hub_client.state import HubState
from letsbe.hub_client.transport import HubApi, HubRefused
from letsbe.redaction.pipeline import Pipeline
from letsbe.storage.database import Database
from letsbe.wrapper.approvals import Approval, Approvals


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "letsbe.db")
    yield opened
    opened.close()


class Queue:
    """A queue of approvals in memory."""

    def __init__(self) -> None:
        self.states = {"apr_good": "pending", "apr_bad": "pending"}

    def list(self, _: str, *, limit: int, after: str | None) -> list[Approval]:
        return [] if after else [self.get(name) for name in self.states][:limit]

    def get(self, approval_id: str) -> Approval:
        if approval_id not in self.states:
            raise NotFound("it is not there")
        return Approval.model_validate(
            {
                "id": approval_id,
                "state": self.states[approval_id],
                "digest": "0" * 64,
                "agent_id": "main",
                "session_id": "s",
                "tool_name": "shell",
                "tool_args": {},
                "context": {},
                "tier": "RED",
                "external": False,
                "rule": "r",
                "reason": "deletes",
                "alternative": None,
                "plan": {},
                "created_at": time.time(),
                "expires_at": time.time() + 60,
            }
        )


class Hub:
    """Refuses one approval; takes all else."""

    def __init__(self, status: int = 400) -> None:
        self.status = status
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        body = request.content.decode()
        self.asked.append("bad" if "apr_bad" in body else "good")
        if "apr_bad" in body:
            error: dict[str, Any] = {"code": "VALIDATION_ERROR", "message": "no"}
            refusal = {"success": False, "error": error}
            return httpx.Response(self.status, json=refusal)
        return httpx.Response(201, json={"success": True, "data": {"approvalId": "h"}})


def outbox(database: Database, queue: Queue, hub: Hub) -> ApprovalOutbox:
    """Make one as a process that has just started does."""
    transport = httpx.MockTransport(hub)
    api = HubApi("http://127.0.0.1:1", lambda: "lbk_x", Pipeline(()), transport)
    approvals = cast(Approvals, queue)
    return ApprovalOutbox(approvals, cast(Decides, None), HubState(database), api)


def test_what_is_refused_is_not_asked_again_after_a_restart(database: Database) -> None:
    queue, hub = Queue(), Hub()
    asyncio.run(outbox(database, queue, hub).send())
    assert sorted(hub.asked) == ["bad", "good"]
    again = outbox(database, queue, hub)
    assert again.waiting() == 0
    asyncio.run(again.send())
    assert len(hub.asked) == 2


def test_nothing_is_remembered_of_a_refused_one_that_has_ended(
    database: Database,
) -> None:
    queue, state = Queue(), HubState(database)
    asyncio.run(outbox(database, queue, Hub()).send())
    assert list(state.all("approval-refused:")) == ["apr_bad"]
    del queue.states["apr_bad"]
    asyncio.run(outbox(database, queue, Hub()).send())
    assert state.all("approval-refused:") == {}


def test_an_end_that_the_hub_refuses_is_told_once(database: Database) -> None:
    queue, hub, state = Queue(), Hub(), HubState(database)
    asyncio.run(state.change({"approval:apr_bad": "apr_bad"}))
    queue.states["apr_bad"] = "denied"

    def refuse(request: httpx.Request) -> httpx.Response:
        hub.asked.append("told")
        return httpx.Response(404, json={"success": False, "error": {"code": "X"}})

    del queue.states["apr_good"]
    for _ in range(2):
        made = outbox(database, queue, cast(Hub, refuse))
        asyncio.run(made.send())
    assert hub.asked == ["told"]
    assert state.all("approval") == {}


def test_a_key_that_is_not_good_refuses_no_approval(database: Database) -> None:
    queue, hub = Queue(), Hub(status=401)
    with pytest.raises(HubRefused):
        asyncio.run(outbox(database, queue, hub).send())
    assert HubState(database).all("approval-refused:") == {}
    assert outbox(database, queue, hub).waiting() > 0
