"""Tiers that the kernel enforces: a program gets no more than its tier allows."""

from letsbe.policy.sandbox._mechanism import Mechanism
from letsbe.policy.sandbox._sandbox import Sandbox
from letsbe.policy.sandbox._starting import Start
from letsbe.policy.sandbox._threads import SandboxFailed
from letsbe.policy.sandbox.access import Access, Grant, Level
from letsbe.policy.sandbox.settings import ResourceLimits, SandboxSettings

__all__ = [
    "Access",
    "Grant",
    "Level",
    "Mechanism",
    "ResourceLimits",
    "Sandbox",
    "SandboxFailed",
    "SandboxSettings",
    "Start",
]
