"""The contract of every executor."""

from __future__ import annotations

from typing import ClassVar

from letsbe.testing import ExecutorContract


class TestShell(ExecutorContract):
    module = "letsbe_executor_shell"
    files: ClassVar = {"notes.txt": "one\ntwo\n"}
    slow: ClassVar = ("shell", {"command": "sleep 30"})
