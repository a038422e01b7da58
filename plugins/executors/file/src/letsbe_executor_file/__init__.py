"""Reads, writes and lists files inside the allowed folders."""

API_VERSION = (0, 1)
