"""A Hub and three tenants' servers on this machine, with traffic, for all to see.

Everything is a real process with a home of its own in a folder that is thrown away:
what is printed is what they answered, and what was checked is said to be so or not.
"""

from letsbe_hub.demo.processes import DemoFailed
from letsbe_hub.demo.scenes import play

__all__ = ["DemoFailed", "play"]
