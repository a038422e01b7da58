"""The NocoDB adapter: bases, tables and the records in them."""

from collections.abc import Iterable

from letsbe.plugin import Site, ToolAdapter, hookimpl
from letsbe_tool_nocodb.adapter import NOCODB

API_VERSION = (0, 1)


@hookimpl
def letsbe_tool_adapters(site: Site) -> Iterable[ToolAdapter]:
    """Register an adapter for each NocoDB of the tenant."""
    return NOCODB.for_site(site)
