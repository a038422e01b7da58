"""Finds the keys of Sample."""

from collections.abc import Iterable

from letsbe.plugin import RedactionLayer, hookimpl
from letsbe_redactor_sample.layer import SampleLayer

API_VERSION = (0, 1)


@hookimpl
def letsbe_redaction_layers() -> Iterable[RedactionLayer]:
    """Register the layer."""
    return [SampleLayer()]
