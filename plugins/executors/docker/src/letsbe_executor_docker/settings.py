"""What the operator says about Docker: ``[plugins.settings.docker]``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from letsbe.plugin import ConfigurationError


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError("a folder has to be absolute")
    return path


Folder = Annotated[Path, AfterValidator(_absolute)]


class DockerSettings(BaseModel):
    """The plugin's settings."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    host: str = "unix:///var/run/docker.sock"
    """The Docker Engine to talk to; nothing that a call says leads elsewhere."""
    config: Folder | None = None
    """The folder of docker's own settings (DOCKER_CONFIG), with the credentials for
    registries; the user's own otherwise."""
    mounts: tuple[Folder, ...] = ()
    """Folders of the host that containers may have. Agents must not be able to make
    links in them. A mount of anything else is RED."""
    stacks: tuple[Folder, ...] = ()
    """Folders with compose files of the operator's own, that agents cannot write:
    what these declare is taken as meant. A working folder there is allowed too."""

    @property
    def socket(self) -> str | None:
        """The path of the Docker Engine's socket, if it is on this machine."""
        scheme, _, path = self.host.partition("://")
        return path if scheme == "unix" else None


def read_settings(settings: Mapping[str, Any]) -> DockerSettings:
    """Check the plugin's table of the configuration.

    Raises:
        ConfigurationError: A setting is unknown or wrong; the error names it.
    """
    try:
        return DockerSettings.model_validate(settings)
    except ValidationError as error:
        fields = ", ".join(
            ".".join(map(str, item["loc"]))
            for item in error.errors(include_input=False, include_url=False)
        )
        message = f"the settings of the plugin docker are wrong: {fields}"
        raise ConfigurationError(message) from None
