"""What a plugin registers is checked before anything uses it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

import pytest
from pydantic import ConfigDict

from letsbe.discovery.records import Kind, Status
from letsbe.plugin import Action, Arguments, Finding, Health, Tier, Verdict
from letsbe.plugin._objects import Unusable, check_objects

READ = Action("ghost.read", "Read posts.", Arguments, Tier.GREEN)


class Adapter:
    name: Any = "ghost"
    operations: Any = (READ,)

    def classify(self, call: object) -> Verdict:
        raise NotImplementedError

    async def invoke(self, call: object, verdict: object, run: object) -> None:
        raise NotImplementedError

    async def check(self) -> Health:
        return Health(healthy=True)


class Layer:
    def __init__(self, name: str = "layer", order: object = 10) -> None:
        self.name = name
        self.order = order

    def find(self, text: bytes) -> tuple[Finding, ...]:
        return ()


class Backend:
    name = "ledger"
    remembers = accepts_back = None

    async def open_account(self, account: object) -> str:
        raise NotImplementedError

    async def record(self, units: object) -> None:
        raise NotImplementedError

    async def recorded(self, *span: object) -> int:
        raise NotImplementedError

    async def adjust(self, adjustment: object) -> None:
        raise NotImplementedError

    async def check(self) -> Health:
        return Health(healthy=True)


class Channel:
    name = "log"

    def check_address(self, address: str) -> str:
        return address

    async def send(self, address: str, notice: object) -> None:
        raise NotImplementedError

    async def receipts(self, receipts: object) -> dict[str, object]:
        return {}

    async def check(self) -> Health:
        return Health(healthy=True)


def adapter(**parts: Any) -> Adapter:
    return cast(Adapter, type("Made", (Adapter,), parts)())


def reason(kind: Kind, *objects: object) -> str:
    with pytest.raises(Unusable) as caught:
        check_objects(kind, [objects])
    assert caught.value.status is Status.LOAD_ERROR
    return caught.value.reason


def test_sound_objects_pass_with_the_names_they_claim() -> None:
    (checked,) = check_objects(Kind.TOOL, [[Adapter()]])
    assert checked.actions == (READ,)
    assert checked.claims == {("action", "ghost.read"), ("tool", "ghost")}
    (layer,) = check_objects(Kind.REDACTOR, [iter([Layer()])])
    assert layer.claims == {("layer", "layer")}
    (backend,) = check_objects(Kind.BILLING, [[Backend()]])
    assert backend.claims == {("backend", "ledger")}
    (channel,) = check_objects(Kind.NOTIFIER, [[Channel()]])
    assert channel.claims == {("notifier", "log")}


def test_no_objects_are_fine_and_no_answer_is_not() -> None:
    assert check_objects(Kind.TOOL, [()]) == ()
    with pytest.raises(Unusable, match="gave nothing"):
        check_objects(Kind.TOOL, [])
    with pytest.raises(Unusable, match="gave a int, not an iterable"):
        check_objects(Kind.TOOL, [7])


def test_the_wrong_object_is_named_with_what_it_lacks() -> None:
    told = reason(Kind.EXECUTOR, Adapter())
    assert "gave a Adapter, which is not an Executor: it lacks execute, actions" in told


def test_a_class_is_not_an_object() -> None:
    assert "gave the class Adapter" in reason(Kind.TOOL, Adapter)


@pytest.mark.parametrize("method", ["invoke", "check"])
def test_what_waits_must_be_async(method: str) -> None:
    told = reason(Kind.TOOL, adapter(**{method: lambda self, *_: None}))
    assert f"Made.{method} must be an async method" in told


def test_what_computes_must_be_plain() -> None:
    async def classify(self: object, call: object) -> None: ...

    assert "must be a plain method" in reason(Kind.TOOL, adapter(classify=classify))
    assert "must be a plain method" in reason(Kind.TOOL, adapter(classify=7))


def test_a_backend_and_a_notifier_are_held_to_their_protocols() -> None:
    assert "it lacks open_account" in reason(Kind.BILLING, Channel())
    assert "it lacks check_address" in reason(Kind.NOTIFIER, Backend())


@pytest.mark.parametrize("name", ["Ghost", "", "gh.ost", "9ghost", 7, "g" * 33])
def test_a_tool_must_have_a_name(name: object) -> None:
    assert "the name of Made" in reason(Kind.TOOL, adapter(name=name))


@pytest.mark.parametrize("name", ["read", "ghosts.read", "ghost", "other.read", 7])
def test_an_operation_must_begin_with_its_tool(name: Any) -> None:
    made = adapter(operations=(replace(READ, name=name),))
    assert "not named `ghost.OPERATION`" in reason(Kind.TOOL, made)


@pytest.mark.parametrize(
    "name", ["ghost.", "ghost.Read", "ghost.a.b", "ghost. ", "ghost." + "r" * 60]
)
def test_an_operation_must_have_a_plain_name(name: str) -> None:
    made = adapter(operations=(replace(READ, name=name),))
    assert "whose name is not" in reason(Kind.TOOL, made)


class Loose(Arguments):
    model_config = ConfigDict(extra="allow", hide_input_in_errors=False)


class Undescribed(Arguments):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    function: Callable[[], int]


CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"tier": 0}, "its tier is not a Tier"),
    ({"external": "no"}, "its external is not a bool"),
    ({"idempotent": None}, "its idempotent is not a bool"),
    ({"summary": ""}, "its summary is not one line"),
    ({"summary": "two\nlines"}, "its summary is not one line"),
    ({"summary": 7}, "its summary is not a str"),
    ({"examples": []}, "its examples is not a tuple"),
    ({"examples": ({},)}, "its examples are not Examples"),
    ({"arguments": dict}, "not a model of Arguments"),
    ({"arguments": None}, "not a model of Arguments"),
    (
        {"arguments": Loose},
        "weakens the checks of Arguments: hide_input_in_errors, extra",
    ),
    ({"arguments": Undescribed}, "no JSON schema describes"),
]


@pytest.mark.parametrize(("change", "told"), CHANGES)
def test_an_action_must_be_sound(change: dict[str, Any], told: str) -> None:
    made = adapter(operations=(replace(READ, **change),))
    assert told in reason(Kind.TOOL, made)


def test_actions_are_a_list_of_actions_each_of_its_own_name() -> None:
    assert "must have 1 to 256" in reason(Kind.TOOL, adapter(operations=()))
    assert "a str instead of an Action" in reason(
        Kind.TOOL, adapter(operations=("ghost.read",))
    )
    assert "two actions of one name" in reason(
        Kind.TOOL, adapter(operations=(READ, READ))
    )


def test_one_plugin_does_not_offer_a_name_twice() -> None:
    assert "the layer a twice" in reason(Kind.REDACTOR, Layer("a"), Layer("a"))


@pytest.mark.parametrize("order", ["1", 1.5, True, None])
def test_a_layers_order_is_a_whole_number(order: object) -> None:
    assert "is not a whole number" in reason(Kind.REDACTOR, Layer(order=order))
