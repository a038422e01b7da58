"""The ledger's settings, ``[plugins.settings.ledger]``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator


class Settings(BaseModel):
    """Where the ledger is.

    Args:
        path: Its file, an absolute path; the folder must be there.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    path: Path

    @field_validator("path")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        if not path.is_absolute():
            message = "must be an absolute path"
            raise ValueError(message)
        return path


def read_settings(table: Mapping[str, Any]) -> Settings:
    """Check the settings.

    Raises:
        ValidationError: A setting is missing or wrong; the core shows which.
    """
    return Settings.model_validate(dict(table))
