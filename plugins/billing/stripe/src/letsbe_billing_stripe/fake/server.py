"""The fake as an HTTP server on loopback, with faults to inject."""

from __future__ import annotations

import enum
import json
import re
import socket
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import anyio
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as HttpRoute

from letsbe_billing_stripe.fake import rules
from letsbe_billing_stripe.fake.contract import find_route, problems
from letsbe_billing_stripe.fake.forms import read_form
from letsbe_billing_stripe.fake.state import DAY, HANDLERS, Broken, Sent, State
from letsbe_billing_stripe.fake.webhooks import Actions

KEY = "sk_test_fakefakefakefakefakefake"
SIGNING = "whsec_fakefakefakefakefakefake"


class Fault(enum.Enum):
    """What may go wrong with one request."""

    RATE_LIMIT = 429
    """Refused before anything was done; asks to wait two seconds."""
    ERROR_BEFORE = 503
    """Failed before anything was done."""
    ERROR_AFTER = 500
    """Done, and answered with an error of the server."""
    CUT_AFTER = 0
    """Done, and the connection is cut before the answer."""


class FakeStripe:
    """A fake Stripe on a port of 127.0.0.1; a context manager.

    ``delay`` is for how many seconds each request takes;
    ``faults`` is consumed from the left, one for each request, ``None`` for none;
    ``act`` pays, cancels and refunds, and gives the webhooks that tell of it.
    """

    def __init__(self) -> None:
        self.state = State()
        self.act = Actions(self.state, SIGNING)
        self.delay = 0.0
        self.faults: deque[Fault | None] = deque()
        self.requests: list[tuple[str, str, Sent]] = []
        self._answers: dict[str, tuple[float, Sent, int, Sent]] = {}
        self._under_way: set[str] = set()
        self._socket = socket.socket()
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(64)  # so that nobody is refused before the server runs
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        route = HttpRoute("/{path:path}", self._serve, methods=["GET", "POST"])
        app = Starlette(routes=[route])
        config = uvicorn.Config(app, log_level="error", lifespan="off")
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()

    @property
    def settings(self) -> dict[str, Any]:
        """The plugin's settings for this fake."""
        return {
            "secret_key": KEY,
            "webhook_secrets": (SIGNING,),
            "plans": {"lite": 2900, "build": 4500, "scale": 7500, "enterprise": 10900},
            "overage_price": 1,
            "api_base": self.url,
        }

    async def _serve(self, request: Request) -> Response:
        body = (await request.body()).decode()
        sent = read_form(body if request.method == "POST" else request.url.query)
        self.requests.append((request.method, request.url.path, sent))
        fault = self.faults.popleft() if self.faults else None
        if fault in {Fault.RATE_LIMIT, Fault.ERROR_BEFORE}:
            return _error(fault.value, "a fault before", {"retry-after": "2"})
        with self._alone(request, sent) as rule:
            await anyio.sleep(self.delay)
            if rule is not None:
                return JSONResponse(_body(rule, rule.message), rule.status)
            status, answer = self._answer(request, sent, fault)
        if fault is Fault.CUT_AFTER:
            raise ConnectionAbortedError
        return JSONResponse(answer, status)

    @contextmanager
    def _alone(self, request: Request, sent: Sent) -> Iterator[rules.Rule | None]:
        """Hold a request's lane and idempotency key, or say which rule is broken."""
        names = []
        if key := request.headers.get("idempotency-key", ""):
            names.append((rules.UNDER_WAY, key))
        if request.url.path == "/v1/billing/meter_events":
            customer = sent.get("payload", {}).get("stripe_customer_id")
            lane = f"{sent.get('event_name')} {customer}"
            names.append((rules.ONE_AT_A_TIME, lane))
        broken = next((rule for rule, name in names if name in self._under_way), None)
        held = {name for _, name in names} if broken is None else set()
        self._under_way |= held
        try:
            yield broken
        finally:
            self._under_way -= held

    def _answer(
        self, request: Request, sent: Sent, fault: Fault | None
    ) -> tuple[int, Sent]:
        key = request.headers.get("idempotency-key")
        try:
            if request.headers.get("authorization") != f"Bearer {KEY}":
                raise Broken(rules.KEYED)
            if key and request.method == "POST" and (known := self._known(key, sent)):
                return known
            status, answer = 200, self._handle(request, sent)
        except Broken as broken:
            status, answer = broken.rule.status, _body(broken.rule, broken.message)
        if fault is Fault.ERROR_AFTER:
            status, answer = 500, {"error": {"type": "api_error", "message": "fault"}}
        if key and request.method == "POST":
            self._answers[key] = (self.state.now, sent, status, answer)
        return status, answer

    def _known(self, key: str, sent: Sent) -> tuple[int, Sent] | None:
        """Give the first answer of an idempotency key, if it is still kept."""
        if key not in self._answers:
            return None
        at, first, status, answer = self._answers[key]
        if at <= self.state.now - DAY:
            return None
        if first != sent:
            raise Broken(rules.SAME_REQUEST)
        return status, answer

    def _handle(self, request: Request, sent: Sent) -> Sent:
        verb, path = request.method.lower(), request.url.path
        route = find_route(verb, path)
        if route is None:
            raise Broken(rules.MISSING, f": the SDK has no {verb} {path}")
        wrong = problems(route, sent)
        if wrong:
            raise Broken(rules.Rule("the SDK's own types", "form", message=wrong[0]))
        handler = HANDLERS.get((verb, route.path))
        if handler is None:
            raise Broken(rules.MISSING, f": this fake does not answer {verb} {path}")
        pattern = re.sub(r"\{\w+\}", "([^/]+)", route.path)
        match = re.fullmatch(pattern, path)
        return handler(self.state, sent, list(match.groups()) if match else [])


def _body(rule: rules.Rule, message: str) -> Sent:
    kind = (
        "idempotency_error" if rule is rules.SAME_REQUEST else "invalid_request_error"
    )
    return {"error": {"type": kind, "message": message}}


def _error(status: int, message: str, headers: dict[str, str]) -> Response:
    content = json.dumps({"error": {"type": "api_error", "message": message}})
    return Response(content, status, headers, media_type="application/json")
