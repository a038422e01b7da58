"""A billing backend that is in order, in memory."""

from collections.abc import Iterable

from letsbe.plugin import BillingBackend, Health, Rejected, Site, hookimpl

API_VERSION = (0, 1)


class Good:
    name = "good"
    remembers = None
    accepts_back = 30 * 86_400

    def __init__(self, now: int = 0) -> None:
        self.now = now
        self.accounts: dict[str, str] = {}
        self.units: dict[str, object] = {}
        self.money: dict[str, object] = {}

    async def open_account(self, account):
        return self.accounts.setdefault(account.id, f"cus_{account.id}")

    async def record(self, units):
        if type(units.quantity) is not int:
            raise Rejected("no whole number")
        if units.at < self.now - self.accepts_back:
            raise Rejected("too old")
        self.keep(self.units, units)

    async def recorded(self, customer, meter, start, end):
        return sum(
            u.quantity
            for u in self.units.values()
            if (u.customer, u.meter) == (customer, meter) and start <= u.at < end
        )

    async def adjust(self, adjustment):
        if type(adjustment.amount) is not int or len(adjustment.currency) != 3:
            raise Rejected("no money")
        self.keep(self.money, adjustment)

    def keep(self, kept, line):
        if not 1 <= len(line.key) <= 100:
            raise Rejected("no key")
        if line.customer not in self.accounts.values():
            raise Rejected("no such customer")
        if kept.setdefault(line.key, line) != line:
            raise Rejected("another line has that key")

    async def check(self):
        return Health(True)


@hookimpl
def letsbe_billing_backends(site: Site) -> Iterable[BillingBackend]:
    return [Good()]
