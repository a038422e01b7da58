"""A fake of Nextcloud's WebDAV, CalDAV and CardDAV, small, after what 34.0.1 does."""

from __future__ import annotations

import hashlib
import itertools
import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit
from xml.sax.saxutils import escape

from starlette.requests import Request
from starlette.responses import Response

HOME = "/remote.php/dav/files/ada"
TRASH = "/remote.php/dav/trashbin/ada"
VERSIONS = "/remote.php/dav/versions/ada"
UPLOADS = "/remote.php/dav/uploads/ada"
CALENDARS = "/remote.php/dav/calendars/ada"
BOOKS = "/remote.php/dav/addressbooks/users/ada"
_HEAD = (
    '<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"'
    ' xmlns:nc="http://nextcloud.org/ns" xmlns:cal="urn:ietf:params:xml:ns:caldav"'
    ' xmlns:card="urn:ietf:params:xml:ns:carddav">'
)


@dataclass
class Node:
    """A file, or a folder if it has no content."""

    content: bytes | None
    number: int = field(default_factory=itertools.count(100).__next__)
    older: dict[str, bytes] = field(default_factory=dict)

    @property
    def etag(self) -> str:
        return hashlib.md5(self.content or b"folder").hexdigest()


class FakeDav:
    """The files, calendars and contacts of one user."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {HOME: Node(None)}
        self.trash: dict[str, tuple[str, Node]] = {}
        self.knows_ranges = True
        self.uploads: dict[str, dict[str, bytes]] = {}
        self.events: dict[str, str] = {}
        self.cards: dict[str, str] = {}

    async def answer(self, request: Request) -> Response:
        """Answer one request."""
        path = unquote(request.scope["raw_path"].decode()).rstrip("/")
        body = await request.body()
        if path.startswith(TRASH):
            return self._trash(request, path)
        if path.startswith(VERSIONS):
            return self._versions(request, path)
        if path.startswith(UPLOADS):
            return self._upload(request, path, body)
        if path.startswith((CALENDARS, BOOKS)):
            return self._objects(request, path, body)
        handler = getattr(self, f"_{request.method.lower()}", None)
        if handler is None:
            return _error(501, "NotImplemented", "not here")
        answered: Response = handler(request, path, body)
        return answered

    def _propfind(self, request: Request, path: str, body: bytes) -> Response:
        if path not in self.nodes:
            return _not_found(path)
        depth = request.headers["depth"]
        assert depth in {"0", "1"}, "an agent must never ask for the whole tree"
        found = [path]
        if depth == "1":
            inside = re.compile(rf"{re.escape(path)}/[^/]+")
            found += sorted(p for p in self.nodes if inside.fullmatch(p))
        return _many(self._described(p) for p in found)

    def _search(self, request: Request, path: str, body: bytes) -> Response:
        text = body.decode()
        (scope,) = re.findall(r"<d:href>(.*?)</d:href>", text)
        (wanted,) = re.findall(r"<d:literal>%(.*)%</d:literal>", text)
        plain = re.sub(r"\\(.)", r"\1", wanted)
        top = f"/remote.php/dav{scope}"
        found = [p for p in self.nodes if p.startswith(f"{top}/")]
        named = [p for p in found if plain in p.rsplit("/", 1)[1]]
        return _many(self._described(p) for p in named)

    def _get(self, request: Request, path: str, body: bytes) -> Response:
        node = self.nodes.get(path)
        if node is None or node.content is None:
            return _not_found(path)
        match = re.fullmatch(r"bytes=(\d+)-(\d+)", request.headers.get("range", ""))
        wanted = request.headers.get("if-match", f'"{node.etag}"')
        if wanted != f'"{node.etag}"':
            return _error(412, "PreconditionFailed", "the etag did not match")
        if match is None or not self.knows_ranges:
            return Response(node.content)
        start, last = int(match[1]), int(match[2])
        if start >= len(node.content):
            return _error(416, "RequestedRangeNotSatisfiable", "it is shorter")
        return Response(node.content[start : last + 1], 206)

    def _put(self, request: Request, path: str, body: bytes) -> Response:
        if path.rsplit("/", 1)[0] not in self.nodes:
            return _error(409, "Conflict", "Parent node does not exist")
        old = self.nodes.get(path)
        if old and request.headers.get("if-none-match") == "*":
            return _error(412, "PreconditionFailed", "an etag exists")
        match = request.headers.get("if-match")
        if match is not None and (old is None or match != f'"{old.etag}"'):
            return _error(412, "PreconditionFailed", "the etag did not match")
        node = old or Node(body)
        if old is not None and old.content is not None:
            old.older[str(1790000000 + len(old.older))] = old.content
        node.content = body
        self.nodes[path] = node
        headers = {"oc-etag": f'"{node.etag}"', "oc-fileid": f"{node.number:08}oc"}
        return Response(status_code=204 if old else 201, headers=headers)

    def _upload(self, request: Request, path: str, body: bytes) -> Response:
        """Take chunks (version 2), and put them together."""
        name, _, chunk = path[len(UPLOADS) + 1 :].partition("/")
        to = unquote(urlsplit(request.headers.get("destination", "")).path)
        if request.method == "MKCOL":
            self.uploads[name] = {}
            return Response(status_code=201)
        if name not in self.uploads:
            return _not_found(path)
        if request.method == "DELETE":
            del self.uploads[name]
            return Response(status_code=204)
        chunks = self.uploads[name]
        if request.method == "PUT":
            assert 1 <= int(chunk) <= 10_000
            chunks[chunk] = body
            return Response(status_code=201)
        assert (request.method, chunk) == ("MOVE", ".file")
        if to in self.nodes and request.headers["overwrite"] == "F":
            return _error(412, "PreconditionFailed", "the destination exists")
        condition = re.fullmatch(r'<.*> \(\["(.*)"\]\)', request.headers.get("if", ""))
        if condition and self.nodes[to].etag != condition[1]:
            return _error(412, "PreconditionFailed", "an If-header did not match")
        *others, _ = (len(chunks[key]) for key in sorted(chunks))
        assert all(5_000_000 <= size <= 5_000_000_000 for size in others)
        content = b"".join(chunks[key] for key in sorted(chunks))
        assert len(content) == int(request.headers["oc-total-length"])
        del self.uploads[name]
        return self._put(request, to, content)

    def _mkcol(self, request: Request, path: str, body: bytes) -> Response:
        if path in self.nodes:
            return _error(405, "MethodNotAllowed", "it already exists")
        if path.rsplit("/", 1)[0] not in self.nodes:
            return _error(409, "Conflict", "Parent node does not exist")
        self.nodes[path] = Node(None)
        return Response(status_code=201)

    def _move(self, request: Request, path: str, body: bytes) -> Response:
        answered = self._copy(request, path, body)
        if answered.status_code < 300:
            for old in [p for p in self.nodes if p == path or p.startswith(f"{path}/")]:
                del self.nodes[old]
        return answered

    def _copy(self, request: Request, path: str, body: bytes) -> Response:
        to = unquote(urlsplit(request.headers["destination"]).path)
        if path not in self.nodes:
            return _not_found(path)
        if to in self.nodes and request.headers["overwrite"] == "F":
            return _error(412, "PreconditionFailed", "the destination exists")
        existed = to in self.nodes
        for old in [p for p in self.nodes if p == path or p.startswith(f"{path}/")]:
            self.nodes[to + old[len(path) :]] = Node(self.nodes[old].content)
        return Response(status_code=204 if existed else 201)

    def _delete(self, request: Request, path: str, body: bytes) -> Response:
        node = self.nodes.pop(path, None)
        if node is None:
            return _not_found(path)
        name = path.rsplit("/", 1)[1]
        self.trash[f"{name}.d1790000000"] = (path[len(HOME) + 1 :], node)
        return Response(status_code=204)

    def _versions(self, request: Request, path: str) -> Response:
        _, _, number, *version = path[len(VERSIONS) :].split("/")
        nodes = [n for n in self.nodes.values() if str(n.number) == number]
        if not nodes:
            return _not_found(path)
        (node,) = nodes
        if request.method == "PROPFIND":
            told = [_entry(f"{path}/", "")]
            for name, content in node.older.items():
                length = f"<d:getcontentlength>{len(content)}</d:getcontentlength>"
                told.append(_entry(f"{path}/{name}", length))
            return _many(told)
        where = unquote(urlsplit(request.headers["destination"]).path)
        assert where == f"{VERSIONS}/restore/target"
        if version[0] not in node.older:
            return _not_found(path)
        node.older["1790009999"], node.content = (
            node.content or b"",
            node.older.pop(version[0]),
        )
        return Response(status_code=201)

    def _trash(self, request: Request, path: str) -> Response:
        if request.method == "PROPFIND":
            told = [_entry(f"{TRASH}/trash/", "")]
            for name, (origin, _) in self.trash.items():
                known = (
                    f"<nc:trashbin-filename>{name.rsplit('.d', 1)[0]}"
                    "</nc:trashbin-filename><nc:trashbin-original-location>"
                    f"{escape(origin)}</nc:trashbin-original-location>"
                )
                told.append(_entry(f"{TRASH}/trash/{name}", known))
            return _many(told)
        origin, node = self.trash.pop(path.rsplit("/", 1)[1])
        if request.method == "MOVE":
            where = unquote(urlsplit(request.headers["destination"]).path)
            assert where.startswith(f"{TRASH}/restore/")
            self.nodes[f"{HOME}/{origin}"] = node
        return Response(status_code=204)

    def _objects(self, request: Request, path: str, body: bytes) -> Response:
        events = path.startswith(CALENDARS)
        kept = self.events if events else self.cards
        if request.method == "PROPFIND":
            name, kind = ("personal", "cal:calendar"), "cal:calendar"
            if not events:
                name, kind = ("contacts", "card:addressbook"), "card:addressbook"
            known = f"<d:resourcetype><d:collection/><{kind}/></d:resourcetype>"
            title = f"<d:displayname>{name[0].title()}</d:displayname>"
            own = _entry(f"{path}/", "<d:resourcetype><d:collection/></d:resourcetype>")
            return _many([own, _entry(f"{path}/{name[0]}/", known + title)])
        if request.method == "REPORT":
            part = "cal:calendar-data" if events else "card:address-data"
            wanted = re.findall(r"<[a-z:0-9]*text-match[^>]*>(.*?)<", body.decode())
            return _many(
                _entry(p, f"<{part}>{escape(text)}</{part}>")
                for p, text in kept.items()
                if not wanted or wanted[0].lower() in text.lower()
            )
        if request.method == "PUT":
            if path in kept:
                return _error(412, "PreconditionFailed", "it exists")
            kept[path] = body.decode()
            return Response(status_code=201)
        if kept.pop(path, None) is None:
            return _not_found(path)
        return Response(status_code=204)

    def _described(self, path: str) -> str:
        node = self.nodes[path]
        kind = "<d:collection/>" if node.content is None else ""
        size = 0 if node.content is None else len(node.content)
        length = "" if node.content is None else f"<d:getcontentlength>{size}"
        length += "</d:getcontentlength>" if length else ""
        return _entry(
            path,
            f"<d:resourcetype>{kind}</d:resourcetype>{length}<oc:size>{size}</oc:size>"
            f"<d:getcontenttype>text/plain</d:getcontenttype>"
            f'<d:getetag>"{node.etag}"</d:getetag><oc:permissions>RGDNVW'
            f"</oc:permissions><oc:fileid>{node.number}</oc:fileid>",
        )


def _entry(path: str, known: str) -> str:
    found = f"<d:propstat><d:prop>{known}</d:prop><d:status>HTTP/1.1 200 OK</d:status>"
    missing = (
        "<d:propstat><d:prop><nc:absent/></d:prop>"
        "<d:status>HTTP/1.1 404 Not Found</d:status></d:propstat>"
    )
    href = escape(path).replace(" ", "%20")
    return (
        f"<d:response><d:href>{href}</d:href>{found}</d:propstat>{missing}</d:response>"
    )


def _many(entries: object) -> Response:
    text = "".join(entries)  # type: ignore[arg-type] # any iterable of texts
    content = f"{_HEAD}{text}</d:multistatus>"
    return Response(content, 207, media_type="application/xml; charset=utf-8")


def _not_found(path: str) -> Response:
    return _error(404, "NotFound", f"File with name {path} could not be located")


def _error(status: int, name: str, message: str) -> Response:
    content = (
        '<?xml version="1.0"?><d:error xmlns:d="DAV:" xmlns:s="http://sabredav.org/ns">'
        f"<s:exception>Sabre\\DAV\\Exception\\{name}</s:exception>"
        f"<s:message>{escape(message)}</s:message></d:error>"
    )
    return Response(content, status, media_type="application/xml; charset=utf-8")
