"""The demonstration tells what really happens."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def told() -> str:
    ended = subprocess.run(
        [sys.executable, "-m", "letsbe", "demo"],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert ended.stderr == ""
    return ended.stdout


def test_its_facts_hold(told: str) -> None:
    facts = dict(re.findall(r"checked   (.*): (yes|no)$", told, re.MULTILINE))
    assert facts == {
        "the real value is in the file": "yes",
        "the agent was sent the real value": "no",
        "three secrets were in the request": "yes",
        "the provider was sent one of them": "no",
        "the provider was called with its real key": "yes",
        "the folder is gone": "yes",
        "the chain holds": "yes",
        "the secret is anywhere in the home folder": "no",
    }


def test_each_scene_ends_as_its_title_says(told: str) -> None:
    statuses = re.findall(r"^   wrapper   (\w+)  (\w+)", told, re.MULTILINE)
    assert statuses == [
        ("ok", "GREEN"),
        ("ok", "YELLOW"),
        ("ok", "YELLOW"),
        ("ok", "GREEN"),
        ("pending_approval", "RED"),
        ("ok", "RED"),
        ("denied", "RED"),
    ]


def test_the_provider_received_names_in_place_of_values(told: str) -> None:
    sent = re.findall(r"^   agent     sends (.*)$", told, re.MULTILINE)
    received = re.findall(r"^   provider  received (.*)$", told, re.MULTILINE)
    assert len(sent) == len(received) == 3
    for before, after, placeholder in zip(
        sent,
        received,
        ("[REDACTED:github_token]", "SECRET_REF(shop_api_key)", "[REDACTED:url_"),
        strict=True,
    ):
        assert placeholder in after
        assert placeholder not in before
        # What stands around the secret is as it was sent.
        assert before.startswith(after[: after.index(placeholder)])


def test_it_leaves_nothing_behind(told: str) -> None:
    (folder,) = re.findall(r"^(/\S+)/workspace \(WORKSPACE below\)", told, re.MULTILINE)
    assert not Path(folder).exists()
