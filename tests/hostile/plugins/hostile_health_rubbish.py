"""Answers something else when asked how it is."""

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
    actions = (Action("rubbish", "Do nothing.", Nothing, Tier.GREEN),)

    def classify(self, call: ToolCall) -> Verdict:
        return Verdict(Tier.GREEN, "rubbish", "does nothing")

    async def execute(self, call: ToolCall, verdict: Verdict, run: Execution) -> Result:
        return Result("done")

    async def check(self) -> Health:
        return "fine"  # type: ignore[return-value]  # it is hostile


@hookimpl
def letsbe_executors() -> list[Provider]:
    return [Provider()]
