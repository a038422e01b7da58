"""Layers that are wrong, each in one way. See test_contracts_fail.py."""

import itertools
import re
import time

import pytest
from redactor_good import KEY, Good

from letsbe.plugin import Finding, Places
from letsbe.testing import RedactionLayerContract


class TestGood(RedactionLayerContract):
    module = "redactor_good"
    found = [("the key-123456 is", "key-123456")]


class Wrong(TestGood):
    """A layer of the class's own; not collected by its name."""

    @pytest.fixture
    def layer(self):
        outer = self

        class Layer(Good):
            def find(self, text):
                return outer.findings(text)

        return Layer()

    def findings(self, text):
        return Good().find(text)


# fails: test_importing_it_is_cheap_and_touches_nothing
class TestImport(TestGood):
    module = "redactor_import"


# fails: test_it_says_which_api_it_was_written_for
class TestVersion(TestGood):
    module = "redactor_versionless"


# fails: test_its_hooks_are_known
class TestHook(TestGood):
    module = "redactor_versionless"


# fails: test_its_distribution_names_it
class TestUnlisted(TestGood):
    module = "redactor_unlisted"


# fails: test_what_must_not_be_seen_is_found
class TestShort(Wrong):
    def findings(self, text):
        return [f._replace(end=f.end - 1) for f in Good().find(text)]


# fails: test_what_may_be_seen_is_kept
class TestGreedy(Wrong):
    def findings(self, text):
        return [Finding(0, 1, "any")] if text else []


# fails: test_findings_have_their_form
class TestForm(Wrong):
    def findings(self, text):
        found = Good().find(text)
        return [f._replace(rule=text[f.start : f.end].decode()) for f in found]


# fails: test_any_bytes_are_taken
class TestStrict(Wrong):
    def findings(self, text):
        text.decode()
        return Good().find(text)


# fails: test_searching_more_text_changes_nothing
class TestFirst(TestGood):
    @pytest.fixture
    def layer(self):
        class Layer(Good):
            def search(self, text):
                found = list(KEY.finditer(text))
                return Places([m.start() for m in found], [len(found)] * len(found))

            def find_at(self, text, places):  # as if all that was searched were here
                found = self.find(text)
                return found if len(found) in {*places.marks, 0} else []

        return Layer()


# fails: test_redacting_again_changes_nothing
class TestAgain(Wrong):
    def findings(self, text):
        return [Finding(0, 1, "first")] if text[:1].isalpha() else []


# fails: test_json_stays_json
class TestBreaks(Wrong):
    def findings(self, text):
        if text.startswith(b"{"):
            return []  # does not look into JSON
        return Good().find(text)


COUNTER = itertools.count()


# fails: test_threads_do_not_disturb_each_other
class TestThreads(Wrong):
    def findings(self, text):
        before = next(COUNTER)
        time.sleep(0.001)
        disturbed = next(COUNTER) != before + 1
        return [] if disturbed else Good().find(text)


# fails: test_long_text_is_searched_quickly
class TestSlow(Wrong):
    def findings(self, text):
        end = time.process_time() + (1 if len(text) > 50_000 else 0)
        while time.process_time() < end:
            re.sub(rb"x", b"y", text[:100])
        return [Finding(m.start(), m.end(), "key") for m in KEY.finditer(text)]
