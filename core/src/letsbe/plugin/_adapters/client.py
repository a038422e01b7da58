"""The client that one call of an operation is lent."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import anyio

from letsbe.errors import (
    LetsBeError,
    ToolFailed,
    ToolUnauthenticated,
    ToolUnavailable,
    ToolUnexpected,
)
from letsbe.plugin._adapters.faults import ReadFault, error_of, find_fault
from letsbe.plugin._adapters.local_files import GrantedFiles
from letsbe.plugin._adapters.paths import fill_path, read_path, settings_in
from letsbe.plugin._adapters.requests import Outgoing, Terms
from letsbe.plugin._adapters.response import Json, Response
from letsbe.plugin._adapters.retries import PASSING, retry_after, wait_before
from letsbe.plugin._calls import Execution
from letsbe.plugin._tool_site import ToolSite

if TYPE_CHECKING:
    from letsbe.plugin._adapters.exchange import Exchange

E = TypeVar("E", bound=LetsBeError)

Value = str | int
Upload = tuple[str, bytes, str]
"""A file's name, content and media type."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT", "SEARCH"})
_MARGIN = 0.5  # seconds before the call's deadline at which a request is given up
_SLOWEST = 60.0  # seconds that one request may take
_MOST_HOPS = 3
_SHORTEST_CREDENTIAL = 8
_UNDONE = frozenset({501, 507})  # errors of the server that say that nothing was done


class ToolClient:
    """Speaks to one tool, for one call.

    It reaches the tool's registered address alone. Secrets are filled in as a request
    leaves; what an adapter holds are references. Every error that it raises is a
    :class:`~letsbe.plugin.ToolFailed` of a named kind.

    Args:
        site: The tool.
        terms: What binds it.
        run: What the core lends to the call; ``None`` for a health check, which has
            no secrets.
        files: The files of the server that the call named.
    """

    def __init__(
        self,
        site: ToolSite,
        terms: Terms,
        run: Execution | None,
        files: GrantedFiles | None = None,
    ) -> None:
        self._site = site
        self._terms = terms
        self._run = run
        self._files = files
        self._exchange: Exchange | None = None
        self._done: list[str] = []
        self._unsure = False
        self._sent: set[str] = set()
        self._values: set[str] = set()

    @property
    def credentials(self) -> frozenset[str]:
        """The credentials that this operation may use, of those that are there."""
        return self._terms.credentials & self._site.secrets.keys()

    @property
    def files(self) -> GrantedFiles:
        """The files of the server that the call's arguments name."""
        assert self._files is not None, "a health check has none"
        return self._files

    def setting(self, name: str) -> str:
        """Return a setting of the tool, such as an account's number.

        Raises:
            ToolUnavailable: Neither the tool registry nor the adapter has one.
        """
        value = self._site.settings.get(name) or self._terms.defaults.get(name)
        if value is None:
            raise ToolUnavailable(
                f"{self._terms.operation}: the tool registry has no `{name}` for "
                f"{self._site.name}",
                alternative="the operator should add it to the tool's settings",
            )
        return value

    def secret(self, credential: str) -> str:
        """Return the value of a credential.

        Raises:
            ToolUnauthenticated: The tool registry names no secret for it.
        """
        if credential not in self.credentials or self._run is None:
            raise ToolUnauthenticated(
                f"{self._terms.operation}: the tool registry names no secret for the "
                f"credential `{credential}` of {self._site.name}",
                alternative="the operator should register it: `letsbe tools check`",
            )
        value = self._run.fill(f"SECRET_REF({self._site.secrets[credential]})")
        self._values.add(value)
        return value

    async def get(
        self,
        path: str,
        values: Mapping[str, Value] | None = None,
        **query: Any,  # noqa: ANN401 - scalars and lists
    ) -> Json:
        """GET some JSON. Parameters of the query that are ``None`` are left out."""
        return (await self.send("GET", path, values, query=query)).json()

    async def send(
        self,
        method: str,
        path: str,
        values: Mapping[str, Value] | None = None,
        *,
        query: Mapping[str, Any] | None = None,
        json: Json = None,
        form: Mapping[str, Any] | None = None,
        files: Mapping[str, Upload] | None = None,
        content: bytes | str | None = None,
        headers: Mapping[str, str] | None = None,
        accept: Collection[int] = (),
        fault: ReadFault | None = None,
        prepares: bool = False,
    ) -> Response:
        """Send a request and give the answer, if it is not an error.

        Args:
            method: The HTTP method.
            path: A template of the path, written by the adapter: ``/posts/{id}/``;
                ``{$account}`` takes a setting.
            values: The value of each of its places; checked and encoded.
            query: Parameters; a list repeats one, ``None`` leaves one out.
            json: The body, as JSON.
            form: Or fields of a form; with ``files`` the other parts of it.
            files: Or files to upload, by the field's name.
            content: Or the body as it is; text may hold references to secrets.
            headers: Headers beside the adapter's own.
            accept: Statuses that are no errors here.
            fault: Finds the error in this answer, instead of the adapter's function.
            prepares: Whether it has no effect until a later request completes it, so
                that no error need tell of it.

        Returns:
            The answer.

        Raises:
            ToolFailed: The tool could not be reached, or gave an error.
            InvalidRequest: A value cannot stand in the path.
        """
        outgoing = Outgoing(
            method,
            self._path(path, values or {}),
            {**self._terms.headers, **(self._fill(dict(headers or {})))},
            {k: v for k, v in self._fill(dict(query or {})).items() if v is not None},
            self,
        )
        body = {
            "json": self._fill(json),
            "form": self._fill(dict(form)) if form is not None else None,
            "files": files,
            "content": _bytes_of(self._fill(content)),
        }
        label = None if prepares else f"{method} {path}"
        return await self._deliver(outgoing, body, label, accept, fault)

    def address(self, path: str, values: Mapping[str, Value] | None = None) -> str:
        """Return the whole address of a path, for headers that name another resource.

        Args:
            path: A template, as for :meth:`send`.
            values: The value of each of its places.

        Raises:
            InvalidRequest: A value cannot stand in the path.
        """
        return self._opened().place(self._path(path, values or {}), {})

    def _path(self, template: str, values: Mapping[str, Value]) -> str:
        filled = {name: self._fill(value) for name, value in values.items()}
        filled |= {f"${name}": self.setting(name) for name in settings_in(template)}
        return fill_path(template, filled)

    async def send_raw(
        self,
        method: str,
        path: str,
        query: Mapping[str, Any],
        json: Json,
    ) -> Response:
        """Send a request whose path someone else wrote; as :meth:`send`."""
        outgoing = Outgoing(
            method,
            read_path(self._fill(path)),
            dict(self._terms.headers),
            self._fill(dict(query)),
            self,
        )
        return await self._deliver(outgoing, {"json": self._fill(json)}, method)

    def redact(self, text: str) -> str:
        """Take secrets out of text that is about to be cut or taken apart."""
        for value in self._sent - self._values:
            text = text.replace(value, "[REDACTED:credential]")
        if self._run is None:
            return text
        return self._run.redact(text.encode()).decode("utf-8", "replace")

    def told(self, error: E) -> E:
        """Add to an error what the call changed before it, or may have."""
        notes = []
        if self._done:
            done = ", ".join(dict.fromkeys(self._done))
            notes.append(f"before that, this took effect: {done}")
        if self._unsure:
            notes.append(
                "the change may have been made all the same: look before you try again"
            )
        if not notes:
            return error
        message = "; ".join([error.message, *notes])
        return type(error)(
            message, details=error.details, alternative=error.alternative
        )

    async def close(self) -> None:
        """Close every connection."""
        if self._exchange is not None:
            await self._exchange.close()

    async def _deliver(
        self,
        outgoing: Outgoing,
        body: Mapping[str, Any],
        label: str | None,
        accept: Collection[int] = (),
        read_fault: ReadFault | None = None,
    ) -> Response:
        before = {*outgoing.headers.values(), *map(str, outgoing.query.values())}
        if self._run is not None:
            self._terms.authenticate(outgoing)
        added = {*outgoing.headers.values(), *map(str, outgoing.query.values())}
        parts = (part for value in added - before for part in value.split(" "))
        self._sent |= {part for part in parts if len(part) >= _SHORTEST_CREDENTIAL}
        changes = label is not None and self._terms.changes
        changes &= outgoing.method not in _SAFE
        response = self._clean(await self._attempts(outgoing, body, changes))
        fault = None
        if response.status not in accept:
            fault = find_fault(response, read_fault or self._terms.fault)
        if fault is not None:
            assert fault.kind is not None
            unsure = response.status >= 500 and response.status not in _UNDONE
            self._unsure |= changes and unsure
            raise self._error(fault.kind, _detail(response), self.redact(fault.text))
        if label is not None and changes and response.status < 400:
            self._done.append(label)
        return response

    async def _attempts(
        self, outgoing: Outgoing, body: Mapping[str, Any], changes: bool
    ) -> Response:
        """Send a request, and again where that can do no harm."""
        from letsbe.plugin._adapters.exchange import Lost  # noqa: PLC0415 - loads httpx

        attempt = 0
        while True:
            attempt += 1
            lost = response = None
            try:
                response = await self._hops(outgoing, body)
                passing = response.status in PASSING
            except Lost as error:
                lost, passing = error, error.passing
            told = None
            if response is not None:
                told = retry_after(response.headers.get("retry-after"))
            wait = wait_before(attempt, told)
            again = passing and (self._terms.idempotent or (lost and not lost.sent))
            if not again or wait is None or wait + _MARGIN >= self._seconds_left():
                break
            await anyio.sleep(wait)
        if lost is not None:
            self._unsure |= changes and lost.sent
            raise self._error(lost.kind, lost.what, alternative=lost.advice)
        assert response is not None
        return response

    async def _hops(self, outgoing: Outgoing, body: Mapping[str, Any]) -> Response:
        """Send a request and follow the redirects that stay where it was sent."""
        exchange = self._opened()
        place = exchange.place(outgoing.path, outgoing.query)
        for _ in range(_MOST_HOPS + 1):
            seconds = min(_SLOWEST, self._seconds_left() - _MARGIN)
            response = await exchange.send(
                outgoing.method, place, outgoing.headers, body, seconds
            )
            if not exchange.redirects(response):
                return response
            place = exchange.follow(outgoing.method, place, response)
        raise self._error(ToolUnexpected, "it redirects in a circle")

    def _opened(self) -> Exchange:
        from letsbe.plugin._adapters.exchange import Exchange  # noqa: PLC0415 - loads httpx

        if self._exchange is None:
            if self._site.base_url is None:
                raise no_address(self._site.name)
            self._exchange = Exchange(self._site.base_url, self._site.certificates)
        return self._exchange

    def _seconds_left(self) -> float:
        return _SLOWEST if self._run is None else self._run.deadline

    def _clean(self, response: Response) -> Response:
        """Take out of an answer what was sent only to prove who we are."""
        content = response.content
        for value in self._sent - self._values:
            content = content.replace(value.encode(), b"[REDACTED:credential]")
        if content is response.content:
            return response
        return Response(response.status, response.headers, content)

    def _fill(self, value: Json) -> Json:
        """Put values in place of references, everywhere in a JSON value."""
        if isinstance(value, str):
            if self._run is None or "SECRET_REF(" not in value:
                return value
            return self._run.fill(value)
        if isinstance(value, Mapping):
            return {key: self._fill(item) for key, item in value.items()}
        if isinstance(value, Sequence) and not isinstance(value, bytes):
            return [self._fill(item) for item in value]
        return value

    def _error(
        self,
        kind: type[ToolFailed],
        what: str,
        vendor: str = "",
        alternative: str | None = None,
    ) -> ToolFailed:
        error = error_of(kind, self._terms.operation, what, vendor)
        if alternative is None:
            return error
        return kind(error.message, alternative=alternative)


def _bytes_of(content: bytes | str | None) -> bytes | None:
    return content.encode() if isinstance(content, str) else content


def no_address(name: str) -> ToolUnavailable:
    """The error for a tool that is not in the registry."""
    return ToolUnavailable(
        f"the tool registry has no address for {name}, so it cannot be called",
        alternative="the operator should run `letsbe tools generate`, then restart",
    )


def _detail(response: Response) -> str:
    """Say what an answer's head says."""
    told = retry_after(response.headers.get("retry-after"))
    if told is None or response.status not in PASSING:
        return f"HTTP {response.status}"
    return f"HTTP {response.status}, again in {told:.0f} seconds"
