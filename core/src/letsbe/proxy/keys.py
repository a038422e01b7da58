"""The header that carries an upstream's key."""

from __future__ import annotations

from letsbe.errors import Refused
from letsbe.proxy.headers import Header
from letsbe.proxy.upstreams import Upstream
from letsbe.proxy.watching import WatchedVault


def key_headers(vault: WatchedVault, upstream: Upstream) -> list[Header]:
    """Return the header with an upstream's key; none if it has no key.

    Args:
        vault: Where the key is.
        upstream: Whose.

    Raises:
        UnknownSecret: The vault has no such secret.
        SecretOutOfScope: It is not meant for the proxy or for this upstream.
        Refused: It cannot stand in a header.
    """
    if upstream.secret is None:
        return []
    key = vault.key_for(upstream.secret, upstream.host).reveal().strip()
    if not (key.isascii() and key.isprintable()):
        message = f"the secret {upstream.secret} cannot stand in a header"
        raise Refused(message)
    return [(upstream.key_header, upstream.key_prefix + key.encode())]
