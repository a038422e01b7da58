"""The account of its own that the Secrets Proxy may run under."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from letsbe.configuration import ProxySettings
from letsbe.errors import ConfigurationError


def account_of(settings: ProxySettings) -> pwd.struct_passwd | None:
    """Return the proxy's own account; None if it has none.

    Args:
        settings: The proxy's.

    Raises:
        ConfigurationError: This system has no such account.
    """
    if settings.user is None:
        return None
    try:
        return pwd.getpwnam(settings.user)
    except KeyError:
        message = (
            f"there is no account {settings.user}, under which the Secrets Proxy is to"
            f" run: make it (`useradd --system {settings.user}`), or take `user` out of"
            " [proxy]"
        )
        raise ConfigurationError(message) from None


def starts_with_wrapper(settings: ProxySettings) -> bool:
    """Say whether ``letsbe up`` starts the proxy.

    Only root can start something as somebody else; else a service of the system does.
    """
    return settings.user is None or os.geteuid() == 0


def owns(folder: Path) -> bool:
    """Say whether a home folder is ours; what is not there belongs to nobody.

    Raises:
        ConfigurationError: It cannot be looked at.
    """
    try:
        return folder.stat().st_uid == os.geteuid()
    except FileNotFoundError:
        return False
    except OSError:
        message = f"{folder} cannot be opened: check who may enter the folders above it"
        raise ConfigurationError(message) from None


def become(settings: ProxySettings) -> None:
    """Go on as the proxy's own account, if it has one, and never back.

    Raises:
        ConfigurationError: We are another account, and not root.
    """
    account = account_of(settings)
    if account is None or account.pw_uid == os.geteuid():
        return
    if os.geteuid() != 0:
        message = (
            f"the Secrets Proxy runs as {account.pw_name}: start it as that account"
            " (`letsbe openclaw units` writes a service), or take `user` out of [proxy]"
        )
        raise ConfigurationError(message)
    os.initgroups(account.pw_name, account.pw_gid)
    os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
    os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
