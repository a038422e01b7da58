"""Keeps what is owed in a file of lines."""

from collections.abc import Iterable
from pathlib import Path

from letsbe.plugin import BillingBackend, ConfigurationError, FieldError, Site, hookimpl
from letsbe_billing_sample.backend import SampleBackend

API_VERSION = (0, 1)


@hookimpl
def letsbe_billing_backends(site: Site) -> Iterable[BillingBackend]:
    """Register the backend; the setting ``path`` names its file."""
    path = site.settings.get("path")
    if not isinstance(path, str):
        message = "the setting `path` must name a file"
        raise ConfigurationError(message, details=(FieldError("path", message),))
    return [SampleBackend(Path(path))]
