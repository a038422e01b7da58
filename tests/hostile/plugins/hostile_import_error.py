"""Cannot be imported."""

API_VERSION = (0, 1)
CANARY = "canary-7f3a-not-to-be-seen"

raise ImportError(CANARY)
