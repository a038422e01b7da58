"""Handing letters to the submission server."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import aiosmtplib

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
from letsbe_notifier_email.letters import letter
from letsbe_notifier_email.settings import Settings

_ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}"
)
_LONGEST = 254  # RFC 5321, 4.5.3.1.3, without the angle brackets
_NO_MAILBOX = re.compile(r"5\.1\.(1|2|3|6|10)\b")  # RFC 3463 and 7505
_NO_USER = {550, 551, 553}


class EmailNotifier:
    """A :class:`letsbe.plugin.Notifier` over SMTP.

    Args:
        settings: Where mail is handed in.
    """

    name = "email"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def check_address(self, address: str) -> str:
        """Take a plain address, without a name or comment; the host in lower case."""
        address = address.strip()
        if len(address) > _LONGEST or not _ADDRESS.fullmatch(address):
            message = "address: an e-mail address such as owner@example.com"
            raise InvalidRequest(message, details=(FieldError("address", message),))
        mailbox, _, host = address.rpartition("@")
        return f"{mailbox}@{host.lower()}"

    async def send(self, address: str, notice: Notice) -> str | None:
        """Hand a letter in."""
        message = letter(notice, self._settings.sender, address)
        try:
            async with self._client() as client:
                await client.send_message(message, recipients=[address])
        except aiosmtplib.SMTPRecipientsRefused as error:
            refused = error.recipients[0]
            raise _refused(refused.code, refused.message) from None
        except aiosmtplib.SMTPAuthenticationError:
            message_ = "the mail server refuses the password: check the settings"
            raise TryLater(message_) from None
        except aiosmtplib.SMTPResponseException as error:
            raise _refused(error.code, "") from None
        except (aiosmtplib.SMTPException, OSError):
            raise TryLater("the mail server cannot be reached now") from None
        return None

    async def receipts(self, receipts: Sequence[str]) -> Mapping[str, Delivered]:
        """Know of none: mail that cannot be delivered comes back as mail."""
        return {}

    async def check(self) -> Health:
        """Say whether the server lets us in."""
        try:
            async with self._client() as client:
                await client.noop()
        except aiosmtplib.SMTPAuthenticationError:
            return Health(False, "the mail server refuses the password")
        except (aiosmtplib.SMTPException, OSError):
            return Health(False, "the mail server cannot be reached")
        return Health(True, f"{self._settings.host}:{self._settings.port}")

    def _client(self) -> aiosmtplib.SMTP:
        settings, password = self._settings, self._settings.password
        return aiosmtplib.SMTP(
            hostname=settings.host,
            port=settings.port,
            use_tls=settings.security == "tls",
            start_tls=settings.security == "starttls",
            username=settings.username,
            password=None if password is None else password.get_secret_value(),
            timeout=settings.timeout,
        )


def _refused(code: int, text: str) -> AddressGone | Rejected | TryLater:
    """Say what a refusal means; 4xx is for now, 5xx for ever (RFC 5321, 4.2.1)."""
    if code < 500:
        return TryLater(f"the mail server asks to try later ({code})")
    if code in _NO_USER and (not text or _NO_MAILBOX.search(text) or "5." not in text):
        return AddressGone(f"the mail server knows no such mailbox ({code})")
    return Rejected(f"the mail server refuses the letter ({code})")
