"""The newest documents, for servers that ask for them: many in one look.

After an outage, or a change for a whole group, thousands ask at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from letsbe.hub_client.documents import Document, digest
from letsbe_hub.configuration.versions import INITIAL
from letsbe_hub.errors import LetsBeError, NotFound
from letsbe_hub.storage.group_commit import GroupCommit
from letsbe_hub.storage.store import Store
from letsbe_hub.storage.tables.configuration import config_versions as versions
from letsbe_hub.storage.tables.tenants import tenants


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

    async def newest(self, tenant_id: str) -> Newest:
        """Return a tenant's newest version.

        Raises:
            NotFound: There is no such tenant.
        """
        return await self._looks.submit(tenant_id)

    def close(self) -> None:
        """Stop looking up."""
        self._looks.close()


_FIRST = Newest(0, digest(INITIAL), INITIAL)


def _newest(
    connection: sa.Connection, tenant_ids: Sequence[str]
) -> Sequence[Newest | LetsBeError]:
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
        .where(tenants.c.id.in_(set(tenant_ids)))
    )
    found = {
        row[0]: Newest(*row[1:]) if row.config_version else _FIRST
        for row in connection.execute(query)
    }
    message = "there is no tenant of this id: list them to see the ids"
    return [found.get(each) or NotFound(message) for each in tenant_ids]
