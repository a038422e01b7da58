"""The one version of OpenClaw that all of this was tried with.

Its settings are strict and its plugin interface is declared experimental: an older one
opens where this one closes (2026.2.26 ignores an allowlist whose plugin is missing).
"""

from __future__ import annotations

PINNED_VERSION = "2026.9.6"
"""The version of the npm package ``openclaw``."""
