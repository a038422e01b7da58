"""Ends the process when it is imported."""

API_VERSION = (0, 1)
CANARY = "canary-7f3a-not-to-be-seen"

raise SystemExit(CANARY)
