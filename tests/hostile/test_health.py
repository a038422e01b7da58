"""Plugins that misbehave when asked how they are: none holds up the others."""

import logging
import time
from collections.abc import Callable

import pytest

from letsbe.discovery.records import Status
from letsbe.plugin import Health
from letsbe.plugin._facade import Plugins

CANARY = "canary-7f3a-not-to-be-seen"

Install = Callable[..., str]
Load = Callable[..., Plugins]

UNWELL = {
    "health_blocks": "did not return within",
    "health_stubborn": "did not return within",
    "health_waits": "it raised TimeoutError",
    "health_raises": "it raised RuntimeError",
    "health_exits": "it raised SystemExit",
    "health_rubbish": "gave a str instead of a Health",
    "health_poor": "no answer?from ?[31mport 9",
}


@pytest.mark.anyio
async def test_every_failure_is_its_own(
    install: Install, load: Load, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    plugins = load(*map(install, UNWELL), install("harmless"))
    began = time.monotonic()
    records = {record.name: record for record in await plugins.check(timeout=0.5)}
    assert time.monotonic() - began < 30
    for name, reason in UNWELL.items():
        assert records[name].status is Status.UNHEALTHY
        assert reason in records[name].reason
    assert records["harmless"].status is Status.ACTIVE
    assert {r.name: r for r in plugins.records} == records
    assert CANARY not in repr(records) + caplog.text


@pytest.mark.anyio
async def test_a_plugin_that_recovers_is_active_again(
    install: Install, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugins = load(install("health_raises"))
    assert Status.UNHEALTHY in {r.status for r in await plugins.check(timeout=1)}
    provider = plugins.executors[0]
    well = load(install("harmless")).executors[0]
    monkeypatch.setattr(provider, "check", well.check)
    assert Status.UNHEALTHY not in {r.status for r in await plugins.check(timeout=1)}


@pytest.mark.anyio
async def test_an_unhealthy_plugin_keeps_its_place_in_the_catalog(
    install: Install, load: Load
) -> None:
    plugins = load(install("health_raises"))
    await plugins.check(timeout=1)
    assert list(plugins.catalog) == ["raises"]


@pytest.mark.anyio
async def test_what_a_healthy_plugin_says_of_itself_is_shown(
    install: Install, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugins = load(install("harmless"))

    async def check() -> Health:
        return Health(True, "searches with \x1b[31mgrep")

    monkeypatch.setattr(plugins.executors[0], "check", check)
    record = {r.name: r for r in await plugins.check(timeout=1)}["harmless"]
    assert record.status is Status.ACTIVE
    assert not record.failed
    assert record.reason == "searches with ?[31mgrep"
