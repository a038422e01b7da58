"""What can be said of the adapter without a NocoDB."""

from __future__ import annotations

from pathlib import Path

import pytest

from letsbe.plugin import InvalidRequest, Tier
from letsbe.testing import ToolCaller
from plugins.tools.nocodb.tests.conftest import caller_of


@pytest.fixture
def call(tmp_path: Path) -> ToolCaller:
    return caller_of("http://127.0.0.1:9", tmp_path, "token-5f0c9a1e")


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("list_records", {"table_id": "../bases"}),
        ("create_records", {"table_id": "m1", "records": []}),
        ("delete_records", {"table_id": "m1", "record_ids": [0]}),
        ("create_hook", {"table_id": "m1", "title": "x", "url": "x", "on": "insert"}),
        ("invite_user", {"base_id": "p1", "email": "a@b.c", "roles": "owner"}),
    ],
)
def test_wrong_arguments_are_named(
    call: ToolCaller, operation: str, arguments: dict[str, object]
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        call.judge(operation, **arguments)
    assert caught.value.details[0].field.startswith("tool_args.")


@pytest.mark.parametrize(
    ("method", "path", "tier"),
    [
        ("GET", "/api/v2/tables/m1/records", Tier.GREEN),
        ("DELETE", "/api/v2/tables/m1/records", Tier.RED),
        ("POST", "/api/v2/meta/views/v1/share", Tier.YELLOW_EXTERNAL),
        ("GET", "/api/v2/meta/bases/p1/sources", Tier.RED),
        ("POST", "/api/v1/tokens", Tier.CRITICAL_RED),
        ("GET", "/api/v1/db/meta/projects", Tier.RED),
    ],
)
def test_raw_requests_are_judged_by_their_path(
    call: ToolCaller, method: str, path: str, tier: Tier
) -> None:
    assert call.tier("request", method=method, path=path) is tier
