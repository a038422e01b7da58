"""Heads: what Hyperscan is given in place of a rule's test lets the same through."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe_redactor_patterns.heads import head
from letsbe_redactor_patterns.rules import load_rules


@pytest.mark.parametrize(
    ("expression", "cheap"),
    [
        (b"[a-z]{16}", b"[a-z]{16}"),
        (b"st[a-z0-9]{6}", b"st[a-z0-9]{6}"),
        (b"[a-z]{0,9}value", b"[a-z]{0,9}va"),
        (b"s? (?:for|is|was)[ :]", b"s? (?:fo|is|wa)"),
        (b"-?[a-z]{0,40}(?:pass|token)=", b"-?[a-z]{0,40}(?:pa|to)"),
        (rb"(?:\\{0,7}[\"'])?[:=]", rb"(?:\\{0,7}[\"'])?[:=]"),
        (rb"[^\]\n]{2}\[\]\(x", rb"[^\]\n]{2}\[\]"),
    ],
)
def test_a_late_literal_is_cut_off(expression: bytes, cheap: bytes) -> None:
    assert head(expression) == cheap


def test_every_rule_has_a_head_that_compiles() -> None:
    rules = [rule for rule in load_rules() if rule.follow]
    assert rules
    for rule in rules:
        re.compile(head(rule.follow))


@given(st.data())
def test_a_head_matches_wherever_the_whole_does(data: st.DataObject) -> None:
    rules = [rule for rule in load_rules() if rule.place == "loose" and rule.follow]
    follow = data.draw(st.sampled_from(rules)).follow
    text = data.draw(st.from_regex(re.compile(follow, re.ASCII)))
    whole = re.search(follow, text)
    assert whole
    assert re.compile(head(follow)).match(text, whole.start())
