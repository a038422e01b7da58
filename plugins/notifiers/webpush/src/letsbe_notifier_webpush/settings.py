"""The plugin's settings, ``[plugins.settings.webpush]``."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
)
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

PUSH_SERVICES = (
    "fcm.googleapis.com",
    "updates.push.services.mozilla.com",
    "web.push.apple.com",
    ".push.apple.com",
    ".notify.windows.com",
)
"""The browsers' own push services; a name that begins with a dot stands for its
subdomains. A subscription comes from a browser, so its address is not trusted."""


class Settings(BaseModel):
    """How the Hub signs, and where it may send.

    Args:
        vapid_key: A private key on P-256, PEM; in `hub.toml` best
            `{ "$file" = "PATH" }`. The same for ever: browsers subscribe to its public
            half.
        contact: Whom a push service may write to, ``mailto:...`` or ``https:...``.
        services: Hosts that notices may be sent to, if not :data:`PUSH_SERVICES`.
        timeout: Seconds that a notice may take.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    vapid_key: SecretStr
    contact: str = Field(pattern=r"(mailto:[^@\s]+@[^@\s]+|https://\S+)")
    services: tuple[str, ...] = PUSH_SERVICES
    timeout: float = Field(10.0, gt=0, le=120)

    @field_validator("vapid_key")
    @classmethod
    def _is_key(cls, pem: SecretStr) -> SecretStr:
        _load(pem)
        return pem

    @property
    def signing_key(self) -> EllipticCurvePrivateKey:
        """The key, ready to sign."""
        return _load(self.vapid_key)


def _load(pem: SecretStr) -> EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(pem.get_secret_value().encode(), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(
        key.curve, SECP256R1
    ):
        message = "must be a private key on P-256, PEM, without a password"
        raise ValueError(message)
    return key
