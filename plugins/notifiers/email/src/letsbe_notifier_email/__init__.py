"""Sends notices by e-mail over SMTP."""

from __future__ import annotations

from letsbe.plugin import Notifier, Site, hookimpl
from letsbe_notifier_email.notifier import EmailNotifier
from letsbe_notifier_email.settings import Settings

API_VERSION = (0, 1)

__all__ = ["API_VERSION", "EmailNotifier", "Settings", "letsbe_notifiers"]


@hookimpl
def letsbe_notifiers(site: Site) -> list[Notifier]:
    """Register the notifier. Nothing is sent before it is used."""
    return [EmailNotifier(Settings.model_validate(dict(site.settings)))]
