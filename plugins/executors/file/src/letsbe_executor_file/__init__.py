"""Reads, writes and lists files inside the allowed folders."""

from letsbe.plugin import API_VERSION as API_VERSION
