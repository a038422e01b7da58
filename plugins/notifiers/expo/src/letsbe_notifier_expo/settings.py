"""The plugin's settings, ``[plugins.settings.expo]``."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

_SERVICE = "https://exp.host"


class Settings(BaseModel):
    """How to reach Expo's push service.

    Args:
        access_token: If the project demands one; in `hub.toml` best
            `{ "$file" = "PATH" }`.
        service: Where it is; only ever changed to talk to a fake.
        timeout: Seconds that a request may take.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    access_token: SecretStr | None = None
    service: str = _SERVICE
    timeout: float = Field(10.0, gt=0, le=120)

    @field_validator("service")
    @classmethod
    def _safe(cls, url: str) -> str:
        if url != _SERVICE and not url.startswith("http://127.0.0.1:"):
            message = "must be Expo's own, or a fake's on 127.0.0.1"
            raise ValueError(message)
        return url
