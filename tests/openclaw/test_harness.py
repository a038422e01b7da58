"""The harness itself: three APIs, streamed, with tools, to a real OpenClaw."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.openclaw.gateway import APIS, Gateway, State, base_config, running
from tests.openclaw.runtime import Runtime
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


@pytest.fixture(scope="module")
def gateway(
    runtime: Runtime, llm: ScriptedLlm, new_state: Callable[[str], State]
) -> Iterator[Gateway]:
    state = new_state("bare")
    config = base_config(state, llm.address)
    config["tools"]["allow"] = ["read"]
    with running(runtime, state, config) as started:
        (state.workspace / "note.txt").write_text("the kettle is on")
        yield started


@pytest.mark.parametrize("api", APIS)
def test_a_turn_with_a_native_tool_goes_through(
    gateway: Gateway, llm: ScriptedLlm, api: str
) -> None:
    use = ToolUse("read", {"path": "note.txt"})
    with llm.script(Reply(calls=(use,)), Reply("Tea it is.")) as script:
        assert gateway.chat(f"tea? {script.mark}", api=api) == "Tea it is."
    assert script.requests[0].tools == ["read"]
    assert "the kettle is on" in script.requests[1].results[-1]
