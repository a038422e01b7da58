"""The Sample adapter: lists, reads, writes and deletes the notes of a Sample server."""

from collections.abc import Iterable

from letsbe.plugin import Site, ToolAdapter, hookimpl
from letsbe_tool_sample.adapter import SAMPLE

API_VERSION = (0, 1)


@hookimpl
def letsbe_tool_adapters(site: Site) -> Iterable[ToolAdapter]:
    """Register an adapter for each Sample server of the tenant."""
    return SAMPLE.for_site(site)
