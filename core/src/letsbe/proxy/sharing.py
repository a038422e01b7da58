"""What of a home folder the Secrets Proxy's own account may see.

It enters the folder without listing it, reads the configuration, the plugin set and
the vault's registry with its key, and writes usage. The rest is its owner's alone.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from letsbe.configuration import load_configuration
from letsbe.errors import ConfigurationError
from letsbe.home import Home
from letsbe.proxy.account import account_of
from letsbe.storage.database import Database
from letsbe.storage.home_schema import USAGE
from letsbe.storage.keys import create_key, load_key
from letsbe.storage.modes import sharing_group, too_open
from letsbe.vault.registry import Registry
from letsbe.vault.vault import Recorder, Vault


def prepare(home: Home) -> None:
    """Give a home what the proxy needs, and nobody more than that.

    Writes the vault's registry anew, makes the usage database, and sets the modes of
    what is shared, as the configuration says. Done again, it mends what is missing.

    Args:
        home: A home folder, which is ours.

    Raises:
        ConfigurationError: The configuration or a key is missing or wrong, or we may
            not share with the proxy's account.
        StorageError: The vault cannot be read.
    """
    account = account_of(load_configuration(home).proxy)
    group = None if account is None else account.pw_gid
    for folder in (home.registry.parent, home.usage):
        folder.mkdir(mode=0o700, exist_ok=True)
    if not home.registry_key.exists():
        create_key(home.registry_key)
    share(home, group)
    with contextlib.closing(Database(home.database)) as database:
        open_vault(home, database).publish()
    # Again, for what was made meanwhile.
    open_usage(home).close()
    share(home, group)


def share(home: Home, group: int | None) -> None:
    """Set the modes of a home's folders and files.

    Args:
        home: The home folder.
        group: The group of the proxy's account; None if it has no account of its own.

    Raises:
        ConfigurationError: We are not in that group.
    """
    usage = sorted(home.usage.glob("*")) if home.usage.exists() else []
    wanted = [
        (home.folder, 0o710),
        (home.configuration, 0o640),
        (home.plugin_set, 0o640),
        (home.registry.parent, 0o2750),
        (home.registry, 0o640),
        (home.registry_key, 0o640),
        # What is made there belongs to the group too, whoever makes it.
        (home.usage, 0o2770),
        *((file, 0o660) for file in usage),
    ]
    for path, mode in wanted:
        with contextlib.suppress(FileNotFoundError):
            _set(path, mode if group is not None else mode & 0o700, group)


def _set(path: Path, mode: int, group: int | None) -> None:
    status = path.stat()
    if status.st_uid != os.geteuid():
        return  # the proxy's own, which it made itself
    try:
        if group is not None and status.st_gid != group:
            os.chown(path, -1, group)
        if stat.S_IMODE(path.stat().st_mode) != mode:
            path.chmod(mode)
    except OSError:
        message = (
            f"{path} cannot be shared with the Secrets Proxy's account: put the account"
            " that runs `letsbe up` into its group"
        )
        raise ConfigurationError(message) from None


def open_registry(home: Home) -> Registry:
    """Open a home's registry, as whoever it is shared with.

    Raises:
        ConfigurationError: Its key is missing or unsafe.
    """
    owner = home.folder.stat().st_uid
    try:
        group = sharing_group(home.registry.parent.stat())
    except FileNotFoundError:
        group = None
    key = load_key(home.registry_key, owner=owner, group=group)
    return Registry(home.registry, key, owner)


def open_vault(
    home: Home, database: Database, *, recorder: Recorder | None = None
) -> Vault:
    """Open a home's vault so that whatever changes it, the registry follows.

    Args:
        home: The home folder.
        database: Its database.
        recorder: Told of every change.

    Raises:
        ConfigurationError: A key is missing or unsafe.
    """
    key = load_key(home.vault_key)
    return Vault(database, key, recorder=recorder, registry=open_registry(home))


def open_usage(home: Home, *, read_only: bool = False) -> Database:
    """Open a home's usage.

    Args:
        home: The home folder.
        read_only: Whether changes are refused.

    Raises:
        StorageError: It cannot be used, or others may.
        ConfigurationError: Its folder is open to others.
    """
    try:
        folder = home.usage.stat()
    except OSError:
        message = f"{home.usage} cannot be opened: run `letsbe init`"
        raise ConfigurationError(message) from None
    group = sharing_group(folder)
    if too_open(folder, group, 0o770):
        message = f"{home.usage} is open to others: run `letsbe init`"
        raise ConfigurationError(message)
    if read_only and not home.usage_database.exists():
        message = f"{home.usage_database} does not exist: run `letsbe init` once"
        raise ConfigurationError(message)
    return Database(home.usage_database, read_only=read_only, schema=USAGE, group=group)
