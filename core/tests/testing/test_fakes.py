"""The kit behaves as the core does."""

from pathlib import Path

import pytest

import letsbe.testing
from letsbe.errors import InvalidRequest, UnknownSecret
from letsbe.plugin import Action, Arguments, Execution, RegisteredSecrets, Tier
from letsbe.testing import FakeExecution, FakeSecrets, make_call, make_site


class _Arguments(Arguments):
    path: str
    lines: tuple[int, ...] = ()


_ACTION = Action("read", "Read.", _Arguments, Tier.GREEN)


def test_public_names() -> None:
    names = {n for n in vars(letsbe.testing) if n.isidentifier() and n[0] != "_"}
    assert sorted(names) == sorted(letsbe.testing.__all__)


def test_site_has_the_folder_as_its_root(tmp_path: Path) -> None:
    assert make_site(tmp_path).roots == (tmp_path,)


def test_site_takes_overrides_and_no_unknown_ones(tmp_path: Path) -> None:
    assert make_site(tmp_path, output_limit=2048).output_limit == 2048
    with pytest.raises(TypeError):
        make_site(tmp_path, output_limits=1)  # type: ignore[call-arg]  # the test


def test_call_is_checked_as_json() -> None:
    call = make_call(_ACTION, {"path": "a", "lines": [1, 2]}, agent_id="kim")
    assert call.arguments == _Arguments(path="a", lines=(1, 2))
    assert (call.tool_name, call.agent_id) == ("read", "kim")


def test_wrong_call_names_the_field_and_not_the_value() -> None:
    with pytest.raises(InvalidRequest) as caught:
        make_call(_ACTION, {"path": 7, "pth": "hunter2-canary"})
    fields = {detail.field for detail in caught.value.details}
    assert fields == {"tool_args.path", "tool_args.pth"}
    assert "hunter2-canary" not in caught.value.message


def test_fill_is_one_pass() -> None:
    run: Execution = FakeExecution(secrets={"a": "SECRET_REF(b)", "b": "deep"})
    assert run.fill("x=SECRET_REF(a)") == "x=SECRET_REF(b)"


def test_fill_refuses_an_unknown_name() -> None:
    with pytest.raises(UnknownSecret, match="nobody"):
        FakeExecution().fill("SECRET_REF(nobody)")


def test_redact_gives_references_for_values() -> None:
    run = FakeExecution(secrets={"short": "hunter2", "long": "hunter2-and-more"})
    assert run.redact(b"x hunter2-and-more") == b"x SECRET_REF(long)"
    assert run.redact(b"plain") == b"plain"


def test_environment_cannot_be_changed() -> None:
    run = FakeExecution(environment={"TOKEN": "t"}, deadline=3.0)
    assert (run.environment["TOKEN"], run.deadline) == ("t", 3.0)
    with pytest.raises(TypeError):
        run.environment["TOKEN"] = "u"  # type: ignore[index]  # that is the test


def test_secrets_grow_their_version_and_keep_old_values() -> None:
    secrets = FakeSecrets({"db": "one-one"})
    registered: RegisteredSecrets = secrets
    before = registered.version
    secrets.provide("db", "two-two")
    assert registered.version > before
    assert [s.reveal() for s in registered.current()] == ["one-one", "two-two"]
    secrets.delete("db")
    assert registered.current() == ()
