"""A browser's subscription: where to send, and the keys to encrypt with."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePublicKey,
)

from letsbe.plugin import FieldError, InvalidRequest

_LONGEST = 2_048
_AUTH_BYTES = 16  # RFC 8291, 3.2


@dataclass(frozen=True, slots=True)
class Subscription:
    """A browser's subscription, as its ``PushSubscription.toJSON()`` gives it.

    Args:
        endpoint: Where to send. Whoever knows it may send, were it not for VAPID.
        p256dh: The browser's public key, in base64url.
        auth: The secret it shares with the sender, in base64url.
    """

    endpoint: str
    p256dh: str
    auth: str

    @property
    def text(self) -> str:
        """The address as it is stored."""
        keys = {"auth": self.auth, "p256dh": self.p256dh}
        return json.dumps({"endpoint": self.endpoint, "keys": keys}, sort_keys=True)

    @property
    def origin(self) -> str:
        """The scheme and host, the audience of the signature (RFC 8292, 2)."""
        parts = urlsplit(self.endpoint)
        return f"{parts.scheme}://{parts.netloc}"


def read_subscription(address: str, services: Sequence[str]) -> Subscription:
    """Read an address and make sure that it leads to a push service.

    Args:
        address: JSON.
        services: Hosts that are push services.

    Raises:
        InvalidRequest: It does not, or is no subscription.
    """
    try:
        read: Any = json.loads(address) if len(address) <= _LONGEST else None
        keys = read["keys"]
        found = Subscription(str(read["endpoint"]), keys["p256dh"], keys["auth"])
        EllipticCurvePublicKey.from_encoded_point(SECP256R1(), _decoded(found.p256dh))
        if len(_decoded(found.auth)) != _AUTH_BYTES:
            raise _wrong("address.keys.auth", "must be 16 bytes in base64url")
    except (ValueError, TypeError, KeyError, AttributeError):
        raise _wrong("address", "must be a browser's push subscription") from None
    if not _leads_to_a_service(found.endpoint, services):
        raise _wrong("address.endpoint", "leads to no push service that is known here")
    return found


def _leads_to_a_service(endpoint: str, services: Sequence[str]) -> bool:
    if not endpoint.isascii() or not endpoint.isprintable() or " " in endpoint:
        return False
    try:
        parts = urlsplit(endpoint)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    if f"{parts.scheme}://{parts.netloc}" in services:  # a local one, for tests
        return True
    if parts.scheme != "https" or parts.netloc != host:
        return False
    return any(
        host.endswith(name) if name.startswith(".") else host == name
        for name in services
    )


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars="-_", validate=True)


def _wrong(field: str, message: str) -> InvalidRequest:
    return InvalidRequest(f"{field}: {message}", details=(FieldError(field, message),))
