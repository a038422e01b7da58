"""The Cal.com adapter: bookings, free times, event types and schedules."""

from collections.abc import Iterable

from letsbe.plugin import Site, ToolAdapter, hookimpl
from letsbe_tool_calcom.adapter import CALCOM

API_VERSION = (0, 1)


@hookimpl
def letsbe_tool_adapters(site: Site) -> Iterable[ToolAdapter]:
    """Register an adapter for each Cal.com of the tenant."""
    return CALCOM.for_site(site)
