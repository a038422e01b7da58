"""The rules are data that tests itself when it loads."""

import re
import tomllib
from importlib import resources

import pytest

from letsbe.plugin import Finding
from letsbe_redactor_patterns import letsbe_redaction_layers
from letsbe_redactor_patterns.examples import example
from letsbe_redactor_patterns.layer import PatternLayer
from letsbe_redactor_patterns.rules import RuleBroken, load_rules, parse_rules
from letsbe_redactor_patterns.scanning import PlainScanner

RULE = """
[[rule]]
kind = "acme_token"
anchors = ["acme_"]
regex = 'acme_[A-Za-z0-9]{24}'
good = [GOOD]
bad = [BAD]
"""
FAMILIES = ("ai", "cloud", "code", "messaging", "monitoring", "payments", "services")


def rule(good: str, bad: str = "") -> str:
    return RULE.replace("GOOD", good).replace("BAD", bad)


def text_of(family: str) -> str:
    folder = resources.files("letsbe_redactor_patterns") / "rules"
    return (folder / f"{family}.toml").read_text("utf-8")


def test_a_rule_is_tested_by_its_examples() -> None:
    (parsed,) = parse_rules(rule('"x=«acme_{base62:24}»"', '"acme_short"'))

    assert (parsed.kind, parsed.name) == ("acme_token", "acme_token")


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ('"acme_{base62:23}"', ""),
        ('"«x=acme_{base62:24}»"', ""),
        ('"acme_{base62:24}"', '"acme_{base62:24}"'),
    ],
)
def test_a_rule_that_fails_an_example_does_not_load(good: str, bad: str) -> None:
    with pytest.raises(RuleBroken, match="acme_token"):
        parse_rules(rule(good, bad))


def test_there_are_at_least_150_kinds_of_provider_tokens() -> None:
    kinds = {
        parsed.kind for family in FAMILIES for parsed in parse_rules(text_of(family))
    }

    assert len(kinds) >= 250


def test_kinds_and_names_are_what_a_finding_may_carry() -> None:
    rules = load_rules()

    assert all(re.fullmatch("[a-z][a-z0-9_]{0,63}", rule.kind) for rule in rules)
    assert len({rule.name for rule in rules}) == len(rules)
    assert all(
        anchor == anchor.lower()
        for rule in rules
        if rule.place == "loose"
        for anchor in rule.anchors
    )


def test_every_example_is_found_by_the_layer_too() -> None:
    rules = load_rules()
    layer = PatternLayer(rules, PlainScanner(rules))
    missed = []
    for family in FAMILIES:
        for table in tomllib.loads(text_of(family))["rule"]:
            for recipe in table["good"]:
                text, values = example(recipe)
                framed = b'{"content": "before\\n' + text + b'\\nafter"}'
                left = _without(framed, layer.find(framed))
                missed += [recipe for value in values if value in left]

    assert missed == []


def test_the_plugin_registers_one_layer() -> None:
    (layer,) = letsbe_redaction_layers()

    assert (layer.name, layer.order) == ("patterns", 20)


def _without(text: bytes, findings: list[Finding]) -> bytes:
    for finding in sorted(findings, reverse=True):
        gap = b"\0" * (finding.end - finding.start)
        text = text[: finding.start] + gap + text[finding.end :]
    return text
