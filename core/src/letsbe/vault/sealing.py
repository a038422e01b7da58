"""Sealing values: ChaCha20-Poly1305, bound to what the value belongs to."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from typing import TYPE_CHECKING

from letsbe.errors import ConfigurationError
from letsbe.storage.keys import KEY_BYTES

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

NONCE_BYTES = 12
"""RFC 8439, section 2.8. At random, 2^32 seals under one key stay safe; a vault
makes thousands."""


class NotSealedHere(Exception):
    """The bytes, or what they are bound to, are not what was sealed with this key."""


class Sealer:
    """Seals and opens values with one key.

    Args:
        key: 32 bytes. Values and fingerprints each get their own key from it.

    Raises:
        ConfigurationError: The key has another length.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            message = f"the vault's key has {KEY_BYTES} bytes: run `letsbe init`"
            raise ConfigurationError(message)
        self._value_key = _derive(key, b"letsbe vault values 1")
        self._fingerprint_key = _derive(key, b"letsbe vault fingerprints 1")

    def seal(self, value: str, bound_to: tuple[object, ...]) -> bytes:
        """Encrypt a value.

        Args:
            value: The secret text.
            bound_to: Name, version and scopes: as JSON the associated data, without
                which the value does not open.

        Returns:
            The nonce, then the ciphertext with its tag.
        """
        nonce = secrets.token_bytes(NONCE_BYTES)
        data = value.encode("utf-8")
        return nonce + self._cipher().encrypt(nonce, data, _associated(bound_to))

    def open(self, sealed: bytes, bound_to: tuple[object, ...]) -> str:
        """Decrypt a value.

        Raises:
            NotSealedHere: Anything of it was changed or moved, or the key is another.
        """
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - slow to load

        nonce, ciphertext = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            opened = self._cipher().decrypt(nonce, ciphertext, _associated(bound_to))
        except (InvalidTag, ValueError):
            raise NotSealedHere from None
        return opened.decode("utf-8")

    def fingerprint(self, value: str) -> str:
        """Return 12 hexadecimal digits that are equal for equal values.

        Keyed, so that nobody without the key can try out values.
        """
        return _derive(self._fingerprint_key, value.encode("utf-8")).hex()[:12]

    def _cipher(self) -> ChaCha20Poly1305:
        from cryptography.hazmat.primitives.ciphers.aead import (  # noqa: PLC0415 - slow
            ChaCha20Poly1305,
        )

        return ChaCha20Poly1305(self._value_key)


def _derive(key: bytes, label: bytes) -> bytes:
    return hmac.new(key, label, hashlib.sha256).digest()


def _associated(bound_to: tuple[object, ...]) -> bytes:
    return json.dumps(bound_to, separators=(",", ":")).encode("ascii")
