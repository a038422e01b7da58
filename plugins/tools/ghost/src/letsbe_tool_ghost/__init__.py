"""The Ghost adapter: posts, pages, tags, members, files, and the site's settings."""

from collections.abc import Iterable

from letsbe.plugin import Site, ToolAdapter, hookimpl
from letsbe_tool_ghost.adapter import GHOST

API_VERSION = (0, 1)


@hookimpl
def letsbe_tool_adapters(site: Site) -> Iterable[ToolAdapter]:
    """Register an adapter for each Ghost site of the tenant."""
    return GHOST.for_site(site)
