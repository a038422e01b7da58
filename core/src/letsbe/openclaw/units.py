"""Service files and packet rules that hold OpenClaw to the ways that lead through us.

The texts are templates whose comments say what each line prevents; here is what goes
into them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from string import Template

from letsbe.configuration import Configuration
from letsbe.errors import ConfigurationError
from letsbe.openclaw.roles import template
from letsbe.openclaw.settings import Places
from letsbe.openclaw.tenant import Tenant
from letsbe.openclaw.workspace import WORKSPACE_FILES

TELEGRAM_NETWORKS = (
    "91.105.192.0/23",
    "91.108.4.0/22",
    "91.108.8.0/22",
    "91.108.12.0/22",
    "91.108.16.0/22",
    "91.108.20.0/22",
    "91.108.56.0/22",
    "149.154.160.0/20",
    "185.76.151.0/24",
    "2001:67c:4e8::/48",
    "2001:b28:f23c::/48",
    "2001:b28:f23d::/48",
    "2001:b28:f23f::/48",
    "2a0a:f280::/32",
)
"""Telegram's own list, https://core.telegram.org/resources/cidr.txt, as of 2026."""

FILES = (
    "letsbe.service",
    "letsbe-proxy.service",
    "openclaw.service",
    "letsbe-backup-status.service",
    "letsbe-backup-status.timer",
    "letsbe.nft",
    "letsbe.sysusers",
    "letsbe.tmpfiles",
)
"""The files, by the names that they have as templates and when they are written."""

_ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]{0,30}")
_PATH = re.compile(r"/[A-Za-z0-9._/+@-]*")
_HIDDEN = ("/home", "/root", "/run/user")


@dataclass(frozen=True, slots=True)
class Machine:
    """What the units are written for.

    Args:
        home: The home folder.
        state: OpenClaw's state folder.
        letsbe: The ``letsbe`` command.
        node: The Node that runs OpenClaw.
        program: The ``openclaw`` program.
        user: OpenClaw's account.
        letsbe_user: The wrapper's account.
        proxy_user: The Secrets Proxy's account.
        memory: The most memory that OpenClaw may take.
    """

    home: Path
    state: Path
    letsbe: Path
    node: Path
    program: Path
    user: str = "openclaw"
    letsbe_user: str = "letsbe"
    proxy_user: str = "letsbe-proxy"
    memory: str = "3G"

    def check(self) -> None:
        """See that the units can hold what they say.

        Raises:
            ConfigurationError: A path cannot stand in a unit or would be hidden from
                it, an account's name is none, or two are one account.
        """
        for path in (self.home, self.state, self.letsbe, self.node, self.program):
            if not _PATH.fullmatch(str(path)):
                message = f"{path} cannot stand in a unit: use plain letters and digits"
                raise ConfigurationError(message)
        for path in (self.state, self.node, self.program):
            if any(path.is_relative_to(place) for place in _HIDDEN):
                message = f"{path} lies where the unit lets OpenClaw see nothing"
                instead = (
                    "install it under /opt, and keep its state in /var/lib/openclaw"
                )
                raise ConfigurationError(message, alternative=instead)
        accounts = (self.user, self.letsbe_user, self.proxy_user)
        for name in accounts:
            if not _ACCOUNT.fullmatch(name) or name == "root":
                message = "an account is none that the services may run under"
                raise ConfigurationError(message)
        if len(set(accounts)) < len(accounts):
            message = "OpenClaw, LetsBe and its proxy need an account each"
            raise ConfigurationError(message)


def units(
    tenant: Tenant, configuration: Configuration, machine: Machine
) -> dict[str, str]:
    """Return the files' texts by their names.

    Args:
        tenant: The tenant's document.
        configuration: The home's configuration.
        machine: What they are written for.

    Raises:
        ConfigurationError: They could not hold what they say.
    """
    machine.check()
    connected: set[str] = {channel.channel for channel in tenant.channels}
    values = {
        "home": str(machine.home),
        "state": str(machine.state),
        "letsbe": str(machine.letsbe),
        "node": str(machine.node),
        "program": str(machine.program),
        "user": machine.user,
        "letsbe_user": machine.letsbe_user,
        "proxy_user": machine.proxy_user,
        "memory": machine.memory,
        "read_only": _read_only(tenant, machine),
        "closed": _closed(tenant, machine),
        "no_exec": _no_exec(machine, connected),
        "addresses": _addresses(connected),
        "channels": _channel_rules(connected),
        "gateway_port": str(tenant.runtime.gateway_port),
        "proxy_port": str(configuration.proxy.port),
        "wrapper_port": str(configuration.wrapper.port),
        "backup_time": "06:47:00",
    }
    return {name: Template(template(name)).substitute(values) for name in FILES}


def _read_only(tenant: Tenant, machine: Machine) -> str:
    places = Places(machine.state)
    files = [places.configuration, places.environment]
    for agent in tenant.agents:
        folder = places.workspace(agent.agent_id)
        files += [folder / name for name in WORKSPACE_FILES]
    if tenant.runtime.bridge is not None:
        files.append(tenant.runtime.bridge)
    return "\n".join(f"ReadOnlyPaths={file}" for file in files)


def _closed(tenant: Tenant, machine: Machine) -> str:
    places = {machine.state, machine.program.parent}
    if tenant.runtime.bridge is not None:
        places.add(tenant.runtime.bridge)
    return " ".join(f"-{place}" for place in sorted(places))


def _no_exec(machine: Machine, connected: set[str]) -> str:
    if "whatsapp" in connected:
        return "# (Left out: the WhatsApp plugin is installed into the state.)"
    return f"NoExecPaths={machine.state}"


def _addresses(connected: set[str]) -> str:
    if "whatsapp" in connected:
        return (
            "# (Left out: WhatsApp has no list of its addresses. letsbe.nft leaves it\n"
            "# port 443 and names.)"
        )
    lines = ["IPAddressDeny=any", "IPAddressAllow=localhost"]
    if "telegram" in connected:
        lines.append("# Telegram's own networks. A resolver elsewhere has to be added.")
        lines += [f"IPAddressAllow={network}" for network in TELEGRAM_NETWORKS]
    return "\n".join(lines)


def _channel_rules(connected: set[str]) -> str:
    if not connected:
        return "\t\t# (No messenger is connected, so it needs no other address.)"
    lines = [
        "# Names of the messengers, from the resolver of this machine.",
        'oifname "lo" meta l4proto { tcp, udp } th dport 53 accept',
    ]
    if "whatsapp" in connected:
        lines += [
            "# WhatsApp has no list of its addresses, so all are open on this port.",
            "meta l4proto { tcp, udp } th dport { 53, 443 } accept",
        ]
    elif "telegram" in connected:
        old = [net for net in TELEGRAM_NETWORKS if ":" not in net]
        new = [net for net in TELEGRAM_NETWORKS if ":" in net]
        lines += [
            "# Telegram's own networks.",
            f"ip daddr {{ {', '.join(old)} }} tcp dport 443 accept",
            f"ip6 daddr {{ {', '.join(new)} }} tcp dport 443 accept",
        ]
    return "\n".join(f"\t\t{line}" for line in lines)
