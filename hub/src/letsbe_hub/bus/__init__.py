"""How one part of the Hub tells another, on this node or the next.

The bus carries wake-ups, never facts: whatever a message says stands in the database
first, and whoever misses one finds it there at the next look. So a bus that is down
makes the Hub slower and never wrong.
"""

from letsbe_hub.bus._local import Bus, LocalBus, Subscription, tenant_topic
from letsbe_hub.bus._nats import NatsBus
from letsbe_hub.bus._opening import open_bus

__all__ = [
    "Bus",
    "LocalBus",
    "NatsBus",
    "Subscription",
    "open_bus",
    "tenant_topic",
]
