"""What plays a turn on the machine, looks at its services, and tells the test."""

from __future__ import annotations

import json
import pwd
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import httpx

from tests.openclaw.own_machine import places
from tests.openclaw.scripted_llm import Reply, ScriptedLlm, ToolUse

WAIT_SECONDS = 180


def main() -> None:
    """Write what was found to the folder that is shared with the test."""
    found: dict[str, Any] = {}
    listening = [
        socket.create_server(place)
        for place in (("127.0.0.1", places.DATABASE_PORT), (places.OUTSIDE, 443))
    ]
    with ScriptedLlm(places.LLM_PORT) as llm:
        try:
            _wait()
            found["turn"] = _turn(llm)
            found["probe"] = json.loads(places.FOUND.read_text())
            found["accounts"] = {
                name: _reaches(name)
                for name in ("letsbe", "letsbe-proxy", "openclaw", "games")
            }
            found["services"] = _services()
            found["commands see its state"] = _seen_by_commands()
        except Exception as error:  # noqa: BLE001 - the test is told of it
            found["error"] = f"{type(error).__name__}: {error}"
            found["states"] = _states()
    for each in listening:
        each.close()
    (places.OUT / places.FOUND.name).write_text(json.dumps(found, indent=1))


def _wait() -> None:
    until = time.monotonic() + WAIT_SECONDS
    url = f"http://127.0.0.1:{places.GATEWAY_PORT}/readyz"
    while time.monotonic() < until:
        try:
            if httpx.get(url, trust_env=False).json().get("ready") is True:
                return
        except (httpx.HTTPError, ValueError):
            pass
        time.sleep(0.3)
    raise AssertionError("the gateway is not ready")


def _turn(llm: ScriptedLlm) -> dict[str, Any]:
    """A message by the relay, a tool call, and the answer to it."""
    token = (places.HOME / "tokens" / "operator").read_text().strip()
    name = f"sw-{places.AGENT}__file_read"
    use = ToolUse(name, {"path": str(places.WORK / "menu.txt")})
    with llm.script(Reply(calls=(use,)), Reply("Cake!")) as script:
        answer = httpx.post(
            f"http://127.0.0.1:{places.WRAPPER_PORT}/api/v1/chat",
            json={
                "agent_id": places.AGENT,
                "conversation_id": "c1",
                "message": f"menu? {script.mark}",
                "stream": False,
            },
            headers={"authorization": f"Bearer {token}"},
            timeout=WAIT_SECONDS,
            trust_env=False,
        ).json()
    return {"answer": answer, "result": script.requests[-1].results[-1]}


def _reaches(account: str) -> dict[str, bool]:
    """Which ports an account can reach."""
    words = ["setpriv", "--reuid", account, "--clear-groups", "bash", "-c"]
    ports = {
        "gateway": places.GATEWAY_PORT,
        "wrapper": places.WRAPPER_PORT,
        "proxy": places.PROXY_PORT,
        "database": places.DATABASE_PORT,
    }
    script = "exec 3<>/dev/tcp/127.0.0.1/"
    return {
        name: subprocess.run([*words, f"{script}{port}"], check=False).returncode == 0
        for name, port in ports.items()
    }


def _states() -> list[str]:
    """What systemd says of each service, for a test that fails."""
    words = ["systemctl", "show", "--property=Id,ActiveState,Result,ExecMainStatus"]
    names = ["letsbe", "letsbe-proxy", "openclaw"]
    ended = subprocess.run(
        [*words, *names], capture_output=True, text=True, check=False
    )
    return ended.stdout.split("\n\n")


def _pid(service: str) -> int:
    words = ["systemctl", "show", "--property=MainPID", "--value", service]
    ended = subprocess.run(words, capture_output=True, text=True, check=True)
    return int(ended.stdout)


def _services() -> dict[str, Any]:
    """Which account each service runs as, and what its kernel state says."""
    found: dict[str, Any] = {}
    for service in ("letsbe", "letsbe-proxy", "openclaw"):
        lines = Path(f"/proc/{_pid(service)}/status").read_text().splitlines()
        status = dict(line.split(":", 1) for line in lines)
        found[service] = {
            "account": pwd.getpwuid(int(status["Uid"].split()[0])).pw_name,
            "may gain": int(status["CapBnd"], 16),
            "no new privileges": status["NoNewPrivs"].strip() == "1",
            "filtered calls": status["Seccomp"].strip() == "2",
        }
    return found


def _seen_by_commands() -> bool:
    """Whether the state is there for the wrapper, and so for agents' commands."""
    mode = Path(f"/proc/{_pid('letsbe')}/root{places.STATE}").stat().st_mode
    return mode & 0o777 != 0


if __name__ == "__main__":
    main()
