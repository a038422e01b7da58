"""The Hub's home folder, and what lies where in it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from letsbe.errors import ConfigurationError

ENVIRONMENT_VARIABLE = "LETSBE_HUB_HOME"

TEMPLATE = """\
# The Hub. Every setting stands here with its default; remove the `#` to change one.

[server]
# Anything but loopback needs a TLS proxy in front.
# host = "127.0.0.1"
# port = 3847
# The host names by which the Hub is called, besides loopback ones.
# names = []
# The most bytes of a request's body.
# body_limit = 1048576

[database]
# Else hub.db in this folder. For several nodes: postgresql://USER:PASSWORD@HOST/NAME,
# or where that stands: { "$file" = "/run/secrets/hub-database" }
# url = "sqlite:////PATH/hub.db"

[bus]
# Between several nodes: nats://HOST:4222
# url = "local"

[tenants]
# Seconds between two heartbeats of a server, and how often it pushes usage.
# heartbeat_seconds = 60
# usage_seconds = 300
# Seconds that a server may wait for news at once.
# wait_seconds = 25
# Heartbeats that a server may miss before it is late, and before it is disconnected.
# late_after = 2
# disconnected_after = 5
# Minutes that a registration token is good for.
# registration_minutes = 1440

[billing]
# The billing plugin that new accounts are billed by, and how: docs/billing.md.
# backend = "ledger"
# currency = "eur"
# at_limit = "pause"
# overage_unit_tokens = 1000
# overage_unit_price = 1
# included_models = ["*deepseek*", "*glm-*"]

[accounts]
# Whether staff may do nothing before they have a second factor.
# staff_second_factor = true
# The key that second factors are sealed with, the same on every node; else people.key
# in this folder: { "$file" = "/run/secrets/hub-people" }
# key = ""

[notices]
# The address of the pages that notices lead to: the Hub's own, as people reach it.
# With https:// its cookies are for TLS alone. Its host is one of [server] names.
# portal = "http://127.0.0.1:3847"

# One table per plugin, by its name. { "$file" = "PATH" } and { "$env" = "NAME" } stand
# for a secret that is kept elsewhere; it is taken out of every log.
# [plugins.settings.stripe]

[plugins.settings.ledger]
path = @LEDGER@
"""


@dataclass(frozen=True, slots=True)
class HubHome:
    """The places inside a home folder.

    Args:
        folder: The folder itself, mode 0700.
    """

    folder: Path

    @classmethod
    def default(cls) -> HubHome:
        """Return the home of ``$LETSBE_HUB_HOME``, else ``~/.letsbe-hub``."""
        named = os.environ.get(ENVIRONMENT_VARIABLE)
        return cls(Path(named) if named else Path.home() / ".letsbe-hub")

    @property
    def configuration(self) -> Path:
        """The configuration that a person edits."""
        return self.folder / "hub.toml"

    @property
    def database(self) -> Path:
        """The database, unless the configuration names another."""
        return self.folder / "hub.db"

    @property
    def people_key(self) -> Path:
        """The key that second factors are sealed with, unless it is configured."""
        return self.folder / "people.key"

    @property
    def plugin_set(self) -> Path:
        """Which of the installed plugins the Hub uses."""
        return self.folder / "plugins.json"


def make_home(home: HubHome) -> bool:
    """Make a home folder, if there is none yet; one that is there stays as it is.

    Returns:
        Whether it was made.

    Raises:
        ConfigurationError: It cannot be made.
    """
    from letsbe.discovery.finding import installed_set  # noqa: PLC0415 - slow to import
    from letsbe.discovery.plugin_set import write_plugin_set  # noqa: PLC0415
    from letsbe.discovery.records import Kind  # noqa: PLC0415

    try:
        home.folder.mkdir(mode=0o700, parents=True)
    except FileExistsError:
        if any(home.folder.iterdir()):
            return False
        home.folder.chmod(0o700)
    except OSError:
        message = f"{home.folder} cannot be made: choose another --home"
        raise ConfigurationError(message) from None
    kinds = (Kind.REDACTOR, Kind.BILLING, Kind.NOTIFIER)
    write_plugin_set(home.plugin_set, installed_set(kinds))
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(home.configuration, flags, 0o600), "w") as file:
        path = json.dumps(str(home.folder.absolute() / "ledger.db"))
        file.write(TEMPLATE.replace("@LEDGER@", path))
    return True
