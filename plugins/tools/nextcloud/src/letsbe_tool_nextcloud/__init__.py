"""The Nextcloud adapter: files, shares, calendars, contacts and people."""

from collections.abc import Iterable

from letsbe.plugin import Site, ToolAdapter, hookimpl
from letsbe_tool_nextcloud.adapter import NEXTCLOUD

API_VERSION = (0, 1)


@hookimpl
def letsbe_tool_adapters(site: Site) -> Iterable[ToolAdapter]:
    """Register an adapter for each Nextcloud of the tenant."""
    return NEXTCLOUD.for_site(site)
