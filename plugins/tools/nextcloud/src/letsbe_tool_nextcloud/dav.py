"""WebDAV's XML: questions asked and answers read (RFC 4918, RFC 4791, RFC 6352)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from defusedxml.ElementTree import fromstring

from letsbe.plugin import Response, ToolUnexpected

D = "{DAV:}"
OC = "{http://owncloud.org/ns}"
NC = "{http://nextcloud.org/ns}"
CAL = "{urn:ietf:params:xml:ns:caldav}"
CARD = "{urn:ietf:params:xml:ns:carddav}"

for _prefix, _name in (("d", D), ("oc", OC), ("nc", NC), ("c", CAL), ("card", CARD)):
    register_namespace(_prefix, _name[1:-1])

FILE = (
    *(f"{D}resourcetype", f"{D}getcontentlength", f"{D}getcontenttype", f"{D}getetag"),
    *(f"{D}getlastmodified", f"{OC}fileid", f"{OC}permissions", f"{OC}size"),
)
XML = {"content-type": "application/xml; charset=utf-8"}


@dataclass(frozen=True, slots=True)
class Found:
    """One resource of an answer.

    Args:
        path: Its path on the server, decoded.
        properties: What is known of it, by name.
        kinds: What it is: ``{DAV:}collection`` for a folder.
    """

    path: str
    properties: dict[str, str]
    kinds: frozenset[str]


def propfind(names: tuple[str, ...]) -> bytes:
    """Ask for properties."""
    root = Element(f"{D}propfind")
    _ask(root, names)
    return _text(root)


def search(folder: str, name: str, most: int) -> bytes:
    """Ask for the files below a folder whose name holds a text (RFC 5323)."""
    root = Element(f"{D}searchrequest")
    basic = SubElement(root, f"{D}basicsearch")
    _ask(SubElement(basic, f"{D}select"), FILE)
    scope = SubElement(SubElement(basic, f"{D}from"), f"{D}scope")
    SubElement(scope, f"{D}href").text = folder
    SubElement(scope, f"{D}depth").text = "infinity"
    like = SubElement(SubElement(basic, f"{D}where"), f"{D}like")
    SubElement(SubElement(like, f"{D}prop"), f"{D}displayname")
    escaped = name.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    SubElement(like, f"{D}literal").text = f"%{escaped}%"
    SubElement(basic, f"{D}orderby")
    limit = SubElement(basic, f"{D}limit")
    SubElement(limit, f"{D}nresults").text = str(most)
    return _text(root)


def calendar_query(start: str, end: str) -> bytes:
    """Ask for the events between two times, in UTC: ``20261224T080000Z``.

    What recurs comes as the times that it does so between them.
    """
    root = Element(f"{CAL}calendar-query")
    wanted = SubElement(SubElement(root, f"{D}prop"), f"{CAL}calendar-data")
    SubElement(wanted, f"{CAL}expand", start=start, end=end)
    calendar = SubElement(
        SubElement(root, f"{CAL}filter"), f"{CAL}comp-filter", name="VCALENDAR"
    )
    event = SubElement(calendar, f"{CAL}comp-filter", name="VEVENT")
    SubElement(event, f"{CAL}time-range", start=start, end=end)
    return _text(root)


def addressbook_query(text: str, most: int) -> bytes:
    """Ask for the contacts whose name or e-mail address holds a text."""
    root = Element(f"{CARD}addressbook-query")
    _ask(root, (f"{D}getetag", f"{CARD}address-data"))
    wanted = SubElement(root, f"{CARD}filter", test="anyof")
    for name in ("FN", "EMAIL"):
        part = SubElement(wanted, f"{CARD}prop-filter", name=name)
        match = SubElement(part, f"{CARD}text-match")
        match.set("collation", "i;unicode-casemap")
        match.set("match-type", "contains")
        match.text = text
    SubElement(SubElement(root, f"{CARD}limit"), f"{CARD}nresults").text = str(most)
    return _text(root)


def read(response: Response) -> Iterator[Found]:
    """Read a multi-status answer.

    Raises:
        ToolUnexpected: It is not one.
    """
    try:
        root = fromstring(response.content)
    except Exception:  # noqa: BLE001 - malformed XML, or more than XML should hold
        root = Element("none")
    if root.tag != f"{D}multistatus":
        message = "the answer is not a WebDAV multi-status"
        raise ToolUnexpected(message)
    for entry in root.iter(f"{D}response"):
        properties: dict[str, str] = {}
        kinds: set[str] = set()
        for part in entry.iter(f"{D}propstat"):
            if " 200 " not in f"{part.findtext(f'{D}status', '')} ":
                continue
            for value in part.find(f"{D}prop") or ():
                properties[value.tag] = "".join(value.itertext()).strip()
                if value.tag == f"{D}resourcetype":
                    kinds |= {kind.tag for kind in value}
        path = unquote(urlsplit(entry.findtext(f"{D}href", "")).path)
        yield Found(path, properties, frozenset(kinds))


def _ask(parent: Element, names: tuple[str, ...]) -> None:
    wanted = SubElement(parent, f"{D}prop")
    for name in names:
        SubElement(wanted, name)


def _text(root: Element) -> bytes:
    return bytes(tostring(root, encoding="utf-8", xml_declaration=True))
