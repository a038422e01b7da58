"""Sends notices to the mobile app by Expo's push service."""

from __future__ import annotations

from letsbe.plugin import Notifier, Site, hookimpl
from letsbe_notifier_expo.notifier import ExpoNotifier
from letsbe_notifier_expo.settings import Settings

API_VERSION = (0, 1)

__all__ = ["API_VERSION", "ExpoNotifier", "Settings", "letsbe_notifiers"]


@hookimpl
def letsbe_notifiers(site: Site) -> list[Notifier]:
    """Register the notifier. Nothing is sent before it is used."""
    return [ExpoNotifier(Settings.model_validate(dict(site.settings)))]
