"""Runs classified command lines without a shell."""

from letsbe.plugin import API_VERSION as API_VERSION
