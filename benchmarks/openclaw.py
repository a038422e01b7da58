"""What the product costs a real OpenClaw: tool round trips, first tokens, the prompt.

``python -m benchmarks.openclaw`` installs the pinned OpenClaw into the tests' cache if
it is not there, and runs it headless on a throw-away tenant against a scripted LLM.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import statistics
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.servers import run_program
from benchmarks.wrapper import at_most, figure, in_turns
from tests.openclaw import tenant as tenants
from tests.openclaw.gateway import APIS, State, running
from tests.openclaw.runtime import install
from tests.openclaw.scripted_llm import LlmRequest, Reply, ScriptedLlm, ToolUse
from tests.openclaw.stage import Stage

PROGRAM = "echo hello"
ROUNDS, WARM_UP = 40, 5
ROUND_TRIP_MS, OURS_MS, FIRST_TOKEN_MS = 100.0, 10.0, 3.0
FIRST_REQUEST_BYTES = 30_000


@contextlib.contextmanager
def staged() -> Iterator[Stage]:
    """Run everything, with a secret to look for."""
    runtime = install()
    with (
        tempfile.TemporaryDirectory(prefix="letsbe-benchmark-") as name,
        ScriptedLlm() as llm,
    ):
        folder = Path(name)
        state = State(folder / "openclaw")
        state.folder.mkdir()
        tenant = tenants.make(folder, llm.address)
        tenant.letsbe("secrets", "provide", "token", stdin=tenants.SECRET)
        with tenants.running(tenant):
            plugin = tenants.install_bridge(runtime, tenant, folder / "bridge")
            config = tenants.by_plugin(state, tenant, plugin)
            with running(runtime, state, config) as gateway:
                yield Stage(gateway, tenant, llm)


def make_bare(stage: Stage) -> ToolUse:
    """Take everything of ours out of the running gateway; return a native tool's call.

    What a round trip takes then is OpenClaw's own.
    """
    config = json.loads(stage.gateway.state.config.read_text())
    config["tools"] = {"toolSearch": False, "allow": ["read"]}
    config["plugins"]["entries"][tenants.BRIDGE]["enabled"] = False
    for api, path in APIS.items():
        config["models"]["providers"][api]["baseUrl"] = stage.llm.address + path
    stage.gateway.reload(config)
    (stage.gateway.state.workspace / "note.txt").write_text("hello")
    return ToolUse("read", {"path": "note.txt"})


def measure_round_trip(stage: Stage, call: ToolUse) -> list[float]:
    """Return milliseconds from one request of the LLM to the one with the result.

    The LLM answers the first at once, so that all between them is OpenClaw's and ours.
    """
    use = Reply(calls=(call,))
    times = []
    for turn in range(ROUNDS + WARM_UP):
        script = stage.turn(use, conversation=uuid.uuid4().hex)
        asked, told = script.requests
        if turn >= WARM_UP:
            times.append((told.at - asked.at) * 1000)
    return times


def measure_call(stage: Stage) -> tuple[float, float]:
    """Return the medians of the same call, made directly, and of its program alone."""
    port = int(stage.tenant.wrapper.rpartition(":")[2])
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {
        "authorization": f"Bearer {stage.tenant.token()}",
        "content-type": "application/json",
    }

    def call() -> None:
        body = {
            "session_id": "benchmark",
            "tool_name": "shell",
            "tool_args": {"command": PROGRAM},
            "context": {"tool_call_id": uuid.uuid4().hex},
        }
        path = "/api/v1/tools/execute"
        connection.request("POST", path, json.dumps(body), headers)
        answer = json.loads(connection.getresponse().read())
        if answer["status"] != "ok":
            raise SystemExit(f"{PROGRAM} did not run: {answer}")

    ours, program = in_turns(call, run_program)
    return ours, program


def measure_first_token(stage: Stage, request: LlmRequest) -> tuple[float, float]:
    """Return the medians to a stream's first byte, by the proxy and without it."""
    port = int(stage.tenant.proxy.rpartition(":")[2])
    by_proxy = _asker(port, "/openai-completions/v1/chat/completions", request.body)
    direct = _asker(stage.llm.port, "/v1/chat/completions", request.body)
    proxied, bare = in_turns(by_proxy, direct)
    return proxied, bare


def _asker(port: int, path: str, body: bytes) -> Callable[[], None]:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"content-type": "application/json", "authorization": "Bearer dummy"}
    rest: list[http.client.HTTPResponse] = []

    def ask() -> None:
        # What came after the first byte of the answer before is no part of its time.
        while rest:
            rest.pop().read()
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        answer.read(1)
        rest.append(answer)

    return ask


def main() -> None:
    """Measure everything and print it."""
    with staged() as stage:
        stage.turn()
        first = stage.turn(conversation=uuid.uuid4().hex).requests[0]
        size, tools = len(first.body), len(first.tools)
        limit = FIRST_REQUEST_BYTES
        at_most("openclaw_first_request", size, limit, "bytes", tools=tools)
        use = ToolUse("letsbe_shell", {"command": PROGRAM})
        times = measure_round_trip(stage, use)
        trip = statistics.median(times)
        call, program = measure_call(stage)
        proxied, bare = measure_first_token(stage, first)
        ours = call - program + proxied - bare
        tenths = statistics.quantiles(times, n=10)
        spread = {"p10": tenths[0], "p90": tenths[-1]}
        at_most("openclaw_round_trip_median", trip, ROUND_TRIP_MS, "ms", **spread)
        at_most(
            "openclaw_round_trip_ours",
            ours,
            OURS_MS,
            "ms",
            call=call,
            program_alone=program,
            proxy=proxied - bare,
        )
        added = proxied - bare
        at_most("openclaw_first_token_added", added, FIRST_TOKEN_MS, "ms", bare=bare)
        figure("openclaw_gateway_memory", stage.gateway.resident(), "MB")
        own = statistics.median(measure_round_trip(stage, make_bare(stage)))
        figure("openclaw_round_trip_own", own, "ms", with_us=trip, more=trip - own)


if __name__ == "__main__":
    main()
