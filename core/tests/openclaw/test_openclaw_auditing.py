from __future__ import annotations

from typing import Any

import pytest

from letsbe.errors import ConfigurationError
from letsbe.openclaw.auditing import (
    SEVERITIES,
    Accepted,
    Finding,
    accepted_findings,
    judged,
    read_report,
)

RULE = Accepted("a.check", "warn", "for a reason", "only this")


def report(*findings: dict[str, Any]) -> dict[str, Any]:
    summary = {s: sum(f["severity"] == s for f in findings) for s in SEVERITIES}
    return {"summary": summary, "findings": list(findings), "deep": {"gateway": {}}}


def finding(check: str = "a.check", severity: str = "warn") -> dict[str, Any]:
    told = {"checkId": check, "severity": severity, "title": "t"}
    return {**told, "detail": "it is only this", "remediation": "r"}


@pytest.mark.parametrize(
    ("row", "accepted"),
    [
        (finding(), True),
        (finding(severity="info"), True),
        (finding(severity="critical"), False),
        (finding(check="another.check"), False),
        ({**finding(), "detail": "it is something else"}, False),
    ],
)
def test_only_that_finding_is_accepted(row: dict[str, Any], accepted: bool) -> None:
    (found,) = judged(read_report(report(row)), [RULE])
    assert found.accepted == ("for a reason" if accepted else None)


def test_every_accepted_finding_says_why() -> None:
    for rule in accepted_findings():
        assert rule.severity in SEVERITIES[:2], "nothing critical is accepted"
        assert len(rule.reason) > 20
        probe = Finding(rule.check, rule.severity, "", rule.detail, "")
        assert judged([probe], [rule])[0].accepted


@pytest.mark.parametrize(
    "broken",
    [
        None,
        {},
        {"findings": []},
        {**report(finding()), "findings": []},
        {**report(finding()), "deep": None},
        {"ok": False, "error": {"message": "config is invalid"}, "issues": []},
        report(finding(severity="warn")) | {"summary": {}},
        report({**finding(), "severity": "warn"}) | {"findings": [{"checkId": "x"}]},
    ],
)
def test_a_report_of_another_form_is_no_all_clear(broken: Any) -> None:
    with pytest.raises(ConfigurationError):
        read_report(broken)


def test_a_severity_that_is_new_is_no_all_clear() -> None:
    row = {**finding(), "severity": "fatal"}
    with pytest.raises(ConfigurationError):
        read_report({**report(), "findings": [row]})
