"""Each adapter through the whole wrapper: read, change, ask, approve, redact, audit.

The tools are the fakes of the adapters' own tests; Ghost is real in ``test_adapter.py``
and NocoDB here.
"""

from __future__ import annotations

import base64
import contextlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from starlette.types import ASGIApp

from letsbe.testing import serve_fake
from plugins.tools.calcom.tests.fake_calcom import KEY, FakeCalcom
from plugins.tools.chatwoot.tests.fake_chatwoot import TOKEN as CHATWOOT_TOKEN
from plugins.tools.chatwoot.tests.fake_chatwoot import FakeChatwoot
from plugins.tools.nextcloud.tests.fake_nextcloud import (
    APP_PASSWORD,
    REAL_PASSWORD,
    FakeNextcloud,
)
from plugins.tools.nocodb.tests.server import NocodbServer, running_nocodb
from plugins.tools.portainer.tests.fake_portainer import TOKEN as PORTAINER_TOKEN
from plugins.tools.portainer.tests.fake_portainer import FakePortainer
from plugins.tools.stalwart.tests.fake_jmap import TOKEN as STALWART_TOKEN
from plugins.tools.stalwart.tests.fake_jmap import FakeJmap

if TYPE_CHECKING:
    from tests.end_to_end.conftest import Server, Start, Tenant

pytestmark = pytest.mark.slow

CANARY = "canary-teaser-Hq7Rt2Wm"
STACK = "services:\n  web:\n    image: nginx:1.27\n"
ADA = {"name": "Ada", "email": "ada@example.com", "timeZone": "Europe/Berlin"}

Call = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class Story:
    """What happens to one tool.

    Args:
        app: Makes the fake; ``None`` where the tool is real.
        env: What the provisioner leaves, beside the address.
        read: A call that runs at once.
        change: A call with a secret, which also runs at once.
        asked: A call that waits for a person.
        tier: The tier of that call.
    """

    app: Callable[[], ASGIApp] | None
    env: dict[str, str]
    read: Call
    change: Call
    asked: Call
    tier: str


STORIES = {
    "calcom": Story(
        lambda: FakeCalcom().app,
        {"CALCOM_API_KEY": KEY},
        ("read_me", {}),
        ("create_schedule", {"name": "SECRET_REF(teaser)", "timeZone": "UTC"}),
        (
            "create_booking",
            {"start": "2026-12-28T09:00:00Z", "eventTypeId": 3, "attendee": ADA},
        ),
        "YELLOW_EXTERNAL",
    ),
    "chatwoot": Story(
        lambda: FakeChatwoot().app,
        {"CHATWOOT_API_TOKEN": CHATWOOT_TOKEN, "CHATWOOT_ACCOUNT_ID": "7"},
        ("read_profile", {}),
        (
            "create_canned_response",
            {"short_code": "hi", "content": "SECRET_REF(teaser)"},
        ),
        (
            "create_webhook",
            {
                "url": "https://example.com/hook",
                "subscriptions": ["message_created"],
            },
        ),
        "YELLOW_EXTERNAL",
    ),
    "nextcloud": Story(
        lambda: FakeNextcloud().app,
        {
            "NEXTCLOUD_APP_PASSWORD": APP_PASSWORD,
            "NEXTCLOUD_ADMIN_PASSWORD": REAL_PASSWORD,
            "NEXTCLOUD_USER": "ada",
            "NEXTCLOUD_ADMIN_USER": "root",
        },
        ("list_files", {}),
        ("create_user", {"user_id": "grace", "password": "SECRET_REF(teaser)"}),
        ("create_share", {"path": "a.txt", "kind": "link"}),
        "YELLOW_EXTERNAL",
    ),
    "portainer": Story(
        lambda: FakePortainer().app,
        {"PORTAINER_ACCESS_TOKEN": PORTAINER_TOKEN},
        ("list_environments", {}),
        (
            "create_stack",
            {"name": "site", "file": STACK, "environment": {"A": "SECRET_REF(teaser)"}},
        ),
        ("remove_stack", {"stack_id": 1}),
        "RED",
    ),
    "stalwart": Story(
        lambda: FakeJmap().app,
        {"STALWART_API_KEY": STALWART_TOKEN},
        ("list_queue", {}),
        (
            "create_domain",
            {"domain": "example.com", "description": "SECRET_REF(teaser)"},
        ),
        ("retry_message", {"message_id": "q1"}),
        "YELLOW_EXTERNAL",
    ),
}


def play(server: Server, name: str, url: str, story: Story) -> None:
    tenant = server.tenant
    operation, arguments = story.read
    read = server.call(f"{name}.{operation}", **arguments)
    assert (read["status"], read["tier"]) == ("ok", "GREEN")
    operation, arguments = story.change
    changed = server.call(f"{name}.{operation}", **arguments)
    assert (changed["status"], changed["tier"]) == ("ok", "YELLOW"), changed
    assert CANARY not in str(changed)
    operation, arguments = story.asked
    asked = server.call(f"{name}.{operation}", **arguments)
    assert (asked["status"], asked["tier"]) == ("pending_approval", story.tier)
    approval = asked["approval_id"]
    assert url in tenant.letsbe("approvals", "show", approval).stdout
    done = json.loads(tenant.letsbe("approvals", "approve", approval, "--json").stdout)
    assert done["status"] == "ok", done


def carry(server: Server) -> None:
    """Bring a file of the server to Nextcloud and back, but none with a secret."""
    files = server.tenant.workspace
    (files / "report.txt").write_text("all is well\n")
    there = {"path": "report.txt"}
    sent = server.call("nextcloud.upload_file", file="report.txt", **there)
    assert (sent["status"], sent["tier"]) == ("ok", "YELLOW"), sent
    back = server.call("nextcloud.download_file", file="back.txt", **there)
    assert back["status"] == "ok", back
    assert (files / "back.txt").read_text() == "all is well\n"
    (files / "leak.txt").write_text(base64.b64encode(f"= {CANARY} =".encode()).decode())
    kept = server.call("nextcloud.upload_file", file="leak.txt", path="leak.txt")
    assert kept["status"] == "denied", kept
    assert kept["reason"].endswith("as it holds these secrets: teaser")


def register(tenant: Tenant, stories: dict[str, Story], urls: dict[str, str]) -> None:
    folder = tenant.workspace / "env"
    folder.mkdir()
    for name, story in stories.items():
        lines = {f"{name.upper()}_URL": urls[name], **story.env}
        text = "".join(f"{variable}={value}\n" for variable, value in lines.items())
        (folder / f"{name}.env").write_text(text)
    tenant.letsbe("tools", "generate", "--from", str(folder))
    shutil.rmtree(folder)
    checked = tenant.letsbe("tools", "check").stdout
    assert checked.count("its credentials work") == len(stories), checked
    tenant.provide("teaser", CANARY)


def on_nocodb(server: NocodbServer) -> Story:
    return Story(
        None,
        {"NOCODB_API_TOKEN": server.token},
        ("list_bases", {}),
        ("create_base", {"title": "SECRET_REF(teaser)"}),
        ("delete_base", {"base_id": server.base_id}),
        "RED",
    )


def test_each_tool_is_read_changed_and_asked_about(
    tenant: Tenant, start: Start, tmp_path_factory: pytest.TempPathFactory
) -> None:
    # One home for all: starting one, and a wrapper, takes longer than what is tested.
    if shutil.which("npm") is None:
        pytest.skip("npm, which installs NocoDB, is not here")
    with contextlib.ExitStack() as stack:
        real = stack.enter_context(running_nocodb(tmp_path_factory.mktemp("nocodb")))
        stories = {**STORIES, "nocodb": on_nocodb(real)}
        fakes = {
            name: stack.enter_context(serve_fake(story.app()))
            for name, story in STORIES.items()
            if story.app is not None
        }
        urls = {name: fake.url for name, fake in fakes.items()} | {"nocodb": real.url}
        register(tenant, stories, urls)
        server = stack.enter_context(start(tenant))
        for name, story in stories.items():
            play(server, name, urls[name], story)
        carry(server)
    for fake in fakes.values():
        assert CANARY.encode() in b"".join(request.body for request in fake.requests)
    check_stored(tenant, stories)


def check_stored(tenant: Tenant, stories: dict[str, Story]) -> None:
    everything = tenant.everything_stored()
    assert CANARY.encode() not in everything
    audited = tenant.letsbe("audit", "tail", "-n", "1000", "--json").stdout
    for name, story in stories.items():
        for variable, value in story.env.items():
            if not variable.endswith(("USER", "_ID")):
                assert value.encode() not in everything, variable
        assert f"{name}.{story.asked[0]}" in audited
    tenant.letsbe("audit", "verify")
