"""The plugin's settings, ``[plugins.settings.stripe]``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PositiveInt,
    SecretStr,
    field_validator,
)

PREFIXES = ("sk_test_", "sk_live_", "rk_test_", "rk_live_")
_API = "https://api.stripe.com"


class Settings(BaseModel):
    """How to reach Stripe and what things cost.

    Keys stand in files of their own, which only the Hub's user reads.

    Args:
        secret_key_file: A file with the API key, ``sk_...`` or a restricted ``rk_...``.
        webhook_secrets_file: A file with the endpoint's signing secret, one a line;
            two while one is being rotated.
        currency: Three lower-case letters.
        plans: The monthly price of each plan, in the currency's smallest unit.
        overage_price: The price of one overage unit, in the smallest unit.
        premium_price: The price of one premium unit, in the smallest unit.
        api_base: Where the API is; only ever changed to talk to a fake.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    secret_key_file: Path
    webhook_secrets_file: Path
    currency: str = Field("eur", pattern=r"[a-z]{3}")
    plans: Mapping[str, PositiveInt] = Field(min_length=1)
    overage_price: PositiveInt
    premium_price: PositiveInt = 1
    api_base: str = _API

    @field_validator("api_base")
    @classmethod
    def _safe(cls, url: str) -> str:
        if url != _API and not url.startswith("http://127.0.0.1:"):
            message = "must be Stripe's own, or a fake's on 127.0.0.1"
            raise ValueError(message)
        return url

    @field_validator("secret_key_file", "webhook_secrets_file")
    @classmethod
    def _read(cls, path: Path) -> Path:
        if not path.is_file() or not path.read_text(encoding="utf-8").strip():
            message = "must be a file that holds the secret"
            raise ValueError(message)
        return path

    @property
    def secret_key(self) -> SecretStr:
        """The API key, read anew so that a rotated one is used at once."""
        return SecretStr(self.secret_key_file.read_text(encoding="utf-8").strip())

    @property
    def webhook_secrets(self) -> tuple[SecretStr, ...]:
        """The signing secrets, any of which makes a webhook genuine."""
        lines = self.webhook_secrets_file.read_text(encoding="utf-8").split()
        return tuple(map(SecretStr, lines))

    @property
    def live(self) -> bool:
        """Whether real money moves."""
        return self.secret_key.get_secret_value()[3:].startswith("live_")
