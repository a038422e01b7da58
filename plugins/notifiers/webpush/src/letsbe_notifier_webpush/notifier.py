"""Encrypting notices and handing them to push services.

Sources: RFC 8030 (the protocol), RFC 8291 (the encryption), RFC 8292 (VAPID).
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import httpx
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from letsbe.plugin import (
    AddressGone,
    Delivered,
    Health,
    Notice,
    Rejected,
    TryLater,
)
from letsbe_notifier_webpush.settings import Settings
from letsbe_notifier_webpush.subscriptions import Subscription, read_subscription

if TYPE_CHECKING:
    from py_vapid import Vapid02

_LARGEST = 3_800  # bytes that fit, encrypted, into the 4,096 of RFC 8030, 7.2
_BODY = 1_200  # characters
_GONE = {404, 410}  # RFC 8030, 7.3
_LATER = {408, 425, 429}
_TOKEN_SECONDS = 12 * 3600  # at most 24 hours (RFC 8292, 2)


class WebPushNotifier:
    """A :class:`letsbe.plugin.Notifier` whose addresses are push subscriptions.

    Args:
        settings: The signing key and the push services.
    """

    name = "webpush"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def public_key(self) -> str:
        """What a browser subscribes with (``applicationServerKey``)."""
        public = self._settings.signing_key.public_key()
        point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return base64.urlsafe_b64encode(point).rstrip(b"=").decode()

    def check_address(self, address: str) -> str:
        """Take a subscription whose endpoint is a browser's push service."""
        return read_subscription(address, self._settings.services).text

    async def send(self, address: str, notice: Notice) -> str | None:
        """Encrypt a notice for one browser and hand it to its service."""
        target = read_subscription(address, self._settings.services)
        content = _encrypted(target, payload_of(notice))
        try:
            async with httpx.AsyncClient(timeout=self._settings.timeout) as client:
                answer = await client.post(
                    target.endpoint,
                    content=content,
                    headers=self._headers(target, notice),
                )
        except httpx.HTTPError:
            raise TryLater("the push service cannot be reached now") from None
        _judge(answer)
        return None

    async def receipts(self, receipts: Sequence[str]) -> Mapping[str, Delivered]:
        """Know of none: push services offer receipts that browsers do not send."""
        return {}

    async def check(self) -> Health:
        """Say whether the key can sign."""
        self._signature("https://push.example")
        return Health(True, f"public key {self.public_key[:16]}…")

    def _headers(self, target: Subscription, notice: Notice) -> dict[str, str]:
        return {
            **self._signature(target.origin),
            "content-encoding": "aes128gcm",
            "content-type": "application/octet-stream",
            "ttl": str(max(0, notice.lifetime)),
            "urgency": "high" if notice.urgent else "normal",
            "topic": topic_of(notice),
        }

    def _signature(self, origin: str) -> dict[str, str]:
        expires = int(time.time()) + _TOKEN_SECONDS
        claims = {"aud": origin, "exp": expires, "sub": self._settings.contact}
        signed: dict[str, str] = _vapid(self._settings).sign(claims)
        return signed


def payload_of(notice: Notice) -> bytes:
    """Write what the browser's service worker shows; long bodies are cut.

    Raises:
        Rejected: Even so it does not fit.
    """
    body = notice.body if len(notice.body) <= _BODY else notice.body[: _BODY - 1] + "…"
    for text in (body, body[: _BODY // 4], ""):
        told = {
            "title": notice.title,
            "body": text,
            "url": notice.url,
            "tag": notice.key,
            "category": notice.category,
            "urgent": notice.urgent,
            "data": dict(notice.data),
        }
        content = json.dumps(told, ensure_ascii=False).encode()
        if len(content) <= _LARGEST:
            return content
    raise Rejected("the notice is too large for a push service")


def topic_of(notice: Notice) -> str:
    """Name the notice so that a waiting one of the same key is replaced.

    At most 32 characters of base64url (RFC 8030, 5.4).
    """
    digest = hashlib.sha256(notice.key.encode()).digest()
    return base64.urlsafe_b64encode(digest)[:32].decode()


def _encrypted(target: Subscription, content: bytes) -> bytes:
    from pywebpush import WebPusher  # noqa: PLC0415 - slow to import

    info = {
        "endpoint": target.endpoint,
        "keys": {"p256dh": target.p256dh, "auth": target.auth},
    }
    body: bytes = WebPusher(info).encode(content, "aes128gcm")["body"]
    return body


def _vapid(settings: Settings) -> Vapid02:
    from py_vapid import Vapid02  # noqa: PLC0415 - slow to import

    return Vapid02(private_key=settings.signing_key)


def _judge(answer: httpx.Response) -> None:
    status = answer.status_code
    if answer.is_success:
        return
    if status in _GONE:
        raise AddressGone(f"the browser's subscription has ended ({status})")
    if status in _LATER or status >= 500:
        after = answer.headers.get("retry-after", "")
        seconds = float(after) if after.isdigit() else None
        message = f"the push service asks to try later ({status})"
        raise TryLater(message, retry_after=seconds)
    raise Rejected(f"the push service refuses the notice ({status})")
