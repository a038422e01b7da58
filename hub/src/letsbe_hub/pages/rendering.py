"""Templates into answers, with headers that let a page do nothing but be read."""

from __future__ import annotations

import json
import time
import unicodedata
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

FOLDER = Path(__file__).parent
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    # With none at all a browser sends no origin with a form, which is checked.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
STATIC = {
    "pages.css": "text/css",
    "password.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}

_PLAIN = {"\n", "\t"}


def visible(value: object) -> str:
    """Return text in which every character that could hide or turn others is named.

    What a person decides on came from an agent; a right-to-left override or a zero
    width space in it must not show another command than the one that runs.
    """
    text = value if isinstance(value, str) else _pretty(value)
    return "".join(
        f"\\u{{{ord(character):x}}}"
        if character not in _PLAIN and unicodedata.category(character)[0] in "CZ"
        and character != " "
        else character
        for character in text
    )  # fmt: skip


def _pretty(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)


def grouped(value: object) -> str:
    """Return a whole number with its thousands apart."""
    return f"{value:,}" if isinstance(value, int) else str(value)


def moment(seconds: float) -> str:
    """Return a moment as people read it, to the minute, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")


def day(seconds: float) -> str:
    """Return the day of a moment, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")


def machine(seconds: float) -> str:
    """Return a moment as programs read it."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def money(hundredths: float, currency: str) -> str:
    """Return an amount that is kept in hundredths of a currency."""
    return f"{hundredths / 100:,.2f} {currency.upper()}"


def ahead(seconds: float) -> str:
    """Return how far ahead a moment is, in words."""
    minutes = max(0, int(seconds - time.time()) // 60)
    days, hours = minutes // 1440, minutes // 60 % 24
    if days:
        return f"{days} d {hours} h left"
    return f"{hours} h {minutes % 60} min left" if hours else f"{minutes} min left"


def sentence(text: str) -> str:
    """Return an error's text as a page shows it: as a sentence."""
    ended = text.rstrip()
    stop = "" if ended.endswith((".", "!", "?")) else "."
    return ended[:1].upper() + ended[1:] + stop


_templates = Environment(
    loader=FileSystemLoader(FOLDER / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters |= {
    "visible": visible,
    "grouped": grouped,
    "moment": moment,
    "day": day,
    "machine": machine,
    "money": money,
    "ahead": ahead,
    "sentence": sentence,
}


def page(name: str, status: int = 200, **values: Any) -> Response:  # noqa: ANN401 - the template's
    """Fill a template in.

    Args:
        name: The template, without its ending.
        status: The HTTP status.
        **values: What it needs; missing one is an error.
    """
    text = _templates.get_template(f"{name}.html").render(values)
    return HTMLResponse(text, status, HEADERS)


def elsewhere(path: str) -> Response:
    """Send the browser to another of our pages, to be read there."""
    return RedirectResponse(path, 303, HEADERS)


def static(name: str) -> Response:
    """Give a file of the pages."""
    content = (FOLDER / "static" / name).read_bytes()
    headers = HEADERS | {"cache-control": "max-age=300"}
    return Response(content, headers=headers, media_type=STATIC[name])
