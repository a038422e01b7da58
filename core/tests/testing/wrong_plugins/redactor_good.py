"""A layer that is in order: `key-` and digits."""

import re
from collections.abc import Iterable

from letsbe.plugin import Finding, RedactionLayer, hookimpl

API_VERSION = (0, 1)
KEY = re.compile(rb"key-[0-9]{6,}")


class Good:
    name = "good"
    order = 50

    def find(self, text: bytes) -> Iterable[Finding]:
        return [Finding(m.start(), m.end(), "key") for m in KEY.finditer(text)]


@hookimpl
def letsbe_redaction_layers() -> Iterable[RedactionLayer]:
    return [Good()]
