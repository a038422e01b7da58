"""The contract of every tool adapter."""

from __future__ import annotations

from typing import ClassVar

from typing_extensions import override

from letsbe.plugin import Json
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
        "create_folder": files,
        "move": files,
        "copy": files,
        "delete": files,
    }
    settings: ClassVar = {"user": "ada", "admin_user": "root"}

    @override
    def fault_body(self, status: int, text: str) -> Json:
        return {"ocs": {"meta": {"statuscode": status, "message": text}}}
