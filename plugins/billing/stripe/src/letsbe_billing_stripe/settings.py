"""The plugin's settings, ``[plugins.settings.stripe]``."""

from __future__ import annotations

from collections.abc import Mapping

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

    Secrets stand in `hub.toml` best as `{ "$file" = "PATH" }`.

    Args:
        secret_key: The API key, ``sk_...`` or a restricted ``rk_...``.
        webhook_secrets: The endpoint's signing secret; two while one is being rotated.
        currency: Three lower-case letters.
        plans: The monthly price of each plan, in the currency's smallest unit.
        overage_price: The price of one overage unit, in the smallest unit.
        premium_price: The price of one premium unit, in the smallest unit.
        api_base: Where the API is; only ever changed to talk to a fake.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    secret_key: SecretStr
    webhook_secrets: tuple[SecretStr, ...] = Field(min_length=1)
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

    @field_validator("secret_key")
    @classmethod
    def _is_secret_key(cls, key: SecretStr) -> SecretStr:
        if not key.get_secret_value().startswith(PREFIXES):
            message = f"must begin with one of {', '.join(PREFIXES)}"
            raise ValueError(message)
        return key

    @property
    def live(self) -> bool:
        """Whether real money moves."""
        return self.secret_key.get_secret_value()[3:].startswith("live_")
