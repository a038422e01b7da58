"""Reads and updates .env files without showing their secrets."""

from letsbe.plugin import API_VERSION as API_VERSION
