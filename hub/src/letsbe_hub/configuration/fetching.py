"""The newest documents, for servers that ask for them: many in one look.

After an outage, or a change for a whole group, thousands ask at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from letsbe.hub_client.documents import Document, digest
from letsbe_hub.configuration.versions import INITIAL
from letsbe_hub.storage.group_commit import GroupCommit
from letsbe_hub.storage.store import Store
from letsbe_hub.storage.tables.configuration import config_versions as versions
from letsbe_hub.storage.tables.tenants import tenants
from letsbe_hub.tenants.keys import good


@dataclass(frozen=True, slots=True)
class Newest:
    """The configuration that is meant for a tenant.

    Args:
        version: Its number.
        digest: SHA-256 of its canonical text.
        document: The whole.
    """

    version: int
    digest: str
    document: Document


class Fetching:
    """Looks newest versions up.

    Args:
        store: The database.
    """

    def __init__(self, store: Store) -> None:
        self._looks = GroupCommit([store.read], _newest, "letsbe-configuration")

    async def newest(self, key_hash: str) -> Newest | None:
        """Return the newest version that is meant for the server with a key.

        Args:
            key_hash: The key's hash; looked up with the version, in one transaction.

        Returns:
            The version; None if the key is not good now.
        """
        return await self._looks.submit(key_hash)

    def close(self) -> None:
        """Stop looking up."""
        self._looks.close()


_FIRST = Newest(0, digest(INITIAL), INITIAL)


def _newest(
    connection: sa.Connection, hashes: Sequence[str]
) -> Sequence[Newest | None]:
    owners = good(connection, set(hashes))
    query = (
        sa.select(
            tenants.c.id,
            tenants.c.config_version,
            versions.c.digest,
            versions.c.document,
        )
        .outerjoin(
            versions,
            (versions.c.tenant_id == tenants.c.id)
            & (versions.c.version == tenants.c.config_version),
        )
        .where(tenants.c.id.in_(set(owners.values())))
    )
    found = {
        row[0]: Newest(*row[1:]) if row.config_version else _FIRST
        for row in connection.execute(query)
    }
    return [found.get(owners.get(each, "")) for each in hashes]
