"""Raises a secret when asked how it is."""

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
CANARY = "canary-7f3a-not-to-be-seen"


class Nothing(Arguments):
    """No arguments."""


class Provider:
    actions = (Action("raises", "Do nothing.", Nothing, Tier.GREEN),)

    def classify(self, call: ToolCall) -> Verdict:
        return Verdict(Tier.GREEN, "raises", "does nothing")

    async def execute(self, call: ToolCall, verdict: Verdict, run: Execution) -> Result:
        return Result("done")

    async def check(self) -> Health:
        raise RuntimeError(CANARY)


@hookimpl
def letsbe_executors() -> list[Provider]:
    return [Provider()]
