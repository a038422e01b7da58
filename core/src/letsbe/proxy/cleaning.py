"""Taking secrets out of everything that a request tells its upstream."""

from __future__ import annotations

import json
import re
from urllib.parse import unquote_to_bytes

from letsbe.errors import OutputWithheld, Refused
from letsbe.proxy.headers import Header
from letsbe.redaction.pipeline import Pipeline
from letsbe.redaction.spans import splice
from letsbe.vault.secret import RegisteredSecrets

REMEMBERED = 2048
"""Headers and paths that were clean; nearly all come again with every request."""

# Letters and digits that JSON need not escape, and no usual encoder does: somebody may
# be spelling a secret that way.
_SPELLED = re.compile(
    rb"\\u00(?:2[dD]|3[0-9]|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aA])"
)


class Cleaner:
    """Cleans requests.

    Args:
        pipeline: What finds the secrets.
        secrets: The registered secrets, whose version says when to look again.
    """

    def __init__(self, pipeline: Pipeline, secrets: RegisteredSecrets) -> None:
        self._pipeline = pipeline
        self._secrets = secrets
        self._version = secrets.version
        self._clean: set[bytes] = set()

    def body(self, body: bytes) -> bytes:
        """Take secrets out of a body.

        Args:
            body: JSON or text in UTF-8.

        Returns:
            The body; the same object if it was clean.

        Raises:
            OutputWithheld: It could not be searched.
        """
        clean = self._pipeline.redact(body)
        if _SPELLED.search(clean):
            return self._respelled(clean)
        return clean

    def headers(self, headers: list[Header]) -> list[Header]:
        """Take secrets out of header values; a header that is all secret is left out.

        Raises:
            OutputWithheld: One could not be searched.
        """
        cleaned: list[Header] = []
        for name, value in headers:
            line = name + b": " + value
            if self._was_clean(line):
                cleaned.append((name, value))
                continue
            redacted = self._redact(line)
            if redacted.startswith(name + b": "):
                cleaned.append((name, redacted[len(name) + 2 :]))
        return cleaned

    def check_target(self, target: bytes) -> None:
        """Refuse a path or query with a secret in it.

        Raises:
            Refused: There is one; a placeholder would only ask for something else.
            OutputWithheld: It could not be searched.
        """
        if self._was_clean(target):
            return
        plain = unquote_to_bytes(target)
        if self._redact(target) is not target or self._redact(plain) is not plain:
            message = (
                "the path or query holds a secret, so the request is not forwarded"
            )
            raise Refused(message)

    def check_agent(self, agent_id: str) -> None:
        """Refuse an agent's name with a secret in it: it is kept with its usage.

        Raises:
            Refused: There is one.
            OutputWithheld: It could not be searched.
        """
        name = agent_id.encode()
        if not self._was_clean(name) and self._redact(name) is not name:
            message = "the agent's name holds a secret, so the request is not forwarded"
            raise Refused(message)

    def answer(self, body: bytes) -> bytes:
        """Take registered secrets out of an upstream's error.

        Providers repeat the key they were called with when they reject it, and that
        key is not the client's to know.

        Raises:
            OutputWithheld: It could not be searched.
        """
        spans = [s for s in self._pipeline.find(body) if s.label.name is not None]
        return splice(body, spans) if spans else body

    def _respelled(self, body: bytes) -> bytes:
        """Look at what a JSON parser makes of a body; write it anew if that helps."""
        try:
            value = json.loads(body)
        except ValueError:
            return body
        except RecursionError:
            message = "the body is nested too deeply to be searched for secrets"
            raise OutputWithheld(message) from None
        redacted = self._pipeline.redact_json(value)
        if redacted is value:
            return body
        return json.dumps(redacted, separators=(",", ":")).encode()

    def _was_clean(self, text: bytes) -> bool:
        if self._secrets.version != self._version or len(self._clean) > REMEMBERED:
            self._version = self._secrets.version
            self._clean.clear()
        return text in self._clean

    def _redact(self, text: bytes) -> bytes:
        redacted = self._pipeline.redact(text)
        if redacted is text and len(text) <= 1024:
            self._clean.add(text)
        return redacted
