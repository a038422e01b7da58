"""Runs classified command lines without a shell."""

API_VERSION = (0, 1)
