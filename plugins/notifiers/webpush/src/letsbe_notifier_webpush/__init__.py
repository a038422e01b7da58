"""Sends notices to browsers by Web Push, signed with VAPID."""

from __future__ import annotations

from letsbe.plugin import Notifier, Site, hookimpl
from letsbe_notifier_webpush.notifier import WebPushNotifier
from letsbe_notifier_webpush.settings import Settings

API_VERSION = (0, 1)

__all__ = ["API_VERSION", "Settings", "WebPushNotifier", "letsbe_notifiers"]


@hookimpl
def letsbe_notifiers(site: Site) -> list[Notifier]:
    """Register the notifier. Nothing is sent before it is used."""
    return [WebPushNotifier(Settings.model_validate(dict(site.settings)))]
