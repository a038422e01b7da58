"""Waits when asked how it is, and will not be cancelled."""

import asyncio

from letsbe.plugin import (
    Action,
    Arguments,
    Execution,
    Health,
    Result,
    Tier,
    ToolCall,
    Verdict,
    hookimpl,
)

API_VERSION = (0, 1)


class Nothing(Arguments):
    """No arguments."""


class Provider:
    actions = (Action("stubborn", "Do nothing.", Nothing, Tier.GREEN),)

    def classify(self, call: ToolCall) -> Verdict:
        return Verdict(Tier.GREEN, "stubborn", "does nothing")

    async def execute(self, call: ToolCall, verdict: Verdict, run: Execution) -> Result:
        return Result("done")

    async def check(self) -> Health:
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                continue


@hookimpl
def letsbe_executors() -> list[Provider]:
    return [Provider()]
