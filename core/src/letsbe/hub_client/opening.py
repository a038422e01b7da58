"""The Hub's client for an open Safety Wrapper, if its server is registered."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable

from letsbe.discovery.records import Status
from letsbe.errors import LetsBeError
from letsbe.home import Home
from letsbe.hub_client.beating import Report
from letsbe.hub_client.client import HubClient, Rooms
from letsbe.hub_client.connection import load
from letsbe.hub_client.state import HubState
from letsbe.openclaw.document import TenantDocument
from letsbe.wrapper.opening import Wrapper


def open_client(
    wrapper: Wrapper, address: Callable[[], str | None]
) -> HubClient | None:
    """Make the client, if this server is registered; None if not.

    Args:
        wrapper: Whose server it is.
        address: Says where the Safety Wrapper listens, once it does.
    """
    connection = load(HubState(wrapper.database))
    if connection is None:
        return None
    rooms = Rooms(
        home=wrapper.home,
        database=wrapper.database,
        approvals=wrapper.approvals,
        dispatcher=wrapper.dispatcher,
        audit=wrapper.audit,
        pipeline=wrapper.pipeline,
        report=lambda: report_of(wrapper, address()),
    )
    return HubClient(rooms, connection)


def report_of(wrapper: Wrapper, address: str | None) -> Report:
    """Say how a server is."""
    failed = [record.label for record in wrapper.plugins.records if record.failed]
    active = [r for r in wrapper.plugins.records if r.status is Status.ACTIVE]
    return Report(
        status="degraded" if failed else "operational",
        openclaw_version=_openclaw(wrapper.home),
        wrapper_url=address,
        details={
            "plugins": {record.label: record.version for record in active},
            "unavailable": failed,
            "diskFree": _disk_free(wrapper.home),
        },
    )


def _openclaw(home: Home) -> str | None:
    """Read the version of the agent runtime that is installed, if that is known."""
    with contextlib.suppress(LetsBeError, OSError, ValueError, KeyError, TypeError):
        program = TenantDocument(home.tenant).runtime().program
        if program is not None:
            package = json.loads((program / "package.json").read_text("utf-8"))
            return str(package["version"])[:64]
    return None


def _disk_free(home: Home) -> int:
    return shutil.disk_usage(home.folder).free
