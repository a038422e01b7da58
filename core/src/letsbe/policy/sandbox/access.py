"""What one program may do on the machine, as its tier and its name say."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from letsbe.policy.tiers import Tier


class Grant(enum.StrEnum):
    """One thing that a program needs beyond what its tier lets it do.

    Every grant is a hole, so each is given to programs by name, where an operator can
    read the list.
    """

    UNIX = "unix"
    """Sockets of this machine: D-Bus, systemd, databases."""
    NETLINK = "netlink"
    """Asking the kernel about interfaces, routes and connections."""
    INTERFACES = "interfaces"
    """The same by ``ioctl`` on a socket that nothing can be sent through."""
    DEVICES = "devices"
    """Reading devices, and their sizes and states."""
    PROCESSES = "processes"
    """Looking into other processes: who has which file or port open."""
    NULL = "null"
    """With the one above: opening what exists for reading and writing at once, which
    lsof does with ``/dev/null`` and will not do without."""
    ACCOUNTS = "accounts"
    """Reading what else is closed to reads: password hashes, keys."""
    KERNEL = "kernel"
    """Interfaces that can be asked only with the right to change: packet filters,
    volume managers, disks' own diagnostics. Its table alone decides."""
    LOG = "log"
    """Reading the kernel's log where only root may."""
    TEMPORARY = "temporary"
    """A folder of its own for temporary files, at GREEN too."""
    NETWORK = "network"
    """From YELLOW on: the network, though the words name no host."""
    RAW = "raw"
    """From YELLOW on: packets of its own making (ping, traceroute)."""
    SIGNALS = "signals"
    """From YELLOW on: signalling other processes."""
    SYSTEM = "system"
    """From YELLOW on: the whole system may be changed, as a RED command may. Its table
    alone decides: package managers, user accounts, services' own tools."""
    WHOLE = "whole"
    """If RED: not even the closed places can be kept from it: mounts, namespaces."""
    GAIN = "gain"
    """If RED: it may gain privileges, as ``sudo`` does."""


class Level(enum.IntEnum):
    """How far a program is let, from the strictest."""

    READ = 0
    """Nothing is written, nothing is sent, nobody else is touched."""
    WRITE = 1
    """Writes inside the allowed roots, and in a temporary folder of its own."""
    CHANGE = 2
    """The whole system, less the closed places."""
    FREE = 3
    """Everything the service's user may do, within the resource limits."""


@dataclass(frozen=True, slots=True)
class Access:
    """What a program may do.

    Args:
        tier: The tier that its own words were judged to have.
        network: Whether a command of a middle tier contacts a host by its words.
        grants: What its name brings.
        writable: Paths that it may write at any tier besides what its tier allows.
    """

    tier: Tier
    network: bool = False
    grants: frozenset[Grant] = frozenset()
    writable: tuple[str, ...] = ()

    @property
    def level(self) -> Level:
        """How far it is let."""
        if self.tier >= Tier.RED:
            free = not self.grants.isdisjoint({Grant.WHOLE, Grant.GAIN})
            return Level.FREE if free else Level.CHANGE
        if self.tier is Tier.GREEN:
            return Level.READ
        return Level.CHANGE if Grant.SYSTEM in self.grants else Level.WRITE

    @property
    def gains(self) -> bool:
        """Whether it may gain privileges."""
        return self.level is Level.FREE and Grant.GAIN in self.grants

    @property
    def reaches_out(self) -> bool:
        """Whether it may use the network. A GREEN program never may."""
        if self.tier is Tier.GREEN:
            return False
        asked = self.network or not self.grants.isdisjoint({Grant.NETWORK, Grant.RAW})
        return asked or self.level > Level.WRITE or self.tier is not Tier.YELLOW

    @property
    def has_temporary_folder(self) -> bool:
        """Whether it may write in a folder of its own, which is gone afterwards."""
        return self.level is Level.WRITE or (
            self.level is Level.READ and Grant.TEMPORARY in self.grants
        )

    @property
    def looks_around(self) -> bool:
        """Whether it reads and looks into other processes."""
        return self.level is Level.READ and Grant.PROCESSES in self.grants
