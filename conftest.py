"""What holds for every test of the workspace: in CI, a skipped test is a failure.

A machine that lacks a server or a program must not turn a test into nothing unseen.
Where a skip is right whatever the machine (a rule that does not bind root, a system
that is not Linux), the test says so with ``@pytest.mark.may_skip("why")``.
"""

import os
from collections.abc import Generator

import pytest

IN_CI = os.environ.get("CI", "").lower() in {"1", "true"}


def _fail_if_skipped(
    report: pytest.TestReport | pytest.CollectReport, may_skip: bool
) -> None:
    expected_failure = hasattr(report, "wasxfail")
    if IN_CI and report.skipped and not expected_failure and not may_skip:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        report.outcome = "failed"
        report.longrepr = f"{report.nodeid} was skipped, which CI forbids: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test that was skipped in CI without leave."""
    report = yield
    _fail_if_skipped(report, item.get_closest_marker("may_skip") is not None)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[
    None, pytest.CollectReport, pytest.CollectReport
]:
    """Fail a module that skipped itself in CI: it cannot carry a mark."""
    report = yield
    _fail_if_skipped(report, may_skip=False)
    return report
