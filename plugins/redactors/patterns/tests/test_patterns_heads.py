"""Heads: what Hyperscan is given in place of a rule's test lets the same through."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from letsbe_redactor_patterns.heads import head, longest
from letsbe_redactor_patterns.rules import load_rules


@pytest.mark.parametrize(
    ("expression", "cheap"),
    [
        (b"[a-z]{16}", b"[a-z]{16}"),
        (b"st[a-z0-9]{6}", b"st[a-z0-9]{6}"),
        (b"[a-z]{0,9}value", b"[a-z]{0,}val"),
        (b"[a-z]{2,9}[0-9]{1,3}", b"[a-z]{2,}[0-9]{1,3}"),
        (b"s? (?:for|is|was)[ :]", b"s? (?:for|is|was)[ :]"),
        (b"-?[a-z]{0,40}(?:pass|token)=", b"-?[a-z]{0,}(?:pas|tok)"),
        (rb"(?:\\{0,7}[\"'])?[:=]", rb"(?:\\{0,}[\"'])?[:=]"),
        (rb"[^\]\n]{2}\[\]\(x", rb"[^\]\n]{2}\[\]\("),
        (rb"[^ \n]{0,40}[0-9]", rb"[^ \n]{0,40}[0-9]"),
    ],
)
def test_a_late_literal_is_cut_off(expression: bytes, cheap: bytes) -> None:
    assert head(expression) == cheap


def test_every_rule_has_a_head_that_compiles() -> None:
    rules = [rule for rule in load_rules() if rule.follow]
    assert rules
    for rule in rules:
        cheap = re.compile(head(rule.follow))
        assert not cheap.fullmatch(b""), f"{rule.name} tests nothing of what follows"


@given(st.data())
def test_a_head_matches_wherever_the_whole_does(data: st.DataObject) -> None:
    rules = [rule for rule in load_rules() if rule.place == "loose" and rule.follow]
    follow = data.draw(st.sampled_from(rules)).follow
    text = data.draw(st.from_regex(re.compile(follow, re.ASCII)))
    whole = re.search(follow, text)
    assert whole
    assert re.compile(head(follow)).match(text, whole.start())


@pytest.mark.parametrize(
    ("expression", "size"),
    [
        (b"", 0),
        (rb"st[a-z0-9]{6}", 8),
        (rb"(?:\\{0,7}[\"'])?[:=]", 9),
        (rb"(?:ab?){2,3}[^\]x]{1,4}", 18),
    ],
)
def test_the_longest_match_is_known(expression: bytes, size: int) -> None:
    assert longest(expression) == size


@pytest.mark.parametrize("expression", [b"[a-z]+", b"a*b", b"[0-9]{3,}"])
def test_what_has_no_end_is_refused(expression: bytes) -> None:
    with pytest.raises(ValueError, match="no limit"):
        longest(expression)
