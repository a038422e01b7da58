"""Finds long random-looking strings that no rule knows."""

API_VERSION = (0, 1)
