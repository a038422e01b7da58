"""A notifier that is in order: boxes in memory, one of which is dead."""

import uuid
from collections.abc import Iterable

import anyio

from letsbe.plugin import (
    AddressGone,
    Delivered,
    Health,
    InvalidRequest,
    Notifier,
    Site,
    TryLater,
    hookimpl,
)

API_VERSION = (0, 1)


class Good:
    name = "good"

    def __init__(self, *, away: bool = False) -> None:
        self.titles: list[str] = []
        self.away = away
        self._sent: set[str] = set()

    def check_address(self, address):
        name = address.strip()
        if not name.isidentifier() or len(name) > 32:
            raise InvalidRequest("address: a short name")
        return name

    async def send(self, address, notice):
        if self.away:
            raise TryLater("nothing answers")
        if address == "dead":
            raise AddressGone("there is no such box any more")
        await anyio.sleep(0)
        self.titles.append(notice.title)
        receipt = uuid.uuid4().hex
        self._sent.add(receipt)
        return receipt

    async def receipts(self, receipts):
        return {r: Delivered.DELIVERED for r in receipts if r in self._sent}

    async def check(self):
        return Health(not self.away, "nothing answers" if self.away else "")


@hookimpl
def letsbe_notifiers(site: Site) -> Iterable[Notifier]:
    return [Good()]
