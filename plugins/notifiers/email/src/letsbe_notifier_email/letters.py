"""A notice as a letter: plain text, and the same as HTML."""

from __future__ import annotations

import hashlib
from email.message import EmailMessage
from email.utils import formatdate
from html import escape

from letsbe.plugin import Notice

_PAGE = """<!doctype html>
<html><body style="font-family: sans-serif; line-height: 1.5">
<h2>{title}</h2>
{paragraphs}
{link}
</body></html>
"""
_LINK = (
    '<p><a href="{url}" style="background: #1a56db; color: #fff; padding: .6em 1.2em;'
    ' border-radius: .3em; text-decoration: none">Open</a></p><p>{url}</p>'
)


def letter(notice: Notice, sender: str, address: str) -> EmailMessage:
    """Write a letter.

    Its Message-ID comes from the notice's key and the address, so a mailbox that
    sorts out doubles shows a letter once that was sent twice.

    Args:
        notice: What to say.
        sender: What stands in From.
        address: What stands in To.
    """
    message = EmailMessage()
    message["From"] = sender
    message["To"] = address
    message["Subject"] = " ".join(notice.title.split())
    message["Date"] = formatdate(usegmt=True)
    told = f"{notice.key}\n{address}".encode()
    named = hashlib.sha256(told).hexdigest()[:40]
    message["Message-ID"] = f"<{named}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    if notice.urgent:
        message["Importance"] = "high"
    parts = [notice.body.strip(), notice.url or ""]
    message.set_content("\n\n".join(filter(None, parts)) + "\n")
    message.add_alternative(_html(notice), subtype="html")
    return message


def _html(notice: Notice) -> str:
    paragraphs = "\n".join(
        f"<p>{escape(part).replace(chr(10), '<br>')}</p>"
        for part in notice.body.strip().split("\n\n")
    )
    link = _LINK.format(url=escape(notice.url)) if notice.url else ""
    return _PAGE.format(title=escape(notice.title), paragraphs=paragraphs, link=link)
