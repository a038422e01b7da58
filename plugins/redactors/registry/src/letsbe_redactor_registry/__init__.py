"""Takes every registered secret out of text, in any of its usual encodings."""

API_VERSION = (0, 1)
