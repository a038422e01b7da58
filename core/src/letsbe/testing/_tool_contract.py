"""What every tool adapter must do, as tests to inherit."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote

import anyio
import pytest

from letsbe.discovery.records import Kind
from letsbe.errors import (
    InvalidRequest,
    PathRefused,
    Refused,
    ToolConflict,
    ToolFailed,
    ToolForbidden,
    ToolNotFound,
    ToolRateLimited,
    ToolUnauthenticated,
    ToolUnavailable,
    ToolUnexpected,
)
from letsbe.plugin import Action, Adapter, Json, Tier
from letsbe.testing._actions import (
    CANARY,
    ESCAPES,
    check_declared,
    check_refuses_unknown,
    with_escapes,
)
from letsbe.testing._calls import make_call
from letsbe.testing._contract import Contract
from letsbe.testing._tool_bench import Bench
from letsbe.testing._wire import Received, Reply

_NAMED: tuple[tuple[int, tuple[type[ToolFailed], ...]], ...] = (
    (401, (ToolUnauthenticated,)),
    (403, (ToolForbidden, ToolUnauthenticated)),
    (404, (ToolNotFound,)),
    (409, (ToolConflict,)),
    (429, (ToolRateLimited,)),
    (503, (ToolUnavailable,)),
)
_SAYS = "what the tool says of it"
_SAFE = {"GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT", "SEARCH"}


class ToolAdapterContract(Contract):
    """Tests for a tool adapter: inherit, and give ``module`` and ``adapter``.

    Attributes:
        module: The plugin's module.
        adapter: What it declares.
        credentials: Values of its credentials of the right form, by name; they must
            hold :data:`CANARY` where the form allows it.
        settings: Values of its settings, by name.
        tier_exceptions: Operations whose tier does not follow from their name, each
            with the reason.
        below: Operations with an argument that is a path of several segments, each
            with the path that it must stay below.
        raw_tiers: What raw requests are, by method and path: ``GET /api/notes``.
        wrong_calls: Operations with arguments that they must refuse, the first of
            those that are wrong being named.
    """

    kind = Kind.TOOL
    adapter: ClassVar[Adapter]
    credentials: ClassVar[Mapping[str, str]] = {}
    settings: ClassVar[Mapping[str, str]] = {}
    tier_exceptions: ClassVar[Mapping[str, str]] = {}
    below: ClassVar[Mapping[str, str]] = {}
    raw_tiers: ClassVar[Mapping[str, Tier]] = {}
    wrong_calls: ClassVar[Sequence[tuple[str, Mapping[str, Any]]]] = ()

    def fault_body(self, status: int, text: str) -> Json:
        """Return the body with which the tool says an error, in its own shape."""
        return {"message": text}

    def answer(self, request: Received) -> Reply:
        """Return what the tool answers to a call that is in order."""
        return Reply(200, {})

    @pytest.fixture
    def bench(self, tmp_path: Path) -> Iterator[Bench]:
        """Serve a tool that plays what a test says."""
        bench = Bench(self, tmp_path)
        with bench.server.running():
            yield bench

    def test_operations_say_what_they_are(self, bench: Bench) -> None:
        """Summaries, descriptions of every argument, tiers that fit the names."""
        names = [action.name.partition(".")[2] for action in bench.actions]
        assert set(self.tier_exceptions) <= set(names)
        for action in bench.actions:
            check_declared(action, self.tier_exceptions)

    def test_each_operation_has_examples_of_the_tier_they_say(
        self, bench: Bench
    ) -> None:
        """Every operation shows a call, and its tier is what the example says."""
        for action in bench.actions:
            assert action.examples, f"{action.name} has no example"
            for example in action.examples:
                call = make_call(action, example.arguments)
                judged = bench.bound.classify(call)
                tier = max(judged.tier, action.tier)
                assert tier is example.tier, f"{action.name} is {tier}"

    def test_unknown_arguments_are_named(self, bench: Bench) -> None:
        """An argument that is not declared is refused by name, its value unseen."""
        for action in bench.actions:
            check_refuses_unknown(action)

    def test_wrong_arguments_are_named(self, bench: Bench) -> None:
        """An argument of a wrong form is refused by its field, before anything runs."""
        by_name = {action.name.partition(".")[2]: action for action in bench.actions}
        assert self.wrong_calls, "show calls that are refused for their arguments"
        for operation, arguments in self.wrong_calls:
            with pytest.raises(InvalidRequest) as caught:
                make_call(by_name[operation], arguments)
            fields = [detail.field for detail in caught.value.details]
            assert fields, f"{operation}: no field is named"
            assert all(field.startswith("tool_args.") for field in fields), fields

    def test_raw_requests_are_judged_by_their_path(self, bench: Bench) -> None:
        """Each raw request of ``raw_tiers`` has just the tier that is said."""
        assert self.raw_tiers, "show what raw requests are"
        for request, tier in self.raw_tiers.items():
            method, _, path = request.partition(" ")
            assert bench.raw_tier(method, path) is tier, request

    def test_what_the_table_does_not_know_is_red(self, bench: Bench) -> None:
        """A raw request to an unknown path is RED, whatever its method."""
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            assert bench.raw_tier(method, "/no/such/path/anywhere") >= Tier.RED
        for rule in self.adapter.routes:
            path = rule.pattern.replace("**", "x").replace("*", "x")
            if "DELETE" in rule.methods:
                assert bench.raw_tier("DELETE", path) >= Tier.RED, rule

    def test_no_argument_leaves_its_place(self, bench: Bench) -> None:
        """Whatever an argument holds, requests keep their host and form of path."""
        for action in bench.actions:
            honest = {
                self._form(r.path)
                for example in action.examples
                for r in bench.requests(action, example.arguments)
            }
            for arguments in with_escapes(action, ESCAPES):
                for request in bench.requests(action, arguments):
                    host = request.headers["host"]
                    assert host == bench.server.url.partition("//")[2]
                    decoded = unquote(unquote(unquote(request.path)))
                    assert ".." not in decoded.replace("\\", "/").split("/")
                    operation = action.name.partition(".")[2]
                    if operation == "request":
                        continue
                    if operation in self.below:
                        place = f"{self.below[operation]}/"
                        assert f"{request.path}/".startswith(place)
                        continue
                    assert self._form(request.path) in honest, (
                        f"{action.name} asked for {request.path}"
                    )

    def test_references_are_filled_in_as_a_request_leaves(self, bench: Bench) -> None:
        """``SECRET_REF(name)`` in a text arrives as the value, and only there."""
        tried = 0
        for action in bench.actions:
            for arguments in with_escapes(action, ["SECRET_REF(given)"]):
                sent = bench.requests(action, arguments)
                texts = [unquote(f"{r.path}{r.query}{r.content!r}") for r in sent]
                assert not any("SECRET_REF(given)" in text for text in texts), action
                tried += any("value-of-given" in text for text in texts)
        whole = [a for a in bench.actions if any(_plain_text(a))]
        assert tried or not whole, "no text of any operation reaches the tool"

    def test_no_file_leaves_that_must_not(self, bench: Bench, tmp_path: Path) -> None:
        """A file that holds a secret, or lies elsewhere, is not sent in any part."""
        (bench.folder / "holds-secret").write_text(f"key: {CANARY}", encoding="utf-8")
        (bench.folder / "leads-out").symlink_to("/etc/hostname")
        inside = str(bench.folder / "holds-secret")
        for action, example, name in bench.sending():
            for path in (inside, "leads-out", "/etc/hostname", "../leads-out"):
                before = len(bench.server.received)
                error = bench.error(action, {**example, name: path})
                assert isinstance(error, Refused | PathRefused), (
                    f"{action.name} took {path}: {error!r}"
                )
                sent = bench.server.received[before:]
                assert not any(CANARY.encode() in r.content for r in sent), action.name

    def test_no_secret_comes_back(self, bench: Bench) -> None:
        """A tool that repeats all it was sent gives no credential away."""
        bench.echo = True
        for action in bench.actions:
            for example in action.examples:
                told = bench.told(action, example.arguments)
                for value in bench.sent_credentials():
                    assert value not in told, f"{action.name} shows a credential"

    @pytest.mark.parametrize(("status", "kinds"), _NAMED)
    def test_errors_have_names(
        self, bench: Bench, status: int, kinds: tuple[type[ToolFailed], ...]
    ) -> None:
        """An HTTP status is the named error, in the tool's words, without a secret."""
        text = f"{_SAYS} {CANARY}"
        headers = {"retry-after": "600"} if status == 429 else {}
        bench.replies = [Reply(status, self.fault_body(status, text), headers)]
        for action, error in bench.failures():
            assert isinstance(error, kinds), f"{action.name}: {error!r}"
            assert _SAYS in error.message, f"{action.name} leaves out what is said"
            assert CANARY not in f"{error!r} {error.alternative}"
            assert error.alternative, "nothing says what to try"

    @pytest.mark.parametrize(
        ("reply", "kind"),
        [
            (Reply(200, b"<!doctype html><p>Sign in", {}), ToolUnexpected),
            (Reply(200, b'{"half": ', cut=64), ToolUnavailable),
            (Reply(200, b" " * (9 << 20)), ToolUnexpected),
            (Reply(302, None, {"location": "https://evil.example/"}), ToolUnexpected),
        ],
        ids=["page", "truncated", "huge", "redirect"],
    )
    def test_answers_that_are_none_are_said_to_be(
        self, bench: Bench, reply: Reply, kind: type[ToolFailed]
    ) -> None:
        """A web page, a broken or huge answer and a redirect elsewhere are errors."""
        bench.replies = [reply]
        for action, error in bench.failures(reads=True, most=3):
            assert isinstance(error, kind), f"{action.name}: {error!r}"

    def test_what_is_not_idempotent_is_sent_once(self, bench: Bench) -> None:
        """A change that got no good answer is not made again."""
        for action in bench.actions:
            if action.idempotent or action.tier is Tier.GREEN:
                continue
            bench.replies = [Reply(503, self.fault_body(503, "busy"))]
            for example in action.examples:
                sent = bench.requests(action, example.arguments)
                changes = [r for r in sent if r.method not in _SAFE]
                assert len(changes) <= 1, f"{action.name} was sent {len(changes)} times"

    def test_a_slow_tool_is_given_up_in_time(self, bench: Bench) -> None:
        """A call that gets no answer ends before its deadline, with a named error."""
        bench.delay = 3.0
        action = bench.reading()[0]
        began = time.monotonic()
        error = bench.error(action, action.examples[0].arguments, deadline=1.0)
        assert isinstance(error, ToolUnavailable), repr(error)
        assert time.monotonic() - began < 2.5

    def test_a_tool_that_is_away_is_named_so(self, bench: Bench) -> None:
        """Nothing listening, and no address at all, are named errors."""
        action = bench.reading()[0]
        away = bench.elsewhere("http://127.0.0.1:9")
        error = away.error(action, action.examples[0].arguments)
        assert isinstance(error, ToolUnavailable), repr(error)
        with pytest.raises(ToolUnavailable):
            bench.elsewhere(None).classified(action)

    def test_it_says_how_it_is(self, bench: Bench) -> None:
        """The health check answers, and says so when nothing is there."""
        assert self.adapter.check is not None, "declare how the tool is asked"
        health = anyio.run(bench.elsewhere("http://127.0.0.1:9").bound.check)
        assert health.healthy is False
        assert health.message

    def _form(self, path: str) -> tuple[int, bool]:
        return path.count("/"), path.endswith("/")


def _plain_text(action: Action) -> Iterator[bool]:
    """Whether an operation takes a text of any form."""
    for field in action.arguments.model_json_schema().get("properties", {}).values():
        yield field.get("type") == "string" and not {"pattern", "enum", "const"} & set(
            field
        )
