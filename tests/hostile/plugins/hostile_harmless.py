"""Does all that is asked of it, among plugins that do not."""

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
    actions = (Action("harmless", "Do nothing.", Nothing, Tier.GREEN),)

    def classify(self, call: ToolCall) -> Verdict:
        return Verdict(Tier.GREEN, "harmless", "does nothing")

    async def execute(self, call: ToolCall, verdict: Verdict, run: Execution) -> Result:
        return Result("done")

    async def check(self) -> Health:
        return Health(healthy=True)


@hookimpl
def letsbe_executors() -> list[Provider]:
    return [Provider()]
