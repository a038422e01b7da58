"""The Stalwart adapter: mailboxes, domains, lists and the queue of a mail server."""

from collections.abc import Iterable

from letsbe.plugin import Site, ToolAdapter, hookimpl
from letsbe_tool_stalwart.adapter import STALWART

API_VERSION = (0, 1)


@hookimpl
def letsbe_tool_adapters(site: Site) -> Iterable[ToolAdapter]:
    """Register an adapter for each Stalwart of the tenant."""
    return STALWART.for_site(site)
