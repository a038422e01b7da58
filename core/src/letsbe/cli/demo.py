"""``letsbe demo``: an agent's calls against a real wrapper, told as they happen."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from letsbe.cli.demo_llm import (
    DUMMY_KEY,
    PROVIDER_KEY,
    Planted,
    Provider,
    configure,
    running_provider,
)
from letsbe.cli.output import reporting, styled
from letsbe.errors import ConfigurationError
from letsbe.home import Home

if TYPE_CHECKING:
    import httpx

SECRET = "shop_api_key"  # noqa: S105 - a name, not a value
START_SECONDS = 30.0
WIDTH = 88

LOG = """\
09:12 INFO  order 1041 paid
09:13 ERROR order 1042 declined
09:15 ERROR order 1043 declined
09:20 INFO  order 1044 paid
"""


@click.command()
@click.option("--keep", is_flag=True, help="Keep the folder, to look around in it.")
@reporting
def demo(keep: bool) -> None:
    """Watch an agent work behind the Safety Wrapper and the Secrets Proxy.

    Makes a throw-away home and workspace, runs both on free ports of this machine,
    and plays an agent's calls: a read, a write, a secret, a call to its model with
    secrets in it, a deletion that waits for a person. Nothing outside the throw-away
    folder is touched, and the model's provider is one of its own.
    """
    with contextlib.ExitStack() as stack:
        if keep:
            folder = Path(tempfile.mkdtemp(prefix="letsbe-demo-"))
        else:
            made = tempfile.TemporaryDirectory(prefix="letsbe-demo-")
            folder = Path(stack.enter_context(made))
        stage = stack.enter_context(_staged(folder.resolve()))
        _play(stage)
        if keep:
            click.echo(f"\nKept: {folder}")


def _play(stage: Stage) -> None:
    """The story, scene by scene."""
    stage.scene(1, "The agent reads. Reads run at once.")
    stage.call("shell", command="grep ERROR shop/app.log | wc -l")

    stage.scene(2, "The agent writes. At level 2, what can be undone runs at once.")
    stage.call("file_write", path="report.md", content="2 orders were declined.\n")

    stage.scene(3, "The agent uses a secret that it never sees.")
    stage.call("env_update", path="shop/.env", set={"API_KEY": f"SECRET_REF({SECRET})"})
    key = stage.secret()
    on_disk = key in (stage.workspace / "shop/.env").read_text(encoding="utf-8")
    stage.fact("the real value is in the file", on_disk)
    answer = stage.call("env_read", path="shop/.env")
    stage.fact("the agent was sent the real value", key in json.dumps(answer))

    stage.scene(4, "The agent asks its model. What leaves the machine holds no secret.")
    stage.ask_model(Planted.with_key(key))

    stage.scene(5, "The agent wants to delete. What destroys waits for a person.")
    answer = stage.call("shell", command="rm -r old-backups")
    stage.show_approval(answer["approval_id"])

    stage.scene(6, "A person approves; the wrapper runs exactly what was shown.")
    stage.approve(answer["approval_id"])
    gone = not (stage.workspace / "old-backups").exists()
    stage.fact("the folder is gone", gone)

    stage.scene(
        7, "What the wrapper cannot understand is refused, with a way to say it."
    )
    stage.call("shell", command="cat $(find / -name id_rsa)")

    stage.scene(8, "Every step is on the audit log, which verifies.")
    stage.show_audit()
    stage.fact("the secret is anywhere in the home folder", stage.leaked(key))


@dataclass
class Stage:
    """The running wrapper, its workspace, and the two parties' clients.

    Args:
        home: The throw-away home.
        workspace: The folder that the agent may use.
        agent: Calls with the agent's token.
        operator: Calls with the operator's token.
        proxy: The Secrets Proxy's address.
        provider: The model's provider.
    """

    home: Home
    workspace: Path
    agent: httpx.Client = field(repr=False)
    operator: httpx.Client = field(repr=False)
    proxy: str
    provider: Provider

    def scene(self, number: int, title: str) -> None:
        """Begin a scene."""
        click.echo(f"\n{click.style(f'{number}. {title}', bold=True)}")

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - a tool's arguments
        """Call a tool as the agent, and show call and answer."""
        click.echo(f"   agent     {tool} {json.dumps(arguments, ensure_ascii=False)}")
        body = {"session_id": "demo", "tool_name": tool, "tool_args": arguments}
        answer = self.agent.post("/api/v1/tools/execute", json=body).json()
        self._tell(answer)
        return dict(answer)

    def ask_model(self, planted: Planted) -> None:
        """Call the model through the proxy; show what was sent, and what arrived."""
        import httpx  # noqa: PLC0415 - slow to import

        request = planted.request()
        self._show_messages("agent", request)
        answer = httpx.post(
            f"{self.proxy}/openai/v1/chat/completions",
            json=request,
            headers={"authorization": f"Bearer {DUMMY_KEY}"},
            trust_env=False,
        )
        if answer.is_error:
            message = (
                f"the Secrets Proxy answered {answer.status_code} to the model call"
            )
            raise ConfigurationError(message)
        headers, body = self.provider.received[-1]
        self._show_messages("provider", json.loads(body))
        said = answer.json()
        self._line("model", said["choices"][0]["message"]["content"])
        used = said["usage"]
        cached = used["prompt_tokens_details"]["cached_tokens"]
        tokens = f"{used['prompt_tokens']} in ({cached} cached)"
        self._line("tokens", f"{tokens}, {used['completion_tokens']} out")
        sent = json.dumps(request)
        planted_all = all(value in sent for value in planted.values)
        self.fact("three secrets were in the request", planted_all)
        saw = any(map(self.provider.saw, planted.values))
        self.fact("the provider was sent one of them", saw)
        key = self.secret(PROVIDER_KEY)
        called = {k.lower(): v for k, v in headers.items()}["authorization"]
        self.fact("the provider was called with its real key", key in called)

    def approve(self, approval_id: str) -> None:
        """Approve as the operator, and show what came of it."""
        click.echo(f"   person    approves {approval_id}")
        body = {"reason": "the backups were moved last week"}
        path = f"/api/v1/approvals/{approval_id}/approve"
        self._tell(self.operator.post(path, json=body).json())

    def show_approval(self, approval_id: str) -> None:
        """Show what a person sees of an approval."""
        found = self.operator.get(f"/api/v1/approvals/{approval_id}").json()
        self._line("person", f"is asked about {approval_id}, and shown what would run:")
        for pipeline in found["plan"]["pipelines"]:
            for stage in pipeline["stages"]:
                words = json.dumps(stage["argv"])
                self._line("", f"{words} as {stage['program']} in {pipeline['cwd']}")

    def show_audit(self) -> None:
        """Show the audit log and whether it verifies."""
        for row in self.operator.get("/api/v1/audit").json()["rows"]:
            tier = styled(row["tier"] or "")
            what = f"{row['seq']:>2} {row['kind']:<8} {row['decision'] or '':<17}"
            click.echo(f"   audit     {what} {row['tool_name'] or '':<11} {tier}")
        found = self.operator.get("/api/v1/audit/verify").json()["verification"]
        holds = found["broken_seq"] is None and not found["gaps"]
        self.fact("the chain holds", holds)

    def fact(self, claim: str, holds: bool) -> None:
        """Show whether something is so, as it was just looked up."""
        self._line("checked", f"{claim}: {'yes' if holds else 'no'}")

    def secret(self, name: str = SECRET) -> str:
        """Reveal one of the demonstration's secrets, as its operator may."""
        path = f"/api/v1/secrets/{name}/reveal"
        return str(self.operator.post(path).json()["value"])

    def leaked(self, value: str) -> bool:
        """Look for a value in every file of the home folder."""
        files = [path for path in self.home.folder.rglob("*") if path.is_file()]
        return any(value.encode() in path.read_bytes() for path in files)

    def _show_messages(self, who: str, request: dict[str, Any]) -> None:
        done = "sends" if who == "agent" else "received"
        for message in request["messages"]:
            if message["content"]:
                shown = json.dumps(message["content"], ensure_ascii=False)
                self._line(who, f"{done} {message['role']}: {shown}")

    def _tell(self, answer: dict[str, Any]) -> None:
        status, tier = styled(answer["status"]), styled(answer.get("tier") or "")
        click.echo(f"   wrapper   {status}  {tier}  {answer.get('rule') or ''}")
        if answer["status"] != "ok":
            self._line("", str(answer.get("reason") or answer.get("error")))
        if answer.get("alternative"):
            self._line("instead", answer["alternative"])
        output = answer.get("output")
        if output is not None:
            self._line("output", _brief(output))

    def _line(self, who: str, text: str) -> None:
        text = text.replace(str(self.workspace), "WORKSPACE")
        lines = [
            part for line in text.splitlines() for part in textwrap.wrap(line, WIDTH)
        ]
        for number, part in enumerate(lines):
            click.echo(f"   {who if number == 0 else '':<9} {part}")


def _brief(output: dict[str, Any]) -> str:
    """What a person wants to see of a result; the agent gets all of it."""
    if "exit_code" in output:
        return output["stdout"].strip() or f"exit code {output['exit_code']}"
    told = {key: value for key, value in output.items() if value not in ([], None)}
    return json.dumps(told, ensure_ascii=False)


@contextlib.contextmanager
def _staged(folder: Path) -> Iterator[Stage]:
    """Make the folders, provide a secret, and run a wrapper over them."""
    import httpx  # noqa: PLC0415 - slow to import

    from letsbe.cli.init import make_home  # noqa: PLC0415
    from letsbe.wrapper.opening import open_secrets  # noqa: PLC0415
    from letsbe.wrapper.tokens import read_token  # noqa: PLC0415

    home, workspace = Home(folder / "home"), folder / "workspace"
    (workspace / "shop").mkdir(parents=True)
    (workspace / "shop/app.log").write_text(LOG, encoding="utf-8")
    (workspace / "old-backups").mkdir()
    (workspace / "old-backups/monday.tar").write_bytes(b"\0" * 2048)
    make_home(home, (workspace,), ("main",))
    with open_secrets(home) as desk:
        desk.vault.generate(SECRET)
        desk.vault.generate(PROVIDER_KEY, tools=("proxy",), hosts=("127.0.0.1",))
    with contextlib.ExitStack() as stack:
        provider = stack.enter_context(running_provider())
        configure(home, provider)
        address, proxy = stack.enter_context(_running(home))
        click.echo(f"The Safety Wrapper runs at {address}, the Secrets Proxy at")
        click.echo(f"{proxy}. The agent may use the folder")
        click.echo(f"{workspace} (WORKSPACE below).")
        click.echo(f"The secret {SECRET} was generated in the wrapper's vault.")
        clients = [
            stack.enter_context(
                httpx.Client(
                    base_url=address,
                    headers={"authorization": f"Bearer {read_token(path)}"},
                    trust_env=False,
                )
            )
            for path in (home.agent_tokens / "main", home.operator_token)
        ]
        agent, operator = clients
        yield Stage(home, workspace, agent, operator, proxy, provider)


@contextlib.contextmanager
def _running(home: Home) -> Iterator[tuple[str, str]]:
    """Run ``letsbe up`` in a process of its own until the block ends.

    Yields:
        The wrapper's address and the proxy's.
    """
    command = [sys.executable, "-m", "letsbe", "up", "--port", "0", "--json"]
    server = subprocess.Popen(
        [*command, "--home", str(home.folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert server.stdout is not None
        said = json.loads(server.stdout.readline() or "{}")
        if "safety_wrapper" not in said:
            why = said["error"]["message"] if "error" in said else _last(server)
            raise ConfigurationError(f"the wrapper did not start: {why}")
        yield said["safety_wrapper"], said["secrets_proxy"]
    finally:
        server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.communicate(timeout=START_SECONDS)
        server.kill()


def _last(server: subprocess.Popen[str]) -> str:
    _, errors = server.communicate(timeout=START_SECONDS)
    return errors.strip().splitlines()[-1] if errors.strip() else "it said nothing"
