"""The contract of every executor."""

from __future__ import annotations

from typing import ClassVar

from letsbe.testing import ExecutorContract


class TestEnv(ExecutorContract):
    module = "letsbe_executor_env"
    files: ClassVar = {"shop.env": "PORT=8080\n"}
