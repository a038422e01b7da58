"""Waits when asked how it is."""

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
    actions = (Action("waits", "Do nothing.", Nothing, Tier.GREEN),)

    def classify(self, call: ToolCall) -> Verdict:
        return Verdict(Tier.GREEN, "waits", "does nothing")

    async def execute(self, call: ToolCall, verdict: Verdict, run: Execution) -> Result:
        return Result("done")

    async def check(self) -> Health:
        await asyncio.sleep(60)
        return Health(healthy=True)


@hookimpl
def letsbe_executors() -> list[Provider]:
    return [Provider()]
