"""No text makes a rule slow: what a rule reads again and again costs minutes."""

from __future__ import annotations

import base64
import random
import time

import pytest

from letsbe_redactor_patterns.engines import best_scanner
from letsbe_redactor_patterns.layer import PatternLayer
from letsbe_redactor_patterns.rules import load_rules

LIMIT = 2.0
"""Seconds of processor time; a hundred times what is needed."""


@pytest.fixture(scope="module")
def layer() -> PatternLayer:
    """The layer with all rules."""
    rules = load_rules()
    return PatternLayer(rules, best_scanner(rules))


def lines(separator: str) -> str:
    """Return 7 KiB of base64 in lines, with what may be a separator among it."""
    drawn = random.Random(4).randbytes(5000)
    text = base64.b64encode(drawn).decode()
    return separator.join(text[n : n + 64] for n in range(0, len(text), 64))


@pytest.mark.parametrize(
    "separator", ["\n", "\\n", '\\n" +\n"', "\n+", " ", "+", "\r\n"]
)
@pytest.mark.parametrize("end", ["PRIVATE KEY", "CERTIFICATE"])
def test_lines_of_base64_before_the_end_of_a_key(
    layer: PatternLayer, separator: str, end: str
) -> None:
    certificate = f"BEGIN CERTIFICATE-----\n{lines(separator)}==\n"
    text = f"{certificate}-----END {end}-----\n!\n-----END RSA PRIVATE KEY-----"
    begin = time.process_time()
    list(layer.find(text.encode()))
    assert time.process_time() - begin < LIMIT
