"""Keeps contracts whole: a pytest plugin, installed with the core, that costs nothing.

A contract of :mod:`letsbe.testing` is inherited whole. Its tests can be marked as
expected to fail, with a reason, and a class can declare what it cannot do; they cannot
be replaced, skipped or left out. This module must not import the kit: it is loaded in
every run of pytest.
"""

from __future__ import annotations

import inspect
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

MARK = "__letsbe_contract__"
"""The attribute of a contract class that names its tests."""


def weakened(contract: type, child: type) -> list[str]:
    """Say how a class weakens the contract it inherits.

    Args:
        contract: The contract.
        child: The class that inherits it.

    Returns:
        One sentence for each test that was replaced or left out.
    """
    told = []
    for name in getattr(contract, MARK):
        mine = inspect.getattr_static(child, name, None)
        if mine is inspect.getattr_static(contract, name) or _expected_to_fail(mine):
            continue
        told.append(
            f"{child.__qualname__}.{name} replaces a test of {contract.__name__}: mark "
            "it xfail with a reason, or declare what the plugin cannot do"
        )
    return told


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse marks that skip a test of a contract."""
    import pytest  # noqa: PLC0415 - nothing is imported until pytest runs

    for item in items:
        contract = _contract_of(item)
        if contract is None:
            continue
        for mark in item.iter_markers():
            if mark.name in {"skip", "skipif"}:
                message = f"{item.nodeid}: a test of {contract} is not skipped"
                raise pytest.UsageError(message)
            if mark.name == "xfail" and not mark.kwargs.get("reason"):
                message = f"{item.nodeid}: xfail of a test of {contract} needs a reason"
                raise pytest.UsageError(message)


def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, Any, Any]:
    """Fail a test of a contract that skips itself, from a fixture for example."""
    report = yield
    contract = _contract_of(item)
    if contract and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid}: a test of {contract} is not skipped"
    return report


pytest_runtest_makereport.pytest_impl = {"wrapper": True}  # type: ignore[attr-defined]  # what pytest.hookimpl sets


def _contract_of(item: pytest.Item) -> str | None:
    owner = getattr(item, "cls", None)
    name = getattr(item, "originalname", None) or item.name
    if owner is None:
        return None
    return next(
        (c.__name__ for c in owner.__mro__ if name in vars(c).get(MARK, ())), None
    )


def _expected_to_fail(test: object) -> bool:
    marks = getattr(test, "pytestmark", [])
    return any(mark.name == "xfail" and mark.kwargs.get("reason") for mark in marks)
