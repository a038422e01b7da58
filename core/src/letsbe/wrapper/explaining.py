"""Why a call is judged as it is, and what it would take: for the person who is asked.

None of this is part of a digest: an approval binds to what will run, and this only
tells about it.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, cast

from anyio import to_thread

from letsbe.plugin import Verdict
from letsbe.policy.autonomy import AgentPolicy, AutonomyLevel, permit
from letsbe.policy.classes import NoClass
from letsbe.redaction.pipeline import Pipeline
from letsbe.wrapper.cases import Case

MOST_ROWS = 200
"""The most rules, and the most paths, that an explanation holds."""
LONGEST = 2000
"""The most characters of one text in it."""
LONGEST_DIFFERENCE = 65_536
"""The most characters of the difference that a write makes."""


def explanation(case: Case, verdict: Verdict) -> dict[str, Any]:
    """Explain a verdict.

    Args:
        case: The call.
        verdict: What was found about it.

    Returns:
        ``rules``, every one that matched, with ``decided`` on the one that did;
        ``paths`` with their classes; ``levels``, what the gate would say at each,
        with the tool locked and unlocked; ``class``, what could be allowed beyond
        this call, or ``no_class``, why nothing could.
    """
    rows = [dict(row) for row in verdict.trace[:MOST_ROWS]] or [verdict.row()]
    deciding = next((row for row in rows if _decides(row, verdict)), None)
    if deciding is not None:
        deciding["decided"] = True
    told: dict[str, Any] = {
        "rules": rows,
        "paths": dict(list(verdict.paths.items())[:MOST_ROWS]),
        "levels": levels(case.call.tool_name, verdict),
    }
    try:
        told["class"] = case.call_class(verdict).text()
    except NoClass as error:
        told["no_class"] = error.message
    return cast(dict[str, Any], _bounded(told))


def levels(tool: str, verdict: Verdict) -> dict[str, dict[str, str]]:
    """Say what the gate would do at each level, with the tool locked and unlocked."""

    def outcome(level: AutonomyLevel, unlocked: frozenset[str]) -> str:
        if verdict.refused:
            return "refused"
        policy = AgentPolicy(level, unlocked)
        found = permit(tool, verdict.tier, external=verdict.external, policy=policy)
        return "run" if found.run else "ask"

    return {
        str(int(level)): {
            "locked": outcome(level, frozenset()),
            "unlocked": outcome(level, frozenset({tool})),
        }
        for level in AutonomyLevel
    }


async def preview(
    case: Case, verdict: Verdict, pipeline: Pipeline
) -> dict[str, Any] | None:
    """Ask the provider what a call would take or change, without doing it.

    Returns:
        ``summary``, ``detail``, ``difference`` and ``left_out``; ``None`` if the
        provider has nothing to say. To be redacted before it is stored.
    """

    def ask() -> Any:  # noqa: ANN401 - a Preview or nothing, turned into JSON
        told = case.offer.preview(case.call, verdict, pipeline.redact)
        return None if told is None else asdict(told)

    told = await to_thread.run_sync(ask, abandon_on_cancel=True)
    if told is None:
        return None
    difference = told.pop("difference")
    if isinstance(difference, str):
        difference = difference[:LONGEST_DIFFERENCE]
    return {**_bounded(told), "difference": difference}


def _decides(row: dict[str, Any], verdict: Verdict) -> bool:
    return (
        row.get("rule") == verdict.rule
        and bool(row.get("refused")) == verdict.refused
        and (verdict.refused or row.get("tier") == str(verdict.tier))
    )


def _bounded(value: Any) -> Any:  # noqa: ANN401 - any JSON
    """Make what a plugin gave into JSON of a size that can be stored and shown."""
    plain = json.loads(json.dumps(value, default=str, skipkeys=True))
    return _shortened(plain)


def _shortened(value: Any) -> Any:  # noqa: ANN401 - any JSON
    if isinstance(value, str):
        return value if len(value) <= LONGEST else f"{value[:LONGEST]}…"
    if isinstance(value, dict):
        return {key: _shortened(item) for key, item in list(value.items())[:MOST_ROWS]}
    if isinstance(value, list):
        return [_shortened(item) for item in value[:MOST_ROWS]]
    return value
