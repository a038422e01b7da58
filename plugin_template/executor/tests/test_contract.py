"""The contract of every executor."""

from __future__ import annotations

from typing import ClassVar

from letsbe.testing import ExecutorContract


class TestSample(ExecutorContract):
    module = "letsbe_executor_sample"
    files: ClassVar = {"one.txt": "1", "sub/two.txt": "22"}
