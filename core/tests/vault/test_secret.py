"""A secret shows itself only when asked to."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
import traceback
from typing import Any

import pytest

from letsbe.vault.secret import Secret

CANARY = "canary-5e1f-value"


@pytest.fixture
def secret() -> Secret:
    return Secret("nc.token", CANARY)


def test_reveal_is_the_way_to_the_value(secret: Secret) -> None:
    assert secret.reveal() == CANARY


def test_no_form_of_text_shows_it(secret: Secret) -> None:
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!r:>40}",
        "%s %r" % (secret, secret),  # noqa: UP031 - logging formats this way
        "{}".format(secret),  # noqa: UP032 - one of the ways
        str([secret]),
        str({"a": secret}),
        ascii(secret),
        json.dumps({"a": secret}, default=str),
    ]
    assert all(CANARY not in text for text in shown)
    assert "nc.token" in repr(secret)


def test_no_log_line_shows_it(secret: Secret, caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("letsbe.test").warning("used %s %r", secret, [secret])
    assert CANARY not in caplog.text


def test_no_traceback_with_locals_shows_it(secret: Secret) -> None:
    try:
        raise ValueError(secret)
    except ValueError as error:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    assert CANARY not in "".join(shown.format())


@pytest.mark.parametrize(
    "copied", [pickle.dumps, copy.copy, copy.deepcopy, lambda s: s.__reduce_ex__(4)]
)
def test_it_is_not_copied(secret: Secret, copied: Any) -> None:
    with pytest.raises(TypeError, match="pickled or copied") as caught:
        copied(secret)
    assert CANARY not in str(caught.value)


def test_it_has_no_dictionary_to_dump(secret: Secret) -> None:
    with pytest.raises(TypeError):
        vars(secret)
    assert not dataclasses.is_dataclass(secret)
    with pytest.raises(TypeError):
        json.dumps(secret)
