"""``letsbe-hub clock``: what the Hub makes of this machine's clock, and an operator."""

from __future__ import annotations

import click

from letsbe.cli.output import json_option, print_facts, print_json, reporting
from letsbe_hub.cli.options import (
    ACTOR,
    checked,
    database_option,
    home_option,
    opened,
)
from letsbe_hub.home import HubHome


@click.group()
def clock() -> None:
    """Show what vouches for the clock, or say that it is right."""


@clock.command()
@home_option
@database_option
@json_option
@reporting
def show(home: HubHome, database: str | None, as_json: bool) -> None:
    """Show the time, and who vouches for it.

    Run it where the Hub runs. While its clock is doubted, the Hub closes no period,
    lets no approval expire and pauses nobody.
    """
    import time  # noqa: PLC0415 - with the others

    from letsbe_hub.api.bodies import rfc3339  # noqa: PLC0415 - slow to import
    from letsbe_hub.clock import hear  # noqa: PLC0415
    from letsbe_hub.witnesses import noted  # noqa: PLC0415

    now = time.time()
    with opened(home, database) as store:
        heard = store.read(lambda c: hear(c, now))
        past = store.read(lambda c: noted(c, now))
    against = heard.against() or past.doubt
    facts = {
        "time": rfc3339(now),
        "serversHeard": len(heard.skews),
        "serversAhead": None if heard.skew is None else round(heard.skew, 1),
        "kernelSynchronised": heard.synchronised,
        "databaseTime": None if heard.database is None else rfc3339(heard.database),
        "writtenLast": None if past.newest is None else rfc3339(past.newest),
        "vouchedBy": None if heard.against() else heard.vouching(),
        "against": None if not heard.against() and heard.vouching() else against,
    }
    if as_json:
        print_json(facts)
    else:
        print_facts(list(facts.items()))


@clock.command()
@click.option("--reason", required=True, help="How you know; for the record.")
@click.option("--yes", is_flag=True, help="Do not ask whether it is now that time.")
@home_option
@database_option
@json_option
@reporting
def confirm(
    reason: str, yes: bool, home: HubHome, database: str | None, as_json: bool
) -> None:
    """Say that this machine's clock is right.

    Compare it with another one first. Each node whose clock says the same goes on with
    what it left waiting, within a minute; what it does then cannot be taken back.
    """
    import time  # noqa: PLC0415 - with the others

    from letsbe_hub.api.bodies import WhyBody, rfc3339  # noqa: PLC0415 - slow to import
    from letsbe_hub.witnesses import confirm as note  # noqa: PLC0415

    checked(WhyBody, reason=reason)
    if not yes:
        click.confirm(f"Is it now {rfc3339(time.time())}?", abort=True, err=True)
    now = time.time()
    with opened(home, database) as store:
        store.write(lambda c: note(c, now, reason, ACTOR))
    if as_json:
        print_json({"confirmed": rfc3339(now)})
    else:
        click.echo(f"Noted: it is {rfc3339(now)}. A running Hub goes on by it.")
