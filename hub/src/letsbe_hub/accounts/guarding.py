"""Guessing is slowed down, and nobody can be locked out by it.

Failures are counted for each account and network together, so whoever guesses locks
out their own network. If many networks guess at one account, networks that the person
has not signed in from are refused as well; those that are known go on as always, and
from anywhere else a password reset by e-mail makes the network known.
"""

from __future__ import annotations

import hashlib
import time
from ipaddress import ip_address, ip_network

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from letsbe_hub.errors import RateLimited
from letsbe_hub.storage.tables.people import known_networks, sign_in_failures

FREE = 5
"""Failures before one has to wait."""
FIRST_WAIT = 30.0
LONGEST_WAIT = 3600.0
FORGOTTEN_SECONDS = 24 * 3600.0
FROM_ANYWHERE = 50
"""Failures from unknown networks within an hour, before all of them are refused."""
KNOWN_SECONDS = 180 * 86_400.0
_ANY = "*"
_PREFIXES = {4: 24, 6: 64}


def account_of(kind: str, email: str) -> str:
    """Return what failures are counted under, whether or not there is such a person."""
    return hashlib.sha256(f"{kind} {email}".encode()).hexdigest()


def network_of(address: str) -> str:
    """Return the network of an address: what one subscriber has."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    return str(ip_network(f"{parsed}/{_PREFIXES[parsed.version]}", strict=False))


def require_open(
    connection: sa.Connection, account: str, network: str, person_id: str | None
) -> None:
    """Make sure that another attempt is welcome.

    Raises:
        RateLimited: It is not; it says when it will be.
    """
    now = time.time()
    failures, last = _count(connection, account, network)
    wait = last + _wait(failures) - now
    if failures >= FREE and wait > 0:
        raise RateLimited.until(wait)
    if person_id is not None and is_known(connection, person_id, network):
        return
    everywhere, last = _count(connection, account, _ANY)
    if everywhere >= FROM_ANYWHERE and now - last < LONGEST_WAIT:
        raise RateLimited.until(LONGEST_WAIT - (now - last))


def failed(
    connection: sa.Connection, account: str, network: str, *, known: bool
) -> int:
    """Count a failure.

    Returns:
        How many unknown networks' failures there are now; zero from a known one.
    """
    _add(connection, account, network)
    if known:
        return 0
    return _add(connection, account, _ANY)


def take_back(
    connection: sa.Connection, account: str, network: str, *, known: bool
) -> None:
    """Take a failure back that was counted before the attempt was judged.

    It is counted first, so that many attempts at once do not all pass the door.
    """
    networks = [network] if known else [network, _ANY]
    connection.execute(
        sa.update(sign_in_failures)
        .where(
            sign_in_failures.c.account == account,
            sign_in_failures.c.network.in_(networks),
            sign_in_failures.c.failures > 0,
        )
        .values(failures=sign_in_failures.c.failures - 1)
    )


def succeeded(
    connection: sa.Connection, account: str, network: str, person_id: str
) -> None:
    """Forget the network's failures, and know it from now on."""
    connection.execute(
        sa.delete(sign_in_failures).where(
            sign_in_failures.c.account == account,
            sign_in_failures.c.network == network,
        )
    )
    know(connection, person_id, network)


def know(connection: sa.Connection, person_id: str, network: str) -> None:
    """Know a network as one that a person uses."""
    now = time.time()
    insert = _insert(connection, known_networks).values(
        person_id=person_id, network=network, last_at=now
    )
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["person_id", "network"], set_={"last_at": now}
        )
    )


def is_known(connection: sa.Connection, person_id: str, network: str) -> bool:
    """Say whether a person has signed in from a network in the last half year."""
    last = connection.scalar(
        sa.select(known_networks.c.last_at).where(
            known_networks.c.person_id == person_id,
            known_networks.c.network == network,
        )
    )
    return last is not None and last > time.time() - KNOWN_SECONDS


def _wait(failures: int) -> float:
    return float(min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(max(0, failures - FREE), 12)))


def _count(connection: sa.Connection, account: str, network: str) -> tuple[int, float]:
    row = connection.execute(
        sa.select(sign_in_failures).where(
            sign_in_failures.c.account == account,
            sign_in_failures.c.network == network,
        )
    ).first()
    if row is None or row.last_at < time.time() - FORGOTTEN_SECONDS:
        return 0, 0.0
    return row.failures, row.last_at


def _add(connection: sa.Connection, account: str, network: str) -> int:
    now = time.time()
    span = LONGEST_WAIT if network == _ANY else FORGOTTEN_SECONDS
    table = sign_in_failures
    insert = _insert(connection, table).values(
        account=account, network=network, failures=1, last_at=now
    )
    recent = table.c.last_at > now - span
    counted = sa.case((recent, table.c.failures + 1), else_=1)
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=["account", "network"],
            set_={"failures": counted, "last_at": now},
        )
    )
    return _count(connection, account, network)[0]


def _insert(
    connection: sa.Connection, table: sa.Table
) -> sqlite.Insert | postgresql.Insert:
    on_sqlite = connection.dialect.name == "sqlite"
    return sqlite.insert(table) if on_sqlite else postgresql.insert(table)
