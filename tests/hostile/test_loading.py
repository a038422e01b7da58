"""Plugins that fail to load: each fails alone, with a reason that keeps its secret."""

import logging
import sys
from collections.abc import Callable

import pytest

from letsbe.discovery.records import Kind, PluginRecord, Status
from letsbe.errors import ConfigurationError
from letsbe.plugin import _loading
from letsbe.plugin._facade import Plugins

CANARY = "canary-7f3a-not-to-be-seen"

Install = Callable[..., str]
Load = Callable[..., Plugins]


def found(plugins: Plugins, name: str) -> PluginRecord:
    return next(record for record in plugins.records if record.name == name)


FAILURES = [
    ("import_error", Status.LOAD_ERROR, "raised ImportError"),
    ("import_exit", Status.LOAD_ERROR, "raised SystemExit"),
    ("import_interrupt", Status.LOAD_ERROR, "raised KeyboardInterrupt"),
    ("missing_hook", Status.LOAD_ERROR, "does not implement letsbe_executors"),
    ("unknown_hook", Status.LOAD_ERROR, "no hook letsbe_befor_execute"),
    ("wrong_argument", Status.LOAD_ERROR, "an argument that its specification lacks"),
    ("newer_minor", Status.INCOMPATIBLE, "upgrade letsbe-core"),
    ("newer_major", Status.INCOMPATIBLE, "upgrade letsbe-core"),
    ("rubbish_version", Status.INCOMPATIBLE, "must declare API_VERSION"),
    ("no_version", Status.INCOMPATIBLE, "must declare API_VERSION"),
    (
        "register_raises",
        Status.LOAD_ERROR,
        "letsbe_executors failed: it raised Runtime",
    ),
    ("register_exits", Status.LOAD_ERROR, "letsbe_executors failed: it raised System"),
    ("register_endless", Status.LOAD_ERROR, "more than 256 objects"),
    ("settings", Status.CONFIG_ERROR, "[plugins.settings.settings] is wrong: address"),
    (
        "strict_settings",
        Status.CONFIG_ERROR,
        "[plugins.settings.strict_settings] is wrong: server.port",
    ),
    ("not_an_executor", Status.LOAD_ERROR, "Impostor, which is not an Executor: it"),
    (
        "property_raises",
        Status.LOAD_ERROR,
        "letsbe_executors failed: it raised Runtime",
    ),
]


@pytest.mark.parametrize(("name", "status", "reason"), FAILURES)
def test_a_plugin_fails_alone_and_keeps_its_secret(
    name: str,
    status: Status,
    reason: str,
    install: Install,
    load: Load,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    install("harmless")
    plugins = load(install(name), "harmless")
    record = found(plugins, name)
    assert record.status is status
    assert reason in record.reason
    assert found(plugins, "harmless").status is Status.ACTIVE
    assert list(plugins.catalog) == ["harmless"]
    assert CANARY not in repr(plugins.records) + caplog.text


@pytest.mark.parametrize("name", ["import_hang", "register_hangs"])
def test_a_plugin_that_never_returns_is_abandoned(
    name: str, install: Install, load: Load
) -> None:
    install("harmless")
    install(name)
    record = found(load(name, start_timeout=0.2), name)
    assert record.status is Status.LOAD_ERROR
    assert "did not return within 0.2 seconds" in record.reason
    assert list(load("harmless").catalog) == ["harmless"]


@pytest.mark.parametrize(
    ("attribute", "status", "reason"),
    [
        (":plugin", Status.ACTIVE, ""),
        (":Plugin", Status.LOAD_ERROR, "names a class: name a module or an object"),
        (":absent", Status.LOAD_ERROR, "cannot be imported: it raised AttributeError"),
        ("..", Status.LOAD_ERROR, "cannot be imported: it raised"),
    ],
)
def test_an_entry_point_may_name_an_object(
    attribute: str, status: Status, reason: str, install: Install, load: Load
) -> None:
    record = found(load(install("object", attribute=attribute)), "object")
    assert record.status is status
    assert reason in record.reason


def test_what_is_not_chosen_is_not_imported(install: Install, load: Load) -> None:
    install("import_exit")
    record = found(load(), "import_exit")
    assert record.status is Status.NOT_SELECTED
    assert "hostile_import_exit" not in sys.modules


def test_two_distributions_with_one_name_are_both_refused_unimported(
    install: Install, load: Load
) -> None:
    install("harmless")
    install("import_exit", plugin="twin", distribution="hostile-one")
    install("harmless", plugin="twin", distribution="hostile-two")
    plugins = load("twin", "harmless")
    twins = [record for record in plugins.records if record.name == "twin"]
    assert [record.status for record in twins] == [Status.DUPLICATE] * 2
    for record in twins:
        assert "hostile-one 1.0 and hostile-two 1.0" in record.reason
    assert "hostile_import_exit" not in sys.modules
    assert list(plugins.catalog) == ["harmless"]


def test_two_plugins_with_one_action_are_both_refused(
    install: Install, load: Load
) -> None:
    names = install("harmless"), install("collides"), install("health_waits")
    plugins = load(*names)
    for name in names[:2]:
        record = found(plugins, name)
        assert record.status is Status.DUPLICATE
        assert "the action harmless" in record.reason
        assert "executor/harmless" in record.reason
        assert "executor/collides" in record.reason
    assert list(plugins.catalog) == ["waits"]
    assert [type(e).__module__ for e in plugins.executors] == ["hostile_health_waits"]


def test_an_older_major_must_be_upgraded_itself(
    install: Install, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_loading, "API_VERSION", (1, 0))
    record = found(load(install("harmless")), "harmless")
    assert record.status is Status.INCOMPATIBLE
    assert record.reason == (
        "written for plugin API 0.1, while letsbe-core has 1.0: "
        "upgrade hostile-harmless"
    )


def test_an_older_minor_loads(
    install: Install, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_loading, "API_VERSION", (0, 7))
    record = found(load(install("harmless")), "harmless")
    assert (record.status, record.api_version) == (Status.ACTIVE, (0, 1))


def test_nothing_starts_without_a_chosen_redactor(
    install: Install, load: Load, caplog: pytest.LogCaptureFixture
) -> None:
    install("redactor", kind=Kind.REDACTOR)
    with pytest.raises(ConfigurationError) as caught:
        load("redactor", kind=Kind.REDACTOR)
    assert "redactor/redactor is load_error" in caught.value.message
    assert CANARY not in caught.value.message + caplog.text
    assert caught.value.__cause__ is None


def test_nothing_starts_without_a_chosen_redactor_that_is_not_installed(
    load: Load,
) -> None:
    with pytest.raises(ConfigurationError, match="redactor/gone is load_error"):
        load("gone", kind=Kind.REDACTOR)


def test_a_missing_executor_stops_nothing(install: Install, load: Load) -> None:
    plugins = load(install("harmless"), "gone")
    assert found(plugins, "gone").status is Status.LOAD_ERROR
    assert "not installed" in found(plugins, "gone").reason
    assert list(plugins.catalog) == ["harmless"]


def test_nothing_starts_without_a_plugin_that_holds_a_gate(
    install: Install, load: Load
) -> None:
    install("gate_broken")
    with pytest.raises(ConfigurationError, match="executor/gate_broken is load_error"):
        load("gate_broken")


def test_a_report_is_made_even_so(install: Install, load: Load) -> None:
    plugins = load(install("gate_broken"), strict=False)
    assert found(plugins, "gate_broken").status is Status.LOAD_ERROR
