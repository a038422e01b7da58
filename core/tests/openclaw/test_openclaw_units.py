from __future__ import annotations

import dataclasses
import os
import pwd
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from letsbe.configuration import load_configuration
from letsbe.errors import ConfigurationError
from letsbe.openclaw.configuring import add_default_agents
from letsbe.openclaw.tenant import Channel
from letsbe.openclaw.units import FILES, Machine, units

MACHINE = Machine(
    home=Path("/var/lib/letsbe"),
    state=Path("/var/lib/openclaw"),
    letsbe=Path("/bin/true"),
    node=Path("/bin/true"),
    program=Path("/opt/openclaw/openclaw.mjs"),
    user="www-data",
    letsbe_user="daemon",
    proxy_user="mail",
)
"""Accounts that every machine has, for nft looks them up."""


def made(business: Any, machine: Machine = MACHINE) -> dict[str, str]:
    add_default_agents(business.home)
    tenant = business.document.read()
    return units(tenant, load_configuration(business.home), machine)


def lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def with_channel(business: Any, channel: str) -> None:
    token = Path("/run/token")
    row = Channel(channel=channel, owner="+4915551", token_file=token)
    business.document.put(row)


def test_every_file_is_filled_in(business: Any) -> None:
    texts = made(business)
    assert set(texts) == set(FILES)
    for name, text in texts.items():
        assert "$" not in text, name


def test_openclaw_writes_nothing_but_its_state_and_not_what_holds_it(
    business: Any,
) -> None:
    service = lines(made(business)["openclaw.service"])
    for line in (
        "ProtectSystem=strict",
        "ReadWritePaths=/var/lib/openclaw",
        "ReadOnlyPaths=/var/lib/openclaw/openclaw.json",
        "ReadOnlyPaths=/var/lib/openclaw/.env",
        "ReadOnlyPaths=/var/lib/openclaw/agents/sales/SOUL.md",
        "InaccessiblePaths=/var/lib/letsbe",
        "NoExecPaths=/var/lib/openclaw",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "IPAddressDeny=any",
        "IPAddressAllow=localhost",
        "User=www-data",
        "Requires=letsbe.service letsbe-proxy.service",
    ):
        assert line in service, line


def test_commands_of_agents_do_not_see_openclaw(business: Any) -> None:
    service = lines(made(business)["letsbe.service"])
    assert "InaccessiblePaths=-/opt/openclaw -/var/lib/openclaw" in service


def test_the_proxy_writes_usage_and_sees_what_it_needs(business: Any) -> None:
    texts = made(business)
    service = lines(texts["letsbe-proxy.service"])
    for line in (
        "User=mail",
        "ProtectSystem=strict",
        "ReadWritePaths=-/var/lib/letsbe/usage",
        "CapabilityBoundingSet=",
    ):
        assert line in service, line
    closed = " ".join(line for line in service if line.startswith("Inaccessible"))
    for name in ("tokens", "letsbe.db", "vault.key", "audit.key"):
        assert f"-/var/lib/letsbe/{name}" in closed
    assert "SupplementaryGroups=mail" in lines(texts["letsbe.service"])
    assert "m daemon mail" in texts["letsbe.sysusers"]


def test_folders_that_are_shared_pass_their_group_on(business: Any) -> None:
    """The service may set no such mode itself (RestrictSUIDSGID)."""
    assert "RestrictSUIDSGID=yes" in lines(made(business)["letsbe.service"])
    assert lines(made(business)["letsbe.tmpfiles"]) == [
        f"d /var/lib/letsbe/registry 2750 daemon {MACHINE.proxy_user} -",
        f"d /var/lib/letsbe/usage 2770 daemon {MACHINE.proxy_user} -",
    ]


def test_each_line_says_what_it_prevents(business: Any) -> None:
    for name in ("openclaw.service", "letsbe.service", "letsbe-proxy.service"):
        service = made(business)[name].partition("\n\n[Service]\n")[2]
        hardening = service.partition("\n\n")[2].partition("\n\n[Install]")[0]
        for block in hardening.split("\n\n"):
            assert block.startswith("# "), block


def test_a_messenger_opens_its_addresses_and_no_more(business: Any) -> None:
    with_channel(business, "telegram")
    texts = made(business)
    assert "IPAddressAllow=149.154.160.0/20" in lines(texts["openclaw.service"])
    assert "tcp dport 443 accept" in texts["letsbe.nft"]
    assert "ip daddr { 91.105.192.0/23" in texts["letsbe.nft"]
    with_channel(business, "whatsapp")
    texts = made(business)
    assert "IPAddressDeny=any" not in lines(texts["openclaw.service"])
    assert "WhatsApp has no list" in texts["openclaw.service"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"state": Path("/home/ada/.openclaw")}, "/var/lib/openclaw"),
        ({"program": Path("/root/node_modules/openclaw/openclaw.mjs")}, "/opt"),
        ({"state": Path("/var/lib/a b")}, "plain letters"),
        ({"home": Path("/var/lib/x\nUser=root")}, "plain letters"),
        ({"user": "root"}, "account"),
        ({"user": "x;reboot"}, "account"),
        ({"user": "daemon"}, "an account each"),
        ({"proxy_user": "daemon"}, "an account each"),
    ],
)
def test_what_could_not_hold_is_refused(
    business: Any, change: dict[str, Any], message: str
) -> None:
    machine = dataclasses.replace(MACHINE, **change)
    with pytest.raises(ConfigurationError) as caught:
        made(business, machine)
    assert message in f"{caught.value.message} {caught.value.alternative}"


@pytest.mark.parametrize("channel", [None, "telegram", "whatsapp"])
def test_systemd_takes_the_units_without_a_word(
    business: Any, tmp_path: Path, channel: Any
) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    if channel:
        with_channel(business, channel)
    for name, text in made(business).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    found = sorted(map(str, tmp_path.glob("*.service"))) + sorted(
        map(str, tmp_path.glob("*.timer"))
    )
    ended = run("systemd-analyze", "verify", "--man=no", *found)
    assert (ended.returncode, ended.stderr.strip()) == (0, "")


@pytest.mark.parametrize("name", ["openclaw.service", "letsbe-proxy.service"])
def test_systemd_finds_little_exposed(business: Any, tmp_path: Path, name: str) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not installed")
    file = tmp_path / name
    file.write_text(made(business)[name], encoding="utf-8")
    # What talks to providers is open to the internet, which counts 15 of 100.
    threshold = 20 if name == "openclaw.service" else 35
    words = ["security", "--offline=true", f"--threshold={threshold}", "--no-pager"]
    ended = run("systemd-analyze", *words, str(file))
    assert ended.returncode == 0, ended.stdout[-400:]


@pytest.mark.parametrize("channel", [None, "telegram", "whatsapp"])
def test_nft_takes_the_rules(business: Any, tmp_path: Path, channel: Any) -> None:
    needs_nft()
    if channel:
        with_channel(business, channel)
    file = tmp_path / "letsbe.nft"
    file.write_text(made(business)["letsbe.nft"], encoding="utf-8")
    ended = run("unshare", "--net", "nft", "--check", "--file", str(file))
    assert (ended.returncode, ended.stderr) == (0, "")


PROBE = """
import os, socket, subprocess, sys
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
subprocess.run(["nft", "--file", sys.argv[1]], check=True)
subprocess.run(["nft", "--file", sys.argv[1]], check=True)  # again: it replaces itself
ports = [8100, 8200, 18789, 5432]
held = [socket.create_server(("127.0.0.1", port)) for port in ports]
for user in map(int, sys.argv[2:]):
    if os.fork():
        os.wait()
        continue
    os.setuid(user)
    for port in ports:
        with socket.socket() as client:
            client.settimeout(3)
            failed = client.connect_ex(("127.0.0.1", port))
        print(user, port, "closed" if failed else "open")
    sys.stdout.flush()
    os._exit(0)
"""


def test_the_rules_hold_each_account_to_its_ports(
    business: Any, tmp_path: Path
) -> None:
    needs_nft()
    openclaw, letsbe, other = (
        pwd.getpwnam(name).pw_uid for name in ("www-data", "daemon", "games")
    )
    file = tmp_path / "letsbe.nft"
    file.write_text(made(business)["letsbe.nft"], encoding="utf-8")
    words = [shutil.which("python3") or "python3", "-c", PROBE, str(file)]
    ended = run("unshare", "--net", *words, str(openclaw), str(letsbe), str(other))
    assert ended.returncode == 0, ended.stderr
    found = {
        (int(user), int(port)): state
        for user, port, state in map(str.split, ended.stdout.splitlines())
    }
    ours = (8100, 8200, 18789)
    assert {found[openclaw, port] for port in ours} == {"open"}
    assert found[openclaw, 5432] == "closed"  # a database of this machine
    assert {found[letsbe, port] for port in (*ours, 5432)} == {"open"}
    assert {found[other, port] for port in ours} == {"closed"}
    assert found[other, 5432] == "open"


def test_the_command_writes_them_and_says_what_next(
    business: Any, tmp_path: Path
) -> None:
    program = tmp_path / "openclaw.mjs"
    program.touch()
    words = ["openclaw", "units", "--to", str(tmp_path / "units")]
    words += ["--openclaw", str(program), "--node", "/bin/true"]
    assert "openclaw configure" in business.run(*words, code=1)
    business.configure("--yes")
    # pytest's folders lie in /tmp, which is not hidden from the service.
    printed = business.run(*words)
    assert "systemctl daemon-reload" in printed
    assert 'user = "letsbe-proxy"' in printed
    assert {p.name for p in (tmp_path / "units").iterdir()} == set(FILES)


def needs_nft() -> None:
    if shutil.which("nft") is None:
        pytest.skip("nftables is not installed")
    if os.geteuid() != 0 or run("unshare", "--net", "true").returncode != 0:
        pytest.skip("a network of its own needs root")


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words, capture_output=True, text=True, timeout=60, check=False
    )
