"""Telling people: by whom, of what, by which channel, and within which time."""
