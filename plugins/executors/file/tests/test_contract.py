"""The contract of every executor."""

from __future__ import annotations

from typing import ClassVar

from letsbe.testing import ExecutorContract


class TestFile(ExecutorContract):
    module = "letsbe_executor_file"
    files: ClassVar = {"notes.txt": "one\ntwo\n", "sub/more.txt": "three\n"}
