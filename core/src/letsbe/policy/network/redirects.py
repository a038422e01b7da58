"""Redirects: every hop is judged like a new URL, and three things more."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from urllib.parse import urljoin

from letsbe.policy.network.judgement import (
    CLOSED_PORTS,
    Resolve,
    UrlVerdict,
    judge_url,
)
from letsbe.policy.network.urls import Origin, Target, UrlFault, parse_url

_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")

MAX_REDIRECTS = 10
"""More hops than honest sites make; browsers give up at 20 (WHATWG Fetch)."""

PORTABLE_HEADERS = frozenset(
    {
        "accept",
        "accept-charset",
        "accept-encoding",
        "accept-language",
        "cache-control",
        "connection",
        "content-length",
        "content-type",
        "host",
        "if-modified-since",
        "if-none-match",
        "range",
        "transfer-encoding",
        "user-agent",
    }
)
"""The only headers that follow a redirect to another origin: any other may hold a
secret (``X-API-Key``, cookies) that is meant for the first one."""


def is_same_site(first: Target, target: Target) -> bool:
    """Whether a hop stays with whom the request was meant for.

    Args:
        first: Where the request was sent at first.
        target: Where it is to go now.

    Returns:
        True for the same scheme, host and port, and for http to https of one host on
        their own ports.
    """
    upgrade = (
        first.origin.host == target.origin.host
        and (first.scheme, first.origin.port) == ("http", 80)
        and (target.scheme, target.origin.port) == ("https", 443)
    )
    return upgrade or first == target


def check_hop(trail: Sequence[Target], target: Target, method: str = "GET") -> None:
    """Refuse a redirect that makes the request less safe than it was.

    Args:
        trail: Where the request has been, the first at first; empty for no redirect.
        target: Where it is to go now.
        method: The method that it would go with.

    Raises:
        UrlFault: From https to http anywhere on the way, or a body to another site.
    """
    if not trail:
        return
    if target.scheme == "http" and any(hop.scheme == "https" for hop in trail):
        reason = "a redirect leads from https to http; request the https URL"
        raise UrlFault("redirect.downgrade", reason)
    if method not in {"GET", "HEAD"} and not is_same_site(trail[0], target):
        reason = (
            f"a redirect would send the body of a {method} to another site; "
            "call that site itself if it is meant"
        )
        raise UrlFault("redirect.body", reason)


def judge_redirects(
    urls: Sequence[str],
    resolve: Resolve,
    *,
    allowed: Collection[Origin] = (),
    closed_ports: Collection[int] = CLOSED_PORTS,
) -> UrlVerdict:
    """Judge a URL and the redirects that followed from it.

    Args:
        urls: The URL, then each ``Location`` as it was received, relative or not.
        resolve: As for :func:`judge_url`, as are ``allowed`` and ``closed_ports``.

    Returns:
        The verdict of the first hop that is refused, else of the last hop.
    """
    trail: list[Target] = []
    url = ""
    verdict = UrlVerdict(False, "url.scheme", "there is no URL")
    for location in urls:
        if len(trail) > MAX_REDIRECTS:
            return UrlVerdict(False, "redirect.limit", "there are too many redirects")
        try:
            url = _follow(url, location)
            check_hop(trail, parse_url(url))
        except UrlFault as fault:
            return UrlVerdict(False, fault.rule, fault.reason)
        verdict = judge_url(url, resolve, allowed=allowed, closed_ports=closed_ports)
        if verdict.target is None or not verdict.allowed:
            return verdict
        trail.append(verdict.target)
    return verdict


def _follow(url: str, location: str) -> str:
    if not url or _ABSOLUTE.match(location):
        return location
    if not location.isprintable() or "\\" in location:
        # urljoin drops tabs and line breaks and browsers read \ as /: not clear.
        reason = "a redirect's location holds a backslash or control character"
        raise UrlFault("redirect.location", reason)
    try:
        return urljoin(url, location)
    except ValueError:
        reason = "a redirect's location is not a URL"
        raise UrlFault("redirect.location", reason) from None
