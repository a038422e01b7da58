"""Reads and updates .env files without showing their secrets."""

API_VERSION = (0, 1)
