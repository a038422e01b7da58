"""The harness itself: three APIs, streamed, with tools, to a real OpenClaw."""

from __future__ import annotations

import httpx
import pytest

from tests.openclaw.scripted_llm import IDLE, Reply, ScriptedLlm, ToolUse


@pytest.mark.parametrize("path", ["chat/completions", "responses", "messages"])
@pytest.mark.parametrize("stream", [True, False])
def test_the_llm_plays_its_script_to_whoever_has_the_mark(
    llm: ScriptedLlm, path: str, stream: bool
) -> None:
    url = f"{llm.address}/v1/{path}"
    with llm.script(Reply("one two", (ToolUse("look", {"a": 1}),))) as script:
        field = "input" if path == "responses" else "messages"
        said = [{"role": "user", "content": f"hello {script.mark}"}]
        body = {"model": "m", "stream": stream, field: said}
        first, over = (httpx.post(url, json=body).text for _ in range(2))
        other = httpx.post(url, json={**body, field: []}).text
        assert "one" in first
        assert '\\"a\\": 1' in first or '{"a": 1}' in first
        assert "script" in over
        assert len(script.requests) == 2
    assert IDLE in other
