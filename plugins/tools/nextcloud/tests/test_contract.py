"""The contract of every tool adapter."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from letsbe.plugin import Json, Tier
from letsbe.testing import ToolAdapterContract
from letsbe_tool_nextcloud.adapter import NEXTCLOUD


class TestNextcloud(ToolAdapterContract):
    module = "letsbe_tool_nextcloud"
    adapter = NEXTCLOUD
    tier_exceptions: ClassVar = {"remove_from_group": "add_to_group undoes it"}
    files = "/remote.php/dav/files/ada"
    below: ClassVar = {
        "list_files": files,
        "stat_file": files,
        "read_file": files,
        "list_versions": files,
        "restore_version": files,
        "write_file": files,
        "upload_file": files,
        "download_file": files,
        "create_folder": files,
        "move": files,
        "copy": files,
        "delete": files,
    }
    settings: ClassVar = {"user": "ada", "admin_user": "root"}
    raw_tiers: ClassVar = {
        "GET /ocs/v2.php/cloud/capabilities": Tier.GREEN,
        "GET /ocs/v2.php/apps/files_sharing/api/v1/shares": Tier.RED,
        "GET /ocs/v2.php/core/getapppassword": Tier.RED,
        "GET /ocs/v2.php/core/getapppassword-onetime": Tier.RED,
        "GET /ocs/v1.php/cloud/users": Tier.RED,
        "DELETE /remote.php/dav/files/ada/a.txt": Tier.RED,
        "PUT /remote.php/dav/files/ada/a.txt": Tier.RED,
        "POST /ocs/v2.php/cloud/apps/x": Tier.CRITICAL_RED,
        "POST /ocs/v2.php/apps/files_sharing/api/v1/shares": Tier.YELLOW_EXTERNAL,
        "GET /index.php/login/v2": Tier.RED,
    }
    wrong_calls: ClassVar = [
        ("read_file", {"path": ""}),
        ("read_file", {"path": "a", "limit": 0}),
        ("create_share", {"path": "a", "kind": "everybody"}),
        ("restore_version", {"path": "a", "version": "../1"}),
        ("create_user", {"user_id": "a", "password": "short"}),
        ("list_events", {"start": "tomorrow", "end": "2026-12-31"}),
    ]

    @override
    def fault_body(self, status: int, text: str) -> Json:
        return {"ocs": {"meta": {"statuscode": status, "message": text}}}
