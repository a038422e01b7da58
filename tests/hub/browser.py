"""A real browser, Chromium, for what no test client can show: what a person meets."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from letsbe_hub.testing import ProgramMissing

PHONE = {"width": 360, "height": 740}
"""The narrowest that phones still are."""
TIMEOUT_MS = 15_000

FOCUSED = """() => {
    const here = document.activeElement, style = getComputedStyle(here);
    return {
        name: here.tagName.toLowerCase(),
        text: (here.innerText || here.name || "").trim(),
        outline: style.outlineStyle === "none" ? 0 : parseFloat(style.outlineWidth),
    };
}"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Chromium for the length of a block.

    Raises:
        ProgramMissing: It is not installed.
    """
    program = shutil.which("chromium")
    if program is None:
        raise ProgramMissing(
            "there is no chromium here; on Debian: apt install chromium"
        )
    # Its sandbox is not for root; it sees nothing here but our own pages.
    own = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=own)
        try:
            yield browser
        finally:
            browser.close()


@dataclass
class Person:
    """Somebody at a browser of their own, and all that their browser did.

    Args:
        page: What they look at.
        asked: Every address that the browser asked for.
        said: What it complained of, such as a breach of the pages' policy.
    """

    page: Page
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def hear(self, text: str) -> None:
        """Note a complaint; that an answer of ours was an error is none."""
        if not text.startswith("Failed to load resource: the server responded"):
            self.said.append(text)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def tab_to(self, text: str, most: int = 40) -> None:
        """Press Tab until what has this text, or name, has the focus."""
        for _ in range(most):
            self.press("Tab")
            if self.focused()["text"].startswith(text):
                return
        raise AssertionError(f"no Tab leads to {text!r}")

    def focused(self) -> dict[str, Any]:
        return dict(self.page.evaluate(FOCUSED))

    def width(self) -> int:
        return int(self.page.evaluate("document.documentElement.scrollWidth"))

    def barriers(self, *rules: str) -> list[str]:
        """Return what axe, which knows WCAG, finds in the way of people.

        Args:
            *rules: Only by these of its rules.
        """
        options = {"runOnly": list(rules)} if rules else {}
        found = Axe().run(self.page, options=options).response["violations"]
        return [
            f"{rule['id']}: {node['html'][:120]} {node['failureSummary'][:200]}"
            for rule in found
            for node in rule["nodes"]
        ]


@contextmanager
def person(
    browser: Browser, url: str, *, scripts: bool, **more: Any
) -> Iterator[Person]:
    """Give somebody a fresh browser, with scripts or without."""
    context = browser.new_context(base_url=url, java_script_enabled=scripts, **more)
    context.set_default_timeout(TIMEOUT_MS)
    found = Person(context.new_page())
    context.on("request", lambda request: found.asked.append(request.url))
    context.on("console", lambda message: found.hear(message.text))
    try:
        yield found
    finally:
        context.close()
