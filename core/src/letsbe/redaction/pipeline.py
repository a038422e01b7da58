"""All redaction layers as one: bytes, text or JSON in, the same without secrets out."""

from __future__ import annotations

from collections.abc import Container, Sequence

from letsbe.errors import OutputWithheld
from letsbe.redaction.asking import ask_all, asked
from letsbe.redaction.documents import JSON, redact_document
from letsbe.redaction.finding import RedactionLayer
from letsbe.redaction.searching import Search
from letsbe.redaction.spans import Spans, resolve, splice
from letsbe.redaction.structure import keep_json


class Pipeline:
    """The layers of one process, in order.

    Safe to use from several threads if the layers are. The same input gives the same
    output as long as the registered secrets stay the same; redacting what was redacted
    changes nothing; JSON stays JSON.

    What the layers found in long texts is remembered by the SHA-256 of their blocks,
    so that a conversation's next turn costs little more than its new text.

    Args:
        layers: The active layers; they are sorted by their order, then their name.
    """

    def __init__(self, layers: Sequence[RedactionLayer]) -> None:
        ordered = sorted(layers, key=lambda layer: (layer.order, layer.name))
        self._search = Search(ordered)
        self._knowing = [each for each in asked(ordered) if each.naming is not None]

    def find(self, text: bytes) -> Spans:
        """Find what must be taken out of a text.

        Args:
            text: UTF-8, or bytes of unknown encoding.

        Returns:
            Spans in order, none overlapping another, none inside a placeholder.

        Raises:
            OutputWithheld: A layer failed, or found what cannot be.
        """
        spans = self._search.spans(text)
        if not spans:
            return spans
        return keep_json(text, resolve(text, spans, self._names()))

    def redact(self, text: bytes) -> bytes:
        """Take every secret out of a text.

        Args:
            text: UTF-8, or bytes of unknown encoding.

        Returns:
            The text without secrets; the same object if there were none.

        Raises:
            OutputWithheld: A layer failed, so nothing of the text may be seen.
        """
        spans = self.find(text)
        return splice(text, spans) if spans else text

    def registered(self, text: bytes) -> frozenset[str]:
        """Return the names of the registered secrets that a text holds, in any form.

        Args:
            text: UTF-8, or bytes of unknown encoding.

        Raises:
            OutputWithheld: No layer knows the registered secrets, or one failed.
        """
        if not self._knowing:
            message = (
                "No redaction layer here knows the registered secrets, so nothing can "
                "be said of them. Install letsbe-redactor-registry."
            )
            raise OutputWithheld(message)
        labels = ask_all(self._knowing, text).labels
        return frozenset(label.name for label in labels if label.name is not None)

    def redact_text(self, text: str) -> str:
        """Take every secret out of a string; as :meth:`redact`."""
        encoded = text.encode("utf-8", "surrogatepass")
        spans = self.find(encoded)
        if not spans:
            return text
        redacted = splice(encoded, spans)
        try:
            return redacted.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            # A layer's span cut a character in two; its rest is no character.
            return redacted.decode("utf-8", "replace")

    def redact_json(self, value: JSON, redacted: Container[bytes] = ()) -> JSON:
        """Take every secret out of a JSON value: strings, keys and numbers.

        Keys that become equal are told apart by a suffix, ``#2`` and so on.

        Args:
            value: Anything that JSON can hold.
            redacted: What :meth:`redact` has given back; a string of it is not looked
                at once more by itself, only as a part of the whole.

        Returns:
            The value without secrets; the same object if there were none.

        Raises:
            OutputWithheld: A layer failed, the value is nested too deeply, or it is
                not JSON.
        """
        return redact_document(value, self.redact, self.redact_text, redacted)

    def _names(self) -> frozenset[str]:
        names: frozenset[str] = frozenset()
        for each in self._knowing:
            try:
                known = frozenset(each.naming.names() if each.naming else ())
            except Exception:  # noqa: BLE001, S112 - knowing fewer names redacts more
                continue
            # There is nearly always one such layer; its names are not copied.
            names = names | known if names else known
        return names
