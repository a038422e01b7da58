"""An executor that is in order: reads and writes a note, and waits."""

import subprocess
from collections.abc import Iterable
from pathlib import Path

import anyio

from letsbe.plugin import (
    Action,
    Arguments,
    Example,
    Executor,
    Health,
    PathRefused,
    Result,
    Site,
    Tier,
    Verdict,
    hookimpl,
)

API_VERSION = (0, 1)


class Note(Arguments):
    """A note."""

    path: str
    """The file."""


class Wait(Arguments):
    """A time."""

    seconds: float
    """How long."""


READ = Action(
    "read_note",
    "Read a note.",
    Note,
    Tier.GREEN,
    idempotent=True,
    examples=(Example({"path": "note.txt"}, Tier.GREEN),),
)
WAIT = Action(
    "wait",
    "Wait.",
    Wait,
    Tier.GREEN,
    examples=(Example({"seconds": 0.01}, Tier.GREEN),),
)


class Good:
    actions = (READ, WAIT)

    def __init__(self, site: Site) -> None:
        self.root = site.roots[0]

    def classify(self, call):
        if call.tool_name == "read_note":
            path = self.root / call.arguments.path
            if self.root not in path.resolve().parents:
                raise PathRefused("it is outside the workspace")
        return Verdict(Tier.GREEN, "good", "reads")

    async def execute(self, call, verdict, run):
        if call.tool_name == "wait":
            await anyio.sleep(call.arguments.seconds)
            return Result({})
        path = Path(self.root / call.arguments.path)
        return Result(path.read_text() if path.exists() else None)

    async def check(self):
        return Health(True)


@hookimpl
def letsbe_executors(site: Site) -> Iterable[Executor]:
    return [Good(site)]


assert subprocess
