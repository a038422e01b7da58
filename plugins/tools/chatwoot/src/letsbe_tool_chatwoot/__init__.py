"""The Chatwoot adapter: conversations, contacts and what a support team keeps there."""

from collections.abc import Iterable

from letsbe.plugin import Site, ToolAdapter, hookimpl
from letsbe_tool_chatwoot.adapter import CHATWOOT

API_VERSION = (0, 1)


@hookimpl
def letsbe_tool_adapters(site: Site) -> Iterable[ToolAdapter]:
    """Register an adapter for each Chatwoot of the tenant."""
    return CHATWOOT.for_site(site)
