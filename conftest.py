"""What holds for every test of the workspace: in CI, a skipped test is a failure.

A machine that lacks a server or a program must not turn a test into nothing unseen.
Where a skip is right whatever the machine (a rule that does not bind root, a system
that is not Linux), the test says so with ``@pytest.mark.may_skip("why")``.
"""

import json
import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from letsbe.testing import VendorDocument

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


VENDOR_DOCUMENTS = Path(__file__).resolve().parents[1] / "shared" / "specs"
"""Where vendors' own API documents lie; they are theirs, and no part of the project."""


@pytest.fixture(scope="session")
def vendor_document() -> "Callable[[str], VendorDocument]":
    """Read a vendor's document by its path; skip the test where there is none."""
    from letsbe.testing import VendorDocument  # noqa: PLC0415 - not every test needs it

    def read(name: str) -> VendorDocument:
        file = VENDOR_DOCUMENTS / name
        if not file.exists():
            pytest.skip(f"the vendor's document {name} is not here")
        if file.suffix == ".json":
            return VendorDocument(json.loads(file.read_bytes()))
        import yaml  # noqa: PLC0415 - only where it is installed

        return VendorDocument(yaml.safe_load(file.read_bytes()))

    return read
