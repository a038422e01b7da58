"""What well-behaved plugins achieve through the facade, several of them together."""

import types
from pathlib import Path
from typing import Any

import click
import pytest

from letsbe.discovery.plugin_set import PluginSet
from letsbe.discovery.records import Kind, PluginRecord, Status
from letsbe.errors import ConfigurationError
from letsbe.plugin import (
    Action,
    Arguments,
    Decision,
    Finding,
    Outcome,
    Result,
    RuleBook,
    RuleTables,
    Site,
    Tier,
    ToolCall,
    UsageRecord,
    Verdict,
    hookimpl,
)
from letsbe.plugin._facade import Plugins, load_plugins
from letsbe.plugin._loading import Loaded, new_manager
from letsbe.plugin._objects import check_objects
from letsbe.testing import make_call

PROPOSED = Verdict(Tier.YELLOW, "cp", "copies", plan={"argv": ["cp"]}, work=object())
DECISION = Decision(Outcome.RUN, PROPOSED, "level 2")


def loaded(name: str, kind: Kind = Kind.EXECUTOR, **hooks: Any) -> Loaded:
    plugin = types.SimpleNamespace(
        **{f"letsbe_{hook}": hookimpl(function) for hook, function in hooks.items()}
    )
    manager = new_manager()
    manager.register(plugin)
    record = PluginRecord(kind, name, name, "1", "index", Status.ACTIVE)
    return Loaded(record, required=False, plugin=plugin, hooks=manager)


def plugins(*each: Loaded) -> Plugins:
    return Plugins(each, hook_timeout=5.0)


@pytest.fixture
def call() -> ToolCall:
    return make_call(Action("file_write", "Write.", Arguments), {})


def test_the_strictest_opinion_wins_and_external_adds_up(call: ToolCall) -> None:
    opinions = [
        None,
        Verdict(Tier.GREEN, "green", "harmless"),
        Verdict(Tier.RED, "red", "destroys", alternative="mv"),
        Verdict(Tier.YELLOW_EXTERNAL, "out", "sends", external=True),
    ]
    listeners = [
        loaded(f"p{n}", classify=lambda opinion=opinion: opinion)
        for n, opinion in enumerate(opinions)
    ]
    verdict = plugins(*listeners).classify(call, PROPOSED)
    assert (verdict.tier, verdict.rule, verdict.reason, verdict.alternative) == (
        Tier.RED,
        "red",
        "destroys",
        "mv",
    )
    assert verdict.external
    assert (verdict.plan, verdict.work) == (PROPOSED.plan, PROPOSED.work)


def test_a_refusal_by_verdict_stands(call: ToolCall) -> None:
    refusal = Verdict(Tier.GREEN, "hours", "the shop is open", refused=True)
    late = loaded("late", classify=lambda: Verdict(Tier.CRITICAL_RED, "x", "x"))
    verdict = plugins(loaded("hours", classify=lambda: refusal), late).classify(
        call, PROPOSED
    )
    assert (verdict.refused, verdict.rule) == (True, "hours")
    assert verdict.tier is Tier.CRITICAL_RED


def test_hooks_see_the_call_and_a_verdict_without_its_work(call: ToolCall) -> None:
    seen: list[object] = []

    def classify(call: ToolCall, proposed: Verdict) -> None:
        seen.extend((call, proposed, proposed.work))

    plugins(loaded("eyes", classify=classify)).classify(call, PROPOSED)
    assert seen == [call, PROPOSED, None]


def test_any_gate_stops_a_call_with_its_reason(call: ToolCall) -> None:
    open_gate = loaded("open", before_execute=lambda: None)
    shut_gate = loaded("shut", before_execute=lambda: "not\non Sunday")
    assert plugins(open_gate).before_execute(call, DECISION) is None
    both = plugins(open_gate, shut_gate).before_execute(call, DECISION)
    assert both == "the plugin executor/shut refuses it: not?on Sunday"


def test_an_empty_reason_still_stops_a_call(call: ToolCall) -> None:
    shut = plugins(loaded("shut", before_execute=lambda: ""))
    assert "it gives no reason" in (shut.before_execute(call, DECISION) or "")


def test_observers_see_what_happened(call: ToolCall) -> None:
    seen: list[object] = []
    record = UsageRecord(0, "kim", "model", 1, 1, 0, 1)
    watching = plugins(
        loaded(
            "eyes",
            after_execute=lambda call, result: seen.append((call, result)),
            usage=lambda record: seen.extend([record]),
        )
    )
    watching.after_execute(call, Result("done"))
    watching.usage(record)
    assert seen == [(call, Result("done")), record]


def test_a_plugin_adds_commands() -> None:
    group = click.Group()
    command = click.Command("hello")
    plugins(loaded("cli", cli=lambda group: group.add_command(command))).cli(group)
    assert group.commands == {"hello": command}


def test_an_object_in_two_groups_hears_of_an_event_once(call: ToolCall) -> None:
    seen: list[object] = []
    one = loaded("one", after_execute=lambda call: seen.extend([call]))
    two = PluginRecord(Kind.TOOL, "two", "one", "1", "index", Status.ACTIVE)
    twice = Loaded(two, required=False, plugin=one.plugin, hooks=one.hooks)
    plugins(one, twice).after_execute(call, Result("done"))
    assert seen == [call]


def test_what_is_not_active_hears_of_nothing(call: ToolCall) -> None:
    seen: list[object] = []
    one = loaded("one", after_execute=lambda call: seen.extend([call]))
    record = one.record.turned(Status.LOAD_ERROR, "")
    broken = Loaded(record, required=False, plugin=one.plugin, hooks=one.hooks)
    plugins(broken).after_execute(call, Result("done"))
    assert seen == []


class Layer:
    def __init__(self, name: str, order: int) -> None:
        self.name = name
        self.order = order

    def find(self, text: bytes) -> tuple[Finding, ...]:
        return ()


def test_layers_come_in_their_order() -> None:
    layers = [Layer("b", 20), Layer("c", 10), Layer("a", 20)]
    objects = check_objects(Kind.REDACTOR, [layers])
    record = PluginRecord(Kind.REDACTOR, "r", "r", "1", "index", Status.ACTIVE)
    found = plugins(Loaded(record, required=True, objects=objects))
    assert [layer.name for layer in found.redaction_layers] == ["c", "a", "b"]


def test_what_is_required_must_be_active() -> None:
    record = PluginRecord(
        Kind.TOOL, "ghost", "ghost", "1", "index", Status.CONFIG_ERROR, "no address"
    )
    plugins(Loaded(record, required=False)).require()
    with pytest.raises(ConfigurationError, match=r"tool/ghost is config_error \(no"):
        plugins(Loaded(record, required=True)).require()


def test_redactors_are_not_loaded_without_secrets() -> None:
    with pytest.raises(ValueError, match="registered secrets"):
        load_plugins(
            {Kind.REDACTOR},
            lambda name: Site(roots=()),
            None,
            PluginSet(),
            hook_timeout=1,
        )


def test_rule_tables_are_read_before_the_first_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ls.toml").write_text(
        'tier = "GREEN"\nwhy = "lists"\n[examples]\nGREEN = ["ls"]\n', encoding="utf-8"
    )
    rules = RuleTables()
    rules.add(tmp_path)
    found = Plugins((), hook_timeout=5.0, rules=rules)
    found.executors = (object(),)  # type: ignore[assignment]  # only that there is one
    found.prepare()
    monkeypatch.setattr(RuleBook, "load", None)
    assert rules.book.programs == ("ls",)
