"""``letsbe explain``: why a tool call is judged as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import click

from letsbe.cli.output import (
    home_option,
    json_option,
    print_facts,
    print_json,
    reporting,
)
from letsbe.home import Home

if TYPE_CHECKING:
    from letsbe.wrapper.opening import Wrapper
    from letsbe.wrapper.requests import ToolRequest


@click.command()
@click.argument("tool")
@click.argument("arguments", required=False, metavar="JSON")
@click.option("--agent", default="main", show_default=True, help="Who would call.")
@home_option
@json_option
@reporting
def explain(
    tool: str, arguments: str | None, agent: str, home: Home, as_json: bool
) -> None:
    """Explain what a tool call would do, and do nothing.

    Shows what would run, every rule that matches with a star at the one that decides,
    the class of each path, what happens at each autonomy level, what the call would
    take, and which class of calls could be allowed with it.
    """
    import anyio  # noqa: PLC0415 - slow to import

    from letsbe.cli.explained import print_explanation, print_preview  # noqa: PLC0415
    from letsbe.cli.lines import request_of  # noqa: PLC0415 - slow to import
    from letsbe.wrapper.opening import open_wrapper  # noqa: PLC0415

    request = request_of(tool, (arguments or "{}").encode(), "cli")
    with open_wrapper(home) as wrapper:
        told = anyio.run(explained, wrapper, request, agent)
    if as_json:
        print_json(told)
        return
    plan = told["plan"].items()
    print_facts(
        [
            ("tier", told["tier"]),
            ("external", "yes" if told["external"] else None),
            ("refused", "yes" if told["refused"] else None),
            ("rule", told["rule"]),
            ("reason", told["reason"]),
            ("instead", told["alternative"]),
            ("now", told["decision"]),
            *((f"will run: {name}", value) for name, value in plan),
        ]
    )
    print_explanation(told["explanation"])
    print_preview(told["preview"])


async def explained(
    wrapper: Wrapper, request: ToolRequest, agent: str
) -> dict[str, Any]:
    """Explain one call.

    Returns:
        The verdict, its ``plan``, the ``decision`` for this agent as things are, the
        ``explanation`` and the ``preview``, all redacted.

    Raises:
        LetsBeError: The call cannot even be judged: an unknown tool, wrong arguments,
            a path outside the roots, a secret that is not there.
    """
    dispatcher = wrapper.dispatcher
    case, verdict = dispatcher.examine(request, agent)
    told = {
        "tier": str(verdict.tier),
        "external": verdict.external,
        "refused": verdict.refused,
        "rule": verdict.rule,
        "reason": verdict.reason,
        "alternative": verdict.alternative,
        "decision": "refused, whoever approves",
        "plan": dict(verdict.plan),
        **await dispatcher.told(case, verdict),
    }
    if not verdict.refused:
        decision = dispatcher.decide(case, verdict)
        told["decision"] = f"{decision.outcome.value}: {decision.reason}"
    return cast(dict[str, Any], wrapper.pipeline.redact_json(told))
