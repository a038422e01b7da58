"""Adapters that are wrong, each in one way. See test_contracts_fail.py."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import anyio
import tool_good
from pydantic import ConfigDict
from tool_good import GOOD, READ, WRITE, Note, authenticate

from letsbe.plugin import (
    Example,
    Fault,
    FileToSend,
    LetsBeError,
    RouteRule,
    Tier,
    ToolUnexpected,
)
from letsbe.testing import ToolAdapterContract


class Loose(Note):
    model_config = ConfigDict(extra="ignore")


class Anything(Note):
    id: Any


def doing(run):
    """The good adapter, whose operations are done by a function."""
    operations = tuple(replace(o, run=run) for o in (READ, WRITE))
    return replace(GOOD, operations=operations)


class TestGood(ToolAdapterContract):
    module = "tool_good"
    adapter = GOOD
    raw_tiers = {"GET /notes/1": Tier.GREEN, "PUT /notes/1": Tier.RED}
    wrong_calls = (("get_note", {"id": 1}),)


# fails: test_importing_it_is_cheap_and_touches_nothing
class TestImport(TestGood):
    module = "tool_import"


# fails: test_it_says_which_api_it_was_written_for
class TestVersion(TestGood):
    module = "tool_versionless"


# fails: test_its_hooks_are_known
class TestHook(TestGood):
    module = "tool_versionless"


# fails: test_its_distribution_names_it
class TestUnlisted(TestGood):
    module = "tool_unlisted"


# fails: test_operations_say_what_they_are
class TestDeletesForFree(TestGood):
    adapter = replace(GOOD, operations=(replace(READ, name="delete_note"),))


# fails: test_each_operation_has_examples_of_the_tier_they_say
class TestExample(TestGood):
    wrong = Example({"id": "1"}, Tier.GREEN)
    adapter = replace(GOOD, operations=(replace(WRITE, examples=(wrong,)),))


# fails: test_unknown_arguments_are_named
class TestLoose(TestGood):
    adapter = replace(GOOD, operations=(replace(READ, arguments=Loose),))


# fails: test_wrong_arguments_are_named
class TestTakesAll(TestGood):
    adapter = replace(GOOD, operations=(replace(READ, arguments=Anything),))


# fails: test_raw_requests_are_judged_by_their_path
class TestOtherTiers(TestGood):
    adapter = replace(GOOD, routes=(RouteRule("GET", "/**", Tier.YELLOW, "reads"),))


# fails: test_what_the_table_does_not_know_is_red
class TestTable(TestGood):
    adapter = replace(GOOD, routes=(RouteRule("*", "/**", Tier.GREEN, "anything"),))


async def escapes(tool, args):
    return await tool.get(f"/notes/{args.id}")


# fails: test_no_argument_leaves_its_place
class TestEscapes(TestGood):
    adapter = doing(escapes)


async def shouts(tool, args):
    text = args.text.lower().replace("secret_ref", "SECRET_REF ")
    return (await tool.send("POST", "/notes/1", json={"text": text})).json()


# fails: test_references_are_filled_in_as_a_request_leaves
class TestUnfilled(TestGood):
    adapter = doing(shouts)


class OwnFile(Note):
    file: FileToSend
    """A file."""


async def opens_itself(tool, args):
    content = Path(args.file).read_bytes()
    return (await tool.send("POST", "/notes/1", content=content)).json()


# fails: test_no_file_leaves_that_must_not
class TestOpensItself(TestGood):
    shown = Example({"id": "1", "file": "a.txt"}, Tier.YELLOW)
    adapter = replace(
        GOOD,
        operations=(
            replace(WRITE, arguments=OwnFile, run=opens_itself, examples=(shown,)),
        ),
    )


LEAKED = []


def remembers(out):
    authenticate(out)
    LEAKED.append(out.headers["authorization"])


async def leaks(tool, args):
    await tool.get("/notes/{id}", {"id": args.id})
    return {"leak": LEAKED[-1]}


# fails: test_no_secret_comes_back
class TestLeaks(TestGood):
    adapter = replace(doing(leaks), authenticate=remembers)


# fails: test_errors_have_names
class TestNameless(TestGood):
    adapter = replace(GOOD, fault=lambda r: Fault(ToolUnexpected))


async def swallows(tool, args):
    try:
        return await tool.get("/notes/{id}", {"id": args.id})
    except LetsBeError:
        return {}


# fails: test_answers_that_are_none_are_said_to_be
class TestSwallows(TestGood):
    adapter = doing(swallows)


async def insists(tool, args):
    for _ in range(3):
        try:
            return (await tool.send("POST", "/notes/1", json={})).json()
        except LetsBeError:
            continue
    raise ToolUnexpected("no")


# fails: test_what_is_not_idempotent_is_sent_once
class TestInsists(TestGood):
    adapter = doing(insists)


async def dawdles(tool, args):
    await anyio.sleep(3)
    return await tool.get("/notes/{id}", {"id": args.id})


# fails: test_a_slow_tool_is_given_up_in_time
class TestDawdles(TestGood):
    adapter = doing(dawdles)


# fails: test_a_tool_that_is_away_is_named_so
class TestNeverAway(TestGood):
    adapter = doing(swallows)


# fails: test_it_says_how_it_is
class TestSilent(TestGood):
    adapter = replace(GOOD, check=None)


assert tool_good
