"""The providers that are forwarded to, and the way from a request's path to one."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from letsbe.configuration import UpstreamSettings
from letsbe.errors import ConfigurationError, InvalidRequest, NotFound
from letsbe.proxy.network import Origin

AGENTS = "/agents/"
"""A path may begin with this and an agent's name, for clients that cannot send a header
per agent: ``/agents/main/openai/v1``."""

GENERATION_HOSTS = frozenset({"openrouter.ai"})
"""Those known to tell of a generation afterwards."""

OWN_PATHS = frozenset({"/healthz", "/readyz"})
UNKNOWN_AGENT = "unknown"

_AGENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_PREFIX = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+", re.ASCII)
# RFC 3986, 3.3: the characters of a path, and of a query beside them.
_PATH = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*", re.ASCII)
_QUERY = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+,;=:@/?\[\]|-]|%[0-9A-Fa-f]{2})*")
# What a server behind us might take for a slash, a backslash or a percent sign.
_HIDDEN = re.compile(r"%(?:2f|5c|25|00)|\\", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Upstream:
    """One provider.

    Args:
        name: Its name in the configuration.
        prefix: The path under which it is offered, without a slash at its end.
        origin: Scheme, host and port.
        host: Its host name, for the scopes of secrets.
        authority: What the Host header says.
        base_path: The path that every request to it begins with, or nothing.
        secret: The vault's name of its key, if it has one.
        key_header: The header that carries the key, in lower case.
        key_prefix: What stands before the key in that header.
        generation_target: Where it tells of a generation afterwards, if it does.
    """

    name: str
    prefix: str
    origin: Origin
    host: str
    authority: bytes
    base_path: str
    secret: str | None
    key_header: bytes
    key_prefix: bytes
    generation_target: str | None


@dataclass(frozen=True, slots=True)
class Route:
    """Where one request goes.

    Args:
        upstream: To whom.
        target: The path and query that the upstream is asked for.
        path: The path after the upstream's prefix.
        agent_id: Whose request it is, if its path says so.
    """

    upstream: Upstream
    target: bytes
    path: str
    agent_id: str | None


class Upstreams:
    """The providers of one configuration.

    Args:
        settings: Their settings, by name.

    Raises:
        ConfigurationError: A setting is wrong, or two of them have one prefix.
    """

    def __init__(self, settings: Mapping[str, UpstreamSettings]) -> None:
        made = [_upstream(name, each) for name, each in settings.items()]
        prefixes = [upstream.prefix for upstream in made]
        for prefix in prefixes:
            if prefixes.count(prefix) > 1:
                message = f"proxy.upstreams has the prefix {prefix} twice"
                raise ConfigurationError(message)
        # The longest first, so that /openai/eu is not taken for /openai.
        self.all = tuple(sorted(made, key=lambda u: (-len(u.prefix), u.prefix)))
        """Every provider."""

    def route(self, raw_path: bytes, query: bytes) -> Route:
        """Find the upstream of a request, and what to ask it for.

        Args:
            raw_path: The path as it was sent.
            query: The query without its question mark.

        Raises:
            InvalidRequest: The path or query has a form that might lead elsewhere.
            NotFound: No upstream has such a prefix.
        """
        path = checked_path(raw_path)
        if not _QUERY.fullmatch(query):
            message = "the query has characters that a URL may not have"
            raise InvalidRequest(message)
        agent_id, path = _split_agent(path)
        for upstream in self.all:
            rest = path.removeprefix(upstream.prefix)
            if path.startswith(upstream.prefix) and rest[:1] in ("", "/"):
                target = (upstream.base_path + rest or "/").encode("ascii")
                full = target + b"?" + query if query else target
                return Route(upstream, full, rest, agent_id)
        message = (
            "no upstream is configured for this path: add one to [proxy.upstreams] in"
            " letsbe.toml"
        )
        raise NotFound(message)


def checked_path(raw_path: bytes) -> str:
    """Return a path that every server reads as one and the same.

    Raises:
        InvalidRequest: It is no absolute path, has segments ``.`` or ``..`` in any
            spelling, or hides a slash.
    """
    path = raw_path.decode("latin-1")
    if not _PATH.fullmatch(path) or _HIDDEN.search(path):
        message = "the path is not a plain absolute path"
        raise InvalidRequest(message)
    for segment in unquote(path).split("/"):
        # Some servers cut parameters off before they look for dots: `..;x`.
        if segment.split(";")[0].strip() in (".", ".."):
            message = "the path has segments that lead elsewhere"
            raise InvalidRequest(message)
    return path


def checked_agent(agent_id: str) -> str:
    """Return an agent's name.

    Raises:
        InvalidRequest: It is none.
    """
    if not _AGENT.fullmatch(agent_id):
        message = "an agent's name has up to 64 letters, digits, `_`, `.` and `-`"
        raise InvalidRequest(message)
    return agent_id


def _split_agent(path: str) -> tuple[str | None, str]:
    if not path.startswith(AGENTS):
        return None, path
    agent_id, slash, rest = path.removeprefix(AGENTS).partition("/")
    return checked_agent(agent_id), slash + rest


def _upstream(name: str, settings: UpstreamSettings) -> Upstream:
    where = f"proxy.upstreams.{name}"
    prefix = f"/{name}" if settings.prefix is None else settings.prefix.rstrip("/")
    taken = prefix in OWN_PATHS or f"{prefix}/".startswith(AGENTS)
    if taken or not _PREFIX.fullmatch(prefix):
        message = f"{where}.prefix is no path such as /{name}, or one that is taken"
        raise ConfigurationError(message)
    default = "x-api-key" if settings.api == "anthropic-messages" else "bearer"
    sent_as = (settings.send_key_as or default).lower()
    bearer = sent_as == "bearer"
    scheme, host, port, base_path = _checked_url(settings.base_url, where)
    shown = f"[{host}]" if ":" in host else host
    tells = settings.generation_data
    tells = host in GENERATION_HOSTS if tells is None else tells
    usual = port == {"http": 80, "https": 443}[scheme]
    return Upstream(
        name=name,
        prefix=prefix,
        origin=Origin(scheme, host, port),
        host=host,
        authority=(shown if usual else f"{shown}:{port}").encode(),
        base_path=base_path,
        secret=settings.secret,
        key_header=b"authorization" if bearer else sent_as.encode(),
        key_prefix=b"Bearer " if bearer else b"",
        generation_target=f"{base_path}/generation" if tells else None,
    )


def _checked_url(url: str, where: str) -> tuple[str, str, int, str]:
    wrong = f"{where}.base_url is no URL such as https://api.example.com/v1"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host = host.encode("idna").decode() if not host.isascii() else host
    except (ValueError, UnicodeError):
        raise ConfigurationError(wrong) from None
    extra = parts.query or parts.fragment or parts.username is not None
    if parts.scheme not in ("http", "https") or not host or extra:
        raise ConfigurationError(wrong)
    base_path = parts.path.rstrip("/")
    try:
        checked_path((base_path or "/").encode())
    except InvalidRequest:
        raise ConfigurationError(wrong) from None
    if parts.scheme == "http" and not _is_near(host):
        message = f"{where}.base_url must be https: the key would be sent in the clear"
        raise ConfigurationError(message)
    return (
        parts.scheme,
        host,
        port or {"http": 80, "https": 443}[parts.scheme],
        base_path,
    )


def _is_near(host: str) -> bool:
    """Tell whether a host is this machine or in a private network."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        # A name without dots is one of a container network or the hosts file.
        return "." not in host or host.endswith((".localhost", ".internal"))
    return address.is_loopback or address.is_private
