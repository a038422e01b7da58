"""What every redaction layer must do, as tests to inherit."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from letsbe.discovery.records import Kind
from letsbe.plugin import Finding, RedactionLayer
from letsbe.plugin._loading import new_manager
from letsbe.redaction.blocks import Stretch, places_in
from letsbe.redaction.finding import NamesSecrets, Places, SearchesFirst
from letsbe.redaction.pipeline import Pipeline
from letsbe.testing._calls import make_site
from letsbe.testing._contract import Contract
from letsbe.testing._secrets import FakeSecrets

SECONDS_FOR_100_KB = 0.25
"""The processor time that a text of 100 KB without any secret may take."""

_KIND = re.compile(r"[a-z0-9_-]{1,64}")
_RULE = re.compile(r"[A-Za-z0-9_.:-]{0,80}")
_LINE = "The quick brown fox jumps over the lazy dog; id=1234, ok=true.\n"


def texts_with(values: Sequence[str]) -> st.SearchStrategy[bytes]:
    """Texts in which some of the values may stand, anywhere, also broken ones.

    Args:
        values: What to put in.
    """
    parts = st.one_of(
        st.binary(max_size=40),
        st.text(max_size=40).map(str.encode),
        st.sampled_from([v.encode() for v in values] or [b""]),
        st.sampled_from([b'{"a": "', b'"}', b"\\n", b"SECRET_REF(", b"\xff"]),
    )
    return st.lists(parts, max_size=8).map(b"".join)


class RedactionLayerContract(Contract):
    """Tests for a redaction layer: inherit, and give ``module`` and ``found``.

    Attributes:
        module: The plugin's module.
        found: Texts, each with the part of it that must not be seen.
        kept: Texts in which nothing may be found.
        secrets: The registered secrets, by name.
        settings: The plugin's settings.
    """

    kind = Kind.REDACTOR
    found: ClassVar[Sequence[tuple[str, str]]]
    kept: ClassVar[Sequence[str]] = (_LINE,)
    secrets: ClassVar[Mapping[str, str]] = {}
    settings: ClassVar[Mapping[str, Any]] = {}

    @pytest.fixture
    def layer(self, tmp_path: Path) -> RedactionLayer:
        """Return the layer under test."""
        manager = new_manager()
        manager.register(__import__(self.module))
        site = make_site(tmp_path, settings=self.settings)
        ((layer,),) = manager.hook.letsbe_redaction_layers(
            site=site, secrets=FakeSecrets(self.secrets)
        )
        assert isinstance(layer, RedactionLayer)
        return layer

    def test_what_must_not_be_seen_is_found(self, layer: RedactionLayer) -> None:
        """Each part is covered by findings, byte for byte."""
        assert self.found, "give texts with what must be found in them"
        for text, part in self.found:
            data, wanted = text.encode(), part.encode()
            start = data.index(wanted)
            covered = {
                place for f in layer.find(data) for place in range(f.start, f.end)
            }
            missed = set(range(start, start + len(wanted))) - covered
            assert not missed, f"{len(missed)} bytes of a secret are left: {text!r}"

    def test_what_may_be_seen_is_kept(self, layer: RedactionLayer) -> None:
        """Nothing is found where nothing is."""
        for text in self.kept:
            assert list(layer.find(text.encode())) == [], text

    def test_findings_have_their_form(self, layer: RedactionLayer) -> None:
        """Kinds, rules and places are what the core accepts; no value is in them."""
        for text, part in self.found:
            for finding in layer.find(text.encode()):
                assert 0 <= finding.start < finding.end <= len(text.encode())
                assert _KIND.fullmatch(finding.kind), finding
                assert _RULE.fullmatch(finding.rule), finding
                assert part not in repr(tuple(finding))
                if finding.name is not None:
                    assert finding.name in self.secrets
                    assert isinstance(layer, NamesSecrets), "offer names()"

    def test_any_bytes_are_taken(self, layer: RedactionLayer) -> None:
        """Whatever the bytes are, findings come and lie inside, and twice the same."""

        @settings(
            max_examples=150,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        )
        @given(texts_with([part for _, part in self.found]))
        def check(text: bytes) -> None:
            first = _as_list(layer, text)
            assert all(0 <= f.start < f.end <= len(text) for f in first)
            assert _as_list(layer, text) == first

        check()

    def test_searching_more_text_changes_nothing(self, layer: RedactionLayer) -> None:
        """If it searches first, a search of more text leads to the same findings."""
        if not isinstance(layer, SearchesFirst):
            return

        @settings(
            max_examples=100,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        )
        @given(*[texts_with([part for _, part in self.found])] * 3)
        def check(before: bytes, text: bytes, after: bytes) -> None:
            # As the core cuts a text: between an object of a list and the next one.
            before, text = before + b"}", b", " + text + b"}"
            whole = before + text + b', {"role": "' + after
            block = Stretch(len(before), len(before) + len(text), (b"", 0))
            places = places_in(Places(*layer.search(whole)), block)
            assert _sorted(layer.find_at(text, places)) == _as_list(layer, text)

        check()

    def test_redacting_again_changes_nothing(self, layer: RedactionLayer) -> None:
        """Nothing is found in what was redacted."""
        pipeline = Pipeline([layer])
        for text, part in self.found:
            once = pipeline.redact_text(text)
            assert part not in once
            assert pipeline.redact_text(once) == once

    def test_json_stays_json(self, layer: RedactionLayer) -> None:
        """A document with a secret in it can be read afterwards."""
        pipeline = Pipeline([layer])
        for text, part in self.found:
            document = json.dumps({"note": text, "n": [1, None]}).encode()
            told = json.loads(pipeline.redact(document))
            assert told["n"] == [1, None]
            assert part not in told["note"]

    def test_threads_do_not_disturb_each_other(self, layer: RedactionLayer) -> None:
        """Several threads at once find what one finds."""
        texts = [text.encode() for text, _ in self.found] * 8
        alone = [_as_list(layer, text) for text in texts]
        with ThreadPoolExecutor(8) as threads:
            together = list(threads.map(lambda t: _as_list(layer, t), texts))
        assert together == alone

    def test_long_text_is_searched_quickly(self, layer: RedactionLayer) -> None:
        """100 KB without a secret take little time."""
        text = (_LINE * (100_000 // len(_LINE))).encode()
        list(layer.find(text))
        began = time.process_time()
        list(layer.find(text))
        took = time.process_time() - began
        assert took < SECONDS_FOR_100_KB, f"{took:.3f} s for 100 KB"


def _as_list(layer: RedactionLayer, text: bytes) -> list[Finding]:
    return _sorted(layer.find(text))


def _sorted(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda f: (f.start, f.end, f.kind, f.rule))
