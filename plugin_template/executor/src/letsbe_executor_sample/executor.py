"""The executor: one action, confined to the allowed roots."""

from __future__ import annotations

from letsbe.plugin import (
    Action,
    Arguments,
    Confinement,
    Example,
    Execution,
    Health,
    Result,
    Site,
    Tier,
    ToolCall,
    Verdict,
    measure,
)


class CountArguments(Arguments):
    """A file or folder."""

    path: str
    """Absolute, or relative to the first root."""


COUNT = Action(
    "sample_count",
    "Count the files and bytes below a path.",
    CountArguments,
    Tier.GREEN,
    idempotent=True,
    examples=(Example({"path": "."}, Tier.GREEN),),
)


class SampleExecutor:
    """Counts files and bytes.

    Args:
        site: What may be read.
    """

    actions = (COUNT,)

    def __init__(self, site: Site) -> None:
        self._confinement = Confinement(site.roots, site.forbidden)

    def classify(self, call: ToolCall) -> Verdict:
        """A count reads names and sizes; the walk to the path decides whether it may.

        Raises:
            PathRefused: The path ends outside the roots.
        """
        assert isinstance(call.arguments, CountArguments)
        with self._confinement.find(call.arguments.path) as place:
            plan = {"path": place.path}
        return Verdict(Tier.GREEN, "sample.count", "counts files", plan=plan)

    async def execute(self, call: ToolCall, verdict: Verdict, run: Execution) -> Result:
        """Count; a folder that changed meanwhile is looked at as it is now."""
        assert isinstance(call.arguments, CountArguments)
        closed = self._confinement.closed()
        with self._confinement.find(call.arguments.path) as place:
            found = measure(
                [place.path],
                recursive=True,
                counts=lambda path, _, status: not closed(status, path),
            )
        return Result({"files": found.files, "bytes": found.bytes})

    async def check(self) -> Health:
        """Say that it can always work."""
        return Health(True)
