"""May a request go there: the form, then one look-up, then every answer.

Ports of public hosts are free: web tools are served on any port, and what else
listens on a public address is open to the whole world without us. What must stay
closed is closed by its address, since it listens on loopback or a private network.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from letsbe.policy.network.addresses import OWN_KINDS, Address, read_address
from letsbe.policy.network.hosts import is_localhost
from letsbe.policy.network.urls import Origin, Target, UrlFault, parse_url

Resolve = Callable[[str], Sequence[str]]
"""Gives the addresses of a host name in lower-case ASCII; may raise anything."""

CLOSED_PORTS = frozenset({2375, 2376, 8100, 8200, 18789})
"""Ports never opened on this machine or a private network, whatever is allowed: the
Docker Engine's, the Secrets Proxy's, the Safety Wrapper's and the agent runtime's."""


@dataclass(frozen=True, slots=True)
class UrlVerdict:
    """Whether a request may go to a URL.

    Args:
        allowed: Whether it may.
        rule: The rule that decided, such as ``address.link_local``; for programs.
        reason: What the rule found, without any part of the URL.
        target: Where the URL leads, if it could be read.
        addresses: What to connect to, checked, in the resolver's order. Empty unless
            allowed. Connecting to anything else undoes the check.
    """

    allowed: bool
    rule: str
    reason: str
    target: Target | None = None
    addresses: tuple[str, ...] = ()


def is_allowed_url(url: str, resolve: Resolve) -> bool:
    """Whether a URL given by someone else may be requested.

    Args:
        url: The URL, as it was given.
        resolve: Asked once if the host is a name, never if it is an address.

    Returns:
        True if the URL is clear, its host is or resolves to public addresses only.
        Never raises, whatever the text is or the resolver does.
    """
    return judge_url(url, resolve).allowed


def judge_url(
    url: str,
    resolve: Resolve,
    *,
    allowed: Collection[Origin] = (),
    closed_ports: Collection[int] = CLOSED_PORTS,
) -> UrlVerdict:
    """Say whether a URL may be requested, why, and at which addresses.

    Args:
        url: The URL, as it was given.
        resolve: Asked once if the host is a name, never if it is an address.
        allowed: Origins of the tenant's own tools, which may also be on loopback,
            private or shared addresses (never link-local or other special ones).
        closed_ports: Ports that stay closed there even so.

    Returns:
        The verdict; nothing is raised.
    """
    try:
        target = parse_url(url)
    except UrlFault as fault:
        return UrlVerdict(False, fault.rule, fault.reason)
    verdict = judge_origin(
        target.origin, resolve, allowed=allowed, closed_ports=closed_ports
    )
    return UrlVerdict(
        verdict.allowed, verdict.rule, verdict.reason, target, verdict.addresses
    )


def judge_origin(
    origin: Origin,
    resolve: Resolve,
    *,
    allowed: Collection[Origin] = (),
    closed_ports: Collection[int] = CLOSED_PORTS,
) -> UrlVerdict:
    """Say whether a connection to a host and port may be opened.

    Args:
        origin: From :func:`~letsbe.policy.network.urls.parse_url`.
        resolve: As for :func:`judge_url`, as are ``allowed`` and ``closed_ports``.

    Returns:
        The verdict, without a target; nothing is raised.
    """
    own = origin in allowed
    if is_localhost(origin.host) and not own:
        reason = "the host is a name of this machine, which is closed"
        return UrlVerdict(False, "host.localhost", reason)
    addresses = _look_up(origin.host, resolve)
    if isinstance(addresses, UrlVerdict):
        return addresses
    for address in addresses:
        refusal = _refuse_address(address, origin.port, own, closed_ports)
        if refusal:
            return refusal
    texts = tuple(dict.fromkeys(address.text for address in addresses))
    found = "the tenant's own tool" if own else "all of its addresses are public"
    return UrlVerdict(True, "own_tool" if own else "public", found, addresses=texts)


def _look_up(host: str, resolve: Resolve) -> tuple[Address, ...] | UrlVerdict:
    literal = read_address(host)
    if literal:
        return (literal,)
    try:
        answers = [read_address(answer) for answer in resolve(host)]
    except Exception:  # noqa: BLE001 - a resolver may be anyone's; all of it is a no
        return UrlVerdict(False, "resolve.failed", "the host could not be looked up")
    if not answers:
        return UrlVerdict(False, "resolve.empty", "the host has no address")
    known = tuple(answer for answer in answers if answer)
    if len(known) < len(answers):
        reason = "the look-up gave something that is not a plain address"
        return UrlVerdict(False, "resolve.answer", reason)
    return known


def _refuse_address(
    address: Address, port: int, own: bool, closed_ports: Collection[int]
) -> UrlVerdict | None:
    kind = address.kind
    if kind is None:
        return None
    if own and kind in OWN_KINDS:
        if port not in closed_ports:
            return None
        reason = "the port belongs to the product itself and is always closed"
        return UrlVerdict(False, "port.closed", reason)
    reason = f"the host's address is {kind.value}; use a public address"
    return UrlVerdict(False, f"address.{kind.name.lower()}", reason)
