"""The plugin's settings, ``[plugins.settings.email]``."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator


class Settings(BaseModel):
    """Where mail is handed in.

    Args:
        host: The submission server.
        port: Its port.
        security: ``tls`` from the start (usually port 465), ``starttls`` (587), or
            ``none``, which only a server on this machine may have.
        username: Who submits, if the server asks.
        password: Their password; in `hub.toml` best `{ "$file" = "PATH" }`.
        sender: What stands in From.
        timeout: Seconds that a message may take.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    host: str = Field(min_length=1)
    port: int = Field(587, ge=1, le=65_535)
    security: Literal["tls", "starttls", "none"] = "starttls"
    username: str | None = None
    password: SecretStr | None = None
    sender: str = Field(pattern=r"[^\s<>@\x00-\x1f]+@[^\s<>@\x00-\x1f]+")
    timeout: float = Field(20.0, gt=0, le=300)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.security == "none" and not _loopback(self.host):
            message = "security none is for a server on this machine alone"
            raise ValueError(message)
        if (self.username is None) is not (self.password is None):
            message = "username and password go together"
            raise ValueError(message)
        return self


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
