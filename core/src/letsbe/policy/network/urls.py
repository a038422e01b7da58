"""URLs, read strictly: what two readers could take for two hosts is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass

from letsbe.errors import ConfigurationError
from letsbe.policy.network.hosts import UrlFault, read_host

__all__ = ["Origin", "Target", "UrlFault", "parse_url"]

_MAX_LENGTH = 65_536  # httpx reads no longer ones
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_AUTHORITY_END = re.compile(r"[/?#]")  # RFC 3986 section 3.2
_AUTHORITY = re.compile(r"(\[[^\]]*\]|[^\[\]:]*)(?::([0-9]{0,8}))?")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """A host and port that can be connected to.

    Args:
        host: As :func:`~letsbe.policy.network.hosts.read_host` gives it.
        port: 1 to 65535.
    """

    host: str
    port: int

    @classmethod
    def of_base_url(cls, url: str) -> Origin:
        """The origin of a tool's base URL, to be allowed.

        Args:
            url: A base URL that the operator configured.

        Raises:
            ConfigurationError: The URL is not accepted; the error says why.
        """
        try:
            return parse_url(url).origin
        except UrlFault as fault:
            message = f"A tool's base URL is not accepted: {fault.reason}"
            raise ConfigurationError(message) from None


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads.

    Args:
        scheme: ``http`` or ``https``.
        origin: The host and port, the scheme's own port if none is written.
    """

    scheme: str
    origin: Origin

    @property
    def authority(self) -> str:
        """The value of the Host header: brackets and port where they are due."""
        host = self.origin.host
        if ":" in host:
            host = f"[{host}]"
        if self.origin.port == _DEFAULT_PORTS[self.scheme]:
            return host
        return f"{host}:{self.origin.port}"


def parse_url(url: str) -> Target:
    """Read where a URL leads, or refuse it.

    Path, query and fragment are free (an ``@`` or a backslash there is nobody's
    host), but for control characters and lone surrogates, which no request can hold.

    Args:
        url: An absolute URL.

    Returns:
        The scheme, host and port.

    Raises:
        UrlFault: It is not http or https, has a user name, or its host or port can
            be read in more than one way.
    """
    if len(url) > _MAX_LENGTH:
        raise UrlFault("url.length", "the URL has more than 65,536 characters")
    if _CONTROLS.search(url):
        raise UrlFault("url.control", "the URL holds a control character; remove it")
    scheme, rest = _split_scheme(url)
    authority = _AUTHORITY_END.split(rest, maxsplit=1)[0]
    if "@" in authority:
        reason = "the URL holds a user name or password; send them in a header"
        raise UrlFault("url.userinfo", reason)
    match = _AUTHORITY.fullmatch(authority)
    if not match:
        reason = "the host and port are not of the form host:port or [IPv6]:port"
        raise UrlFault("url.authority", reason)
    port = int(match[2]) if match[2] else _DEFAULT_PORTS[scheme]
    if not 1 <= port <= 65_535:
        raise UrlFault("url.port", "the port is not a number from 1 to 65535")
    return Target(scheme, Origin(read_host(match[1]), port))


def _split_scheme(url: str) -> tuple[str, str]:
    match = _SCHEME.match(url)
    scheme = match[1].lower() if match else ""
    if match is None or scheme not in _DEFAULT_PORTS:
        raise UrlFault("url.scheme", "the URL does not start with http:// or https://")
    return scheme, url[match.end() :]
