"""OpenClaw's own security audit, held against the findings that we accept."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from letsbe.errors import ConfigurationError
from letsbe.openclaw.program import Program
from letsbe.openclaw.roles import template
from letsbe.openclaw.settings import Places

SEVERITIES = ("info", "warn", "critical")


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding of the audit.

    Args:
        check: Which check made it.
        severity: One of :data:`SEVERITIES`.
        title: What it is, in a line.
        detail: More of it.
        remediation: What to do, as OpenClaw says.
        accepted: Why it is all right; ``None`` if it is not.
    """

    check: str
    severity: str
    title: str
    detail: str
    remediation: str
    accepted: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A finding that is all right.

    Args:
        check: Which check makes it.
        severity: How severe it may be at most.
        reason: Why it is all right.
        detail: What its text must hold.
    """

    check: str
    severity: str
    reason: str
    detail: str = ""

    def covers(self, finding: Finding) -> bool:
        """Whether this is that finding, no more severe than it may be."""
        return (
            finding.check == self.check
            and SEVERITIES.index(finding.severity) <= SEVERITIES.index(self.severity)
            and self.detail in finding.detail
        )


def accepted_findings() -> tuple[Accepted, ...]:
    """Return the list of findings that are all right."""
    rows = tomllib.loads(template("accepted-findings.toml"))["accepted"]
    return tuple(Accepted(**row) for row in rows)


def audit(program: Program, places: Places) -> tuple[Finding, ...]:
    """Run the audit on a state whose gateway is running.

    Args:
        program: The pinned OpenClaw.
        places: The state.

    Returns:
        Every finding, the accepted ones with the reason.

    Raises:
        ConfigurationError: It is another version, it could not be run, or what it
            printed is not the report of that version.
    """
    program.check_version()
    report = program.json(places, "security", "audit", "--deep", "--json", failing=True)
    return judged(read_report(report), accepted_findings())


def judged(
    findings: Iterable[Finding], accepted: Iterable[Accepted]
) -> tuple[Finding, ...]:
    """Mark the findings that are accepted.

    Args:
        findings: What was found.
        accepted: What is all right.
    """
    rules = tuple(accepted)
    return tuple(_judged(finding, rules) for finding in findings)


def read_report(report: Any) -> tuple[Finding, ...]:  # noqa: ANN401 - any JSON
    """Read what the audit printed.

    Raises:
        ConfigurationError: It has another form, so that findings could be missed, or
            it says that there was no audit.
    """
    if isinstance(report, dict) and "error" in report:
        message = "OpenClaw does not take its own configuration, so nothing was audited"
        instead = "run `letsbe openclaw configure`"
        raise ConfigurationError(message, alternative=instead)
    try:
        findings = tuple(map(_finding, report["findings"]))
        counted = sum(int(report["summary"][severity]) for severity in SEVERITIES)
    except (KeyError, TypeError, ValueError):
        raise _unreadable() from None
    if counted != len(findings) or report.get("deep") is None:
        raise _unreadable()
    return findings


def _finding(row: dict[str, Any]) -> Finding:
    severity = row["severity"]
    if severity not in SEVERITIES:
        raise ValueError(severity)
    return Finding(
        str(row["checkId"]),
        severity,
        str(row["title"]),
        str(row.get("detail", "")),
        str(row.get("remediation", "")),
    )


def _judged(finding: Finding, accepted: tuple[Accepted, ...]) -> Finding:
    reason = next((rule.reason for rule in accepted if rule.covers(finding)), None)
    return Finding(
        finding.check,
        finding.severity,
        finding.title,
        finding.detail,
        finding.remediation,
        reason,
    )


def _unreadable() -> ConfigurationError:
    message = "the audit's report is not of the form that the pinned version prints"
    return ConfigurationError(message)
