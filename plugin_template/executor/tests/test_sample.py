"""The executor."""

from __future__ import annotations

from pathlib import Path

import anyio

from letsbe.plugin import Json
from letsbe.testing import FakeExecution, make_call, make_site
from letsbe_executor_sample.executor import COUNT, SampleExecutor


def test_files_and_bytes_are_counted(tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("1")
    (tmp_path / "two.txt").write_text("22")
    executor = SampleExecutor(make_site(tmp_path))
    call = make_call(COUNT, {"path": "."})

    async def count() -> Json:
        verdict = executor.classify(call)
        return (await executor.execute(call, verdict, FakeExecution())).output

    assert anyio.run(count) == {"files": 2, "bytes": 3}
