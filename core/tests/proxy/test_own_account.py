"""The proxy under an account of its own, beside a wrapper that is another's."""

from __future__ import annotations

import contextlib
import grp
import http.client
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from letsbe.cli.init import make_home
from letsbe.discovery.finding import installed_set
from letsbe.discovery.records import Kind
from letsbe.home import Home

OWNER, PROXY = "daemon", "nobody"
"""Accounts that every machine has. The first runs the wrapper, the second the proxy."""

ONLY = ("--model", "counted", "--json")
VALUE = "fresh-registered-value-8Kq2"

pytestmark = pytest.mark.may_skip("needs root, and a redaction layer beside the core")

# An interpreter or a checkout in root's own folder is shown to others in a world of
# their own, where that folder is empty but for it.
SHOWN = """
set -e
n=0
for place in $PLACES; do
    n=$((n+1)); mkdir $ASIDE/$n; mount --bind $place $ASIDE/$n
done
for closed in $CLOSED; do mount -t tmpfs -o mode=755 none $closed; done
n=0
for place in $PLACES; do
    n=$((n+1)); mkdir -p $place; mount --bind $ASIDE/$n $place
done
exec "$@"
"""


def closed_above(path: Path) -> Path | None:
    """Return the topmost folder above a path that others may not enter."""
    for folder in reversed(path.parents):
        if not folder.stat().st_mode & 0o001:
            return folder
    return None


@dataclass
class World:
    """Runs programs as other accounts."""

    folder: Path

    def words(self, account: str, *command: str) -> list[str]:
        user = pwd.getpwnam(account)
        groups = str(user.pw_gid)
        if account == OWNER:
            groups += f",{pwd.getpwnam(PROXY).pw_gid}"
        become = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}"]
        shown = ["unshare", "--mount", "sh", "-c", SHOWN, "sh"]
        return [*shown, *become, f"--groups={groups}", *command]

    def environment(self) -> dict[str, str]:
        places = {sys.base_prefix, sys.prefix, str(Path(__file__).parents[3])}
        behind = {p: c for p in sorted(places) if (c := closed_above(Path(p)))}
        aside = tempfile.mkdtemp(dir=self.folder)
        return {
            "PATH": os.environ["PATH"],
            "PLACES": " ".join(behind),
            "CLOSED": " ".join(sorted({str(c) for c in behind.values()})),
            "ASIDE": aside,
        }

    def run(self, account: str, *command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.words(account, *command),
            env=self.environment(),
            cwd="/",
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def python(self, account: str, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run(account, sys.executable, *words)

    @contextlib.contextmanager
    def serving(self, account: str, *words: str) -> Iterator[dict[str, Any]]:
        """Run a server that prints one line of JSON when it takes requests."""
        process = subprocess.Popen(
            self.words(account, sys.executable, "-m", "letsbe", *words, "--json"),
            env=self.environment(),
            cwd="/",
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        try:
            said = json.loads(process.stdout.readline())
            assert "error" not in said, said
            yield said
        finally:
            process.terminate()
            process.wait(30)
            process.stdout.close()


@pytest.fixture
def world() -> Iterator[World]:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("only root runs something as somebody else")
    if not installed_set((Kind.REDACTOR,)).selections:
        pytest.skip("no redaction layer is installed, without which no proxy starts")
    folder = Path(tempfile.mkdtemp(prefix="letsbe-accounts-"))
    folder.chmod(0o755)
    made = World(folder)
    if made.python(PROXY, "-c", "import letsbe").returncode:
        shutil.rmtree(folder)
        pytest.skip("the interpreter cannot be shown to another account")
    yield made
    shutil.rmtree(folder)


@pytest.fixture
def home(world: World, provider: Any) -> Home:
    made = Home(world.folder / "home")
    make_home(made, (), ("main",))
    text = made.configuration.read_text()
    text = text.replace("[proxy]", f'[proxy]\nuser = "{PROXY}"\nport = 0')
    text = text.replace("[wrapper]", "[wrapper]\nport = 0")
    upstream = f'[proxy.upstreams.up]\nbase_url = "{provider.address}"\n'
    made.configuration.write_text(f"{text}\n{upstream}")
    owner = pwd.getpwnam(OWNER)
    for path in (made.folder, *made.folder.rglob("*")):
        os.chown(path, owner.pw_uid, owner.pw_gid)
    return made


def provide(world: World, home: Home, name: str, value: str) -> None:
    code = (
        "import sys; from pathlib import Path; from letsbe.home import Home;"
        "from letsbe.wrapper.opening import open_secrets\n"
        "with open_secrets(Home(Path(sys.argv[1]))) as desk:"
        "    desk.vault.provide(sys.argv[2], sys.argv[3])"
    )
    ended = world.python(OWNER, "-c", code, str(home.folder), name, value)
    assert ended.returncode == 0, ended.stderr


def test_a_new_secret_is_seen_and_the_rest_is_not(
    world: World, home: Home, provider: Any
) -> None:
    place = ("--home", str(home.folder))
    with (
        world.serving(OWNER, "up", *place) as up,
        world.serving(PROXY, "proxy", *place) as proxy,
    ):
        assert PROXY in up["secrets_proxy"]
        took = [registered_and_gone(proxy, up, home, provider, n) for n in range(7)]
        # Each has a request or two in it, and the machine has other work as well.
        assert sorted(took)[2] < 0.1, took
        told = {
            "model": "counted",
            "usage": {"prompt_tokens": 7, "completion_tokens": 2},
        }
        sent = {"model": "m", "messages": []}

        async def answer(reply: Any) -> None:
            await reply.whole(json.dumps(told).encode())

        provider.script = answer
        post(proxy, json.dumps(sent))
        time.sleep(0.3)
    # The wrapper's account reads what the proxy's counted.
    shown = world.python(OWNER, "-m", "letsbe", "usage", *place, *ONLY)
    assert json.loads(shown.stdout)["total"]["input_tokens"] == 7, shown.stderr


def registered_and_gone(
    proxy: dict[str, Any], up: dict[str, Any], home: Home, provider: Any, number: int
) -> float:
    """Register a value; return the seconds until it no longer leaves."""
    value = f"{VALUE}-{number}"
    headers = {"authorization": f"Bearer {home.operator_token.read_text().strip()}"}
    wrapper = up["safety_wrapper"]
    body = {"name": f"fresh_{number}", "value": value}
    answer = httpx.post(f"{wrapper}/api/v1/secrets", json=body, headers=headers)
    assert answer.is_success, answer.text
    begun = time.monotonic()
    address = httpx.URL(proxy["secrets_proxy"])
    link = http.client.HTTPConnection(address.host, address.port or 0, timeout=30)
    sent = json.dumps({"messages": [{"role": "user", "content": value}]})
    with contextlib.closing(link):
        while True:
            assert time.monotonic() - begun < 5
            kind = {"content-type": "application/json"}
            link.request("POST", "/up/v1/chat/completions", sent, kind)
            link.getresponse().read()
            if value.encode() not in provider.last.body:
                return time.monotonic() - begun


def post(proxy: dict[str, Any], body: str) -> httpx.Response:
    url = f"{proxy['secrets_proxy']}/up/v1/chat/completions"
    headers = {"content-type": "application/json"}
    return httpx.post(url, content=body, headers=headers, timeout=30)


LOOK = """
import os, sys
from pathlib import Path
home = Path(sys.argv[1])
for name in sys.argv[2:]:
    path = home / name
    for flags, word in ((os.O_RDONLY, "read"), (os.O_WRONLY, "write")):
        try:
            os.close(os.open(path, flags))
            print(word, name)
        except PermissionError:
            pass
for folder in (home, home / "registry"):
    try:
        os.listdir(folder) and folder == home and print("list home")
        (folder / "planted").write_text("x")
        print("plant", folder)
    except PermissionError:
        pass
try:
    os.rename(home / "registry" / "secrets", home / "registry" / "other")
    print("rename")
except PermissionError:
    pass
"""


def test_the_proxys_account_reads_what_it_needs_and_writes_usage(
    world: World, home: Home
) -> None:
    provide(world, home, "first", "first-value-1")
    with world.serving(OWNER, "up", "--home", str(home.folder)):
        names = sorted(
            str(path.relative_to(home.folder))
            for path in home.folder.rglob("*")
            if path.is_file()
        )
        ended = world.python(PROXY, "-c", LOOK, str(home.folder), *names)
    usage = {name for name in names if name.startswith("usage/")}
    read = {"letsbe.toml", "plugins.json", "registry.key", "registry/secrets", *usage}
    allowed = {*(f"read {name}" for name in read), *(f"write {n}" for n in usage)}
    assert set(ended.stdout.splitlines()) == allowed, ended.stderr
    assert {"letsbe.db", "vault.key", "audit.key", "tokens/operator"} <= set(names)


def test_it_starts_without_the_wrapper_and_never_without_a_registry(
    world: World, home: Home, provider: Any
) -> None:
    place = ("--home", str(home.folder))
    ended = world.python(PROXY, "-m", "letsbe", "proxy", *place)
    assert ended.returncode != 0
    assert "letsbe" in ended.stderr
    provide(world, home, "first", "first-value-1")
    assert world.python(OWNER, "-m", "letsbe", "init", *place).returncode == 0
    with world.serving(PROXY, "proxy", *place) as proxy:
        post(proxy, '{"messages": [{"role": "user", "content": "first-value-1"}]}')
        assert b"SECRET_REF(first)" in provider.last.body


def test_another_account_is_refused(world: World, home: Home) -> None:
    ended = world.python(OWNER, "-m", "letsbe", "proxy", "--home", str(home.folder))
    assert ended.returncode != 0
    assert f"runs as {PROXY}" in ended.stderr


def test_without_the_group_it_is_said_what_to_do(world: World, home: Home) -> None:
    words = world.words(OWNER, sys.executable, "-m", "letsbe", "up")
    words = [w if not w.startswith("--groups=") else "--clear-groups" for w in words]
    ended = subprocess.run(
        [*words, "--home", str(home.folder)],
        env=world.environment(),
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    assert "into its group" in ended.stderr


def test_roots_own_home_starts_the_proxy_as_its_account(
    world: World, home: Home, provider: Any
) -> None:
    for path in (home.folder, *home.folder.rglob("*")):
        os.chown(path, 0, 0)
    with world.serving("root", "up", "--home", str(home.folder)) as up:
        post(up, '{"messages": []}')
        owners = {
            process.stat().st_uid
            for process in Path("/proc").iterdir()
            if process.name.isdigit() and is_proxy(process, home)
        }
    assert owners == {pwd.getpwnam(PROXY).pw_uid}


def is_proxy(process: Path, home: Home) -> bool:
    with contextlib.suppress(OSError):
        words = (process / "cmdline").read_bytes().split(b"\0")
        return b"proxy" in words and str(home.folder).encode() in words
    return False


def test_taking_the_account_away_narrows_the_home_again(
    world: World, home: Home
) -> None:
    place = ("--home", str(home.folder))
    assert world.python(OWNER, "-m", "letsbe", "init", *place).returncode == 0
    group = grp.getgrgid(pwd.getpwnam(PROXY).pw_gid).gr_gid
    assert home.registry.stat().st_gid == group
    assert home.registry.stat().st_mode & 0o777 == 0o640
    text = home.configuration.read_text().replace(f'user = "{PROXY}"', "")
    home.configuration.write_text(text)
    assert world.python(OWNER, "-m", "letsbe", "init", *place).returncode == 0
    for path in (home.folder, *home.folder.rglob("*")):
        assert not path.stat().st_mode & 0o077, path


def test_usage_that_others_may_change_is_refused(world: World, home: Home) -> None:
    place = ("--home", str(home.folder))
    assert world.python(OWNER, "-m", "letsbe", "init", *place).returncode == 0
    home.usage_database.chmod(0o666)
    ended = world.python(PROXY, "-m", "letsbe", "proxy", *place)
    assert ended.returncode != 0
    assert "open to others" in ended.stderr
