"""Writes notices to the log, for a Hub without mail and for operators."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit, urlunsplit

from letsbe.plugin import (
    ConfigurationError,
    Delivered,
    FieldError,
    Health,
    InvalidRequest,
    Notice,
    Notifier,
    Site,
    hookimpl,
)

API_VERSION = (0, 1)

_LOG = logging.getLogger(__name__)
_LONGEST = 64


class LogNotifier:
    """A :class:`letsbe.plugin.Notifier` whose addresses are names in the log.

    A link is written without its query and fragment: they may hold a one-time token,
    which has no place in a log.
    """

    name = "log"

    def check_address(self, address: str) -> str:
        """Take any short printable name."""
        if not 0 < len(address.strip()) <= _LONGEST or not address.isprintable():
            message = f"address: a printable name of at most {_LONGEST} characters"
            raise InvalidRequest(message, details=(FieldError("address", message),))
        return address.strip()

    async def send(self, address: str, notice: Notice) -> str | None:
        """Write one line."""
        level = logging.WARNING if notice.urgent else logging.INFO
        _LOG.log(
            level,
            "notice %s (%s) to %s: %s %s",
            notice.key,
            notice.category,
            address,
            _one_line(notice.title),
            _bare(notice.url),
        )
        return None

    async def receipts(self, receipts: Sequence[str]) -> Mapping[str, Delivered]:
        """Know of none: a line that was written is there."""
        return {}

    async def check(self) -> Health:
        """Always can."""
        return Health(healthy=True)


def _one_line(text: str) -> str:
    """Let a text neither begin another line nor speak to a terminal."""
    return "".join(c if c.isprintable() else " " for c in text)


def _bare(url: str | None) -> str:
    if url is None:
        return ""
    scheme, host, path, _, _ = urlsplit(url)
    return urlunsplit((scheme, host, path, "", ""))


@hookimpl
def letsbe_notifiers(site: Site) -> list[Notifier]:
    """Register the notifier. It has no settings."""
    if site.settings:
        details = tuple(FieldError(name, "unknown") for name in site.settings)
        raise ConfigurationError("the log has no settings", details=details)
    return [LogNotifier()]
