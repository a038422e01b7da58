"""Puts notices into a folder, a file each."""

from collections.abc import Iterable
from pathlib import Path

from letsbe.plugin import ConfigurationError, FieldError, Notifier, Site, hookimpl
from letsbe_notifier_sample.notifier import SampleNotifier

API_VERSION = (0, 1)


@hookimpl
def letsbe_notifiers(site: Site) -> Iterable[Notifier]:
    """Register the notifier; the setting ``path`` names its folder."""
    path = site.settings.get("path")
    if not isinstance(path, str):
        message = "the setting `path` must name a folder"
        raise ConfigurationError(message, details=(FieldError("path", message),))
    return [SampleNotifier(Path(path))]
