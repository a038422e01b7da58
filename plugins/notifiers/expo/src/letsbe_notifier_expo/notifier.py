"""Handing notices to Expo's push service, and asking what became of them.

Source: https://docs.expo.dev/push-notifications/sending-notifications/ (100 messages
and 1,000 receipts a request; receipts are there within about half an hour and kept for
a day; ``DeviceNotRegistered`` means that the token is dead).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from letsbe.plugin import (
    AddressGone,
    Delivered,
    FieldError,
    Health,
    InvalidRequest,
    Notice,
    Rejected,
    TryLater,
)
from letsbe_notifier_expo.settings import Settings

_TOKEN = re.compile(r"Expo(?:nent)?PushToken\[[A-Za-z0-9_-]{8,64}\]")
_RECEIPT = re.compile(r"[A-Za-z0-9-]{1,64}")
_MOST_RECEIPTS = 1_000
_BODY = 1_000  # characters; the whole message may have 4,096 bytes
_LATER = {"MessageRateExceeded", "TOO_MANY_REQUESTS", "ProviderError"}


class ExpoNotifier:
    """A :class:`letsbe.plugin.Notifier` whose addresses are Expo push tokens.

    Args:
        settings: How to reach the service.
    """

    name = "expo"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def check_address(self, address: str) -> str:
        """Take a push token."""
        if not _TOKEN.fullmatch(address.strip()):
            message = "address: an Expo push token, ExponentPushToken[...]"
            raise InvalidRequest(message, details=(FieldError("address", message),))
        return address.strip()

    async def send(self, address: str, notice: Notice) -> str | None:
        """Hand a notice in; returns the id of its receipt."""
        answer = await self._post("send", message_of(address, notice))
        ticket = answer.get("data")
        ticket = ticket[0] if isinstance(ticket, list) and ticket else ticket
        if not isinstance(ticket, dict):
            raise TryLater("Expo's answer holds no ticket")
        if ticket.get("status") == "ok":
            id_ = ticket.get("id")
            return id_ if isinstance(id_, str) and _RECEIPT.fullmatch(id_) else None
        raise _error(_code(ticket))

    async def receipts(self, receipts: Sequence[str]) -> Mapping[str, Delivered]:
        """Ask what became of notices, at most a thousand at a time."""
        told: dict[str, Delivered] = {}
        for start in range(0, len(receipts), _MOST_RECEIPTS):
            ids = list(receipts[start : start + _MOST_RECEIPTS])
            answer = await self._post("getReceipts", {"ids": ids})
            found = answer.get("data")
            if not isinstance(found, dict):
                raise TryLater("Expo's answer holds no receipts")
            told |= {id_: _became(found.get(id_)) for id_ in ids}
        return told

    async def check(self) -> Health:
        """Say whether the service answers and takes our token."""
        try:
            await self._post("getReceipts", {"ids": []})
        except (TryLater, Rejected) as error:
            return Health(False, error.message)
        return Health(healthy=True)

    async def _post(self, what: str, body: Mapping[str, Any]) -> dict[str, Any]:
        token = self._settings.access_token
        headers = {"accept": "application/json"}
        if token is not None:
            headers["authorization"] = f"Bearer {token.get_secret_value()}"
        url = f"{self._settings.service}/--/api/v2/push/{what}"
        try:
            async with httpx.AsyncClient(timeout=self._settings.timeout) as client:
                answer = await client.post(url, json=body, headers=headers)
                read = answer.json()
        except (httpx.HTTPError, ValueError):
            raise TryLater("Expo's push service gave no answer") from None
        _judge(answer)
        return read if isinstance(read, dict) else {}


def message_of(token: str, notice: Notice) -> dict[str, Any]:
    """Write a notice as Expo's service takes it."""
    body = notice.body if len(notice.body) <= _BODY else notice.body[: _BODY - 1] + "…"
    return {
        "to": token,
        "title": notice.title,
        "body": body,
        "data": {**notice.data, "url": notice.url, "key": notice.key},
        "categoryId": notice.category,
        "priority": "high" if notice.urgent else "default",
        "sound": "default" if notice.urgent else None,
        "ttl": max(0, notice.lifetime),
        "collapseId": notice.key[:64],
    }


def _became(receipt: object) -> Delivered:
    if not isinstance(receipt, dict):
        return Delivered.PENDING
    if receipt.get("status") == "ok":
        return Delivered.DELIVERED
    gone = _code(receipt) == "DeviceNotRegistered"
    return Delivered.GONE if gone else Delivered.FAILED


def _code(answer: Mapping[str, Any]) -> str:
    details = answer.get("details")
    code = details.get("error") if isinstance(details, dict) else None
    return code if isinstance(code, str) and code.isidentifier() else "unknown"


def _error(code: str) -> AddressGone | Rejected | TryLater:
    if code == "DeviceNotRegistered":
        return AddressGone("the app was removed from the device, or its token replaced")
    if code in _LATER:
        return TryLater(f"Expo asks to try later ({code})")
    return Rejected(f"Expo refuses the notice ({code})")


def _judge(answer: httpx.Response) -> None:
    status = answer.status_code
    if answer.is_success:
        return
    if status in {401, 403}:
        raise TryLater("Expo refuses the access token: check the settings")
    if status == 429 or status >= 500:
        after = answer.headers.get("retry-after", "")
        seconds = float(after) if after.isdigit() else None
        raise TryLater(f"Expo asks to try later ({status})", retry_after=seconds)
    raise Rejected(f"Expo refuses the request ({status})")
