"""The plugin's settings, ``[plugins.settings.expo]``."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

_SERVICE = "https://exp.host"


class Settings(BaseModel):
    """How to reach Expo's push service.

    Args:
        access_token_file: A file with an access token, if the project demands one.
        service: Where it is; only ever changed to talk to a fake.
        timeout: Seconds that a request may take.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    access_token_file: Path | None = None
    service: str = _SERVICE
    timeout: float = Field(10.0, gt=0, le=120)

    @field_validator("service")
    @classmethod
    def _safe(cls, url: str) -> str:
        if url != _SERVICE and not url.startswith("http://127.0.0.1:"):
            message = "must be Expo's own, or a fake's on 127.0.0.1"
            raise ValueError(message)
        return url

    @field_validator("access_token_file")
    @classmethod
    def _is_file(cls, path: Path | None) -> Path | None:
        if path is not None and not path.is_file():
            message = "must be a file that holds the token"
            raise ValueError(message)
        return path

    @property
    def access_token(self) -> SecretStr | None:
        """The access token, read anew so that a rotated one is used at once."""
        if self.access_token_file is None:
            return None
        text = self.access_token_file.read_text(encoding="utf-8").strip()
        return SecretStr(text)
