"""Takes every registered secret out of text, in any of its usual encodings."""

from letsbe.plugin import API_VERSION as API_VERSION
