"""Finds the values of sensitive keys in JSON and in literals like it."""

API_VERSION = (0, 1)
