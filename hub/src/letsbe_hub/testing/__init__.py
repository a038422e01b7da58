"""What tests of the Hub, and of what is built on it, start and throw away."""

from letsbe_hub.testing._nats import nats_server
from letsbe_hub.testing._postgresql import Postgresql, postgresql
from letsbe_hub.testing._programs import ProgramMissing, kill_family

__all__ = [
    "Postgresql",
    "ProgramMissing",
    "kill_family",
    "nats_server",
    "postgresql",
]
