"""Connections that are opened to checked addresses only.

The check sits where the socket is opened, so nothing can be reached without it, and
the name stays what httpcore pools by, sends in SNI and checks the certificate against:
two names on one address never share a connection.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NoReturn

import anyio.to_thread
import httpcore
from typing_extensions import override

from letsbe.errors import UrlRefused
from letsbe.policy.network.addresses import read_address
from letsbe.policy.network.judgement import UrlVerdict
from letsbe.policy.network.urls import Origin


def system_resolve(host: str) -> Sequence[str]:
    """Look a name up as the operating system does.

    Args:
        host: A host name in ASCII.

    Returns:
        All of its addresses, IPv4 and IPv6, in the system's order of preference.

    Raises:
        OSError: There is no such name, or no name server answers.
    """
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


class CheckedBackend(httpcore.AsyncNetworkBackend):
    """Opens TCP connections after one look-up whose every answer is allowed.

    Args:
        judge: Looks the host up and says whether, and where, to connect. It may
            block; it is run in a thread.
    """

    def __init__(self, judge: Callable[[Origin], UrlVerdict]) -> None:
        self._judge = judge
        self._backend = httpcore.AnyIOBackend()

    @override
    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first checked address that answers.

        Args:
            host: A name or address from :func:`~letsbe.policy.network.urls.parse_url`.
            port: The port.
            timeout: Seconds for the look-up and all attempts together.
            local_address: As httpcore has it, like ``socket_options``.

        Returns:
            The open stream.

        Raises:
            UrlRefused: The host may not be connected to.
            httpcore.ConnectError: No address answers.
            httpcore.ConnectTimeout: The time is over.
        """
        end = None if timeout is None else time.monotonic() + timeout
        addresses = await self._checked_addresses(Origin(host, port), timeout)
        error: Exception = httpcore.ConnectError("no address")
        for waiting, address in zip(
            range(len(addresses), 0, -1), addresses, strict=True
        ):
            # An address that never answers must leave time for the next ones.
            share = None if end is None else max(0.0, end - time.monotonic()) / waiting
            try:
                return await self._backend.connect_tcp(
                    address, port, share, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as failure:
                error = failure
        raise error

    async def _checked_addresses(
        self, origin: Origin, seconds: float | None
    ) -> tuple[str, ...]:
        if read_address(origin.host):  # nothing is looked up, so nothing can block
            return _allowed(self._judge(origin))
        try:
            with anyio.fail_after(seconds):
                verdict = await anyio.to_thread.run_sync(
                    self._judge, origin, abandon_on_cancel=True
                )
        except TimeoutError:
            message = "the host name was not looked up in time"
            raise httpcore.ConnectTimeout(message) from None
        return _allowed(verdict)

    @override
    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> NoReturn:
        """Never connects: a URL given by someone else leads to no socket file.

        Raises:
            UrlRefused: Always.
        """
        raise UrlRefused("The request is refused: it would use a local socket.")

    @override
    async def sleep(self, seconds: float) -> None:
        """Wait.

        Args:
            seconds: How long.
        """
        await anyio.sleep(seconds)


def _allowed(verdict: UrlVerdict) -> tuple[str, ...]:
    if not verdict.allowed:
        raise UrlRefused(f"The request is refused: {verdict.reason}.")
    return verdict.addresses
