"""The Portainer adapter: containers, images, volumes and stacks of an environment."""

from collections.abc import Iterable

from letsbe.plugin import Site, ToolAdapter, hookimpl
from letsbe_tool_portainer.adapter import PORTAINER

API_VERSION = (0, 1)


@hookimpl
def letsbe_tool_adapters(site: Site) -> Iterable[ToolAdapter]:
    """Register an adapter for each Portainer of the tenant."""
    return PORTAINER.for_site(site)
