"""Logs without secrets: every record of every logger, whatever handler writes it.

Records are redacted where they are made, so that handlers added later see them clean
too. Fields of ``extra`` are added after that; :class:`RedactingFilter` takes care of
them, and :class:`RedactingFormatter` looks once more at the finished text.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

from typing_extensions import override

from letsbe.redaction.documents import JSON
from letsbe.redaction.pipeline import Pipeline

UVICORN_LOGGERS = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")
"""uvicorn's loggers. Their own handlers are taken off; records go to the root's."""

WITHHELD = "a log record was withheld because it could not be redacted"
"""The text of a record that cannot be redacted."""

_busy = threading.local()
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
_LINE_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class RedactingFilter(logging.Filter):
    """Redacts a record in place, its ``extra`` fields included; drops none.

    Args:
        pipeline: What finds the secrets.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__()
        self._pipeline = pipeline

    @override
    def filter(self, record: logging.LogRecord) -> bool:
        """Redact the record. What cannot be redacted is replaced by a fixed text."""
        try:
            with _redacting():
                self._redact(record)
        except Exception:  # noqa: BLE001 - any failure here would show the record
            _withhold(record)
        return True

    def _redact(self, record: logging.LogRecord) -> None:
        clean = self._pipeline.redact_text
        record.name = clean(str(record.name))
        self._redact_message(record)
        if record.exc_info and not record.exc_text:
            record.exc_text = logging.Formatter().formatException(record.exc_info)
        record.exc_info = None
        if record.exc_text:
            record.exc_text = clean(record.exc_text)
        if record.stack_info:
            record.stack_info = clean(record.stack_info)
        for key in [key for key in vars(record) if key not in _STANDARD]:
            value = _as_json(record.__dict__.pop(key))
            record.__dict__[clean(key)] = self._pipeline.redact_json(value)

    def _redact_message(self, record: logging.LogRecord) -> None:
        """Redact the message; leave clean arguments to handlers that read them."""
        clean = self._pipeline.redact_text
        message = record.getMessage()
        redacted = clean(message)
        if redacted is message and _plain(record.args) and self._clean_parts(record):
            return
        record.msg, record.args = redacted, ()

    def _clean_parts(self, record: logging.LogRecord) -> bool:
        """Tell whether message and arguments are clean each by itself, as written."""
        parts = [record.msg, *_values(record.args)]
        texts = [repr(part) if isinstance(part, bytes) else str(part) for part in parts]
        return all(self._pipeline.redact_text(text) is text for text in texts)


class RedactingFormatter(logging.Formatter):
    """Formats with another formatter and redacts what comes out.

    Args:
        pipeline: What finds the secrets.
        inner: The formatter that lays the record out; a plain line if None.
    """

    def __init__(
        self, pipeline: Pipeline, inner: logging.Formatter | None = None
    ) -> None:
        super().__init__()
        self._inner = inner or logging.Formatter(_LINE_FORMAT)
        self._filter = RedactingFilter(pipeline)
        self._pipeline = pipeline

    @override
    def format(self, record: logging.LogRecord) -> str:
        self._filter.filter(record)
        try:
            with _redacting():
                return self._pipeline.redact_text(self._inner.format(record))
        except Exception:  # noqa: BLE001 - any failure here would show the record
            _withhold(record)
            return f"{record.levelname} {record.name}: {WITHHELD}"


class JsonLines(logging.Formatter):
    """Lays a record out as one line of JSON.

    Fields: ``time`` (RFC 3339, UTC), ``level``, ``logger``, ``message``, where there
    are such ``exception`` and ``stack``, and the fields of ``extra`` under ``fields``.
    """

    @override
    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        if record.exc_text:
            line["exception"] = record.exc_text
        if record.stack_info:
            line["stack"] = record.stack_info
        fields = {key: v for key, v in vars(record).items() if key not in _STANDARD}
        if fields:
            line["fields"] = fields
        return json.dumps(line, ensure_ascii=False, default=str)


def install(
    pipeline: Pipeline,
    *,
    stream: TextIO | None = None,
    json_lines: bool = False,
    level: int = logging.INFO,
) -> Callable[[], None]:
    """Redact all that this process logs, and write it to one stream.

    Root gets one handler; uvicorn's loggers lose theirs and pass on to it; ``warnings``
    and exceptions that nobody caught are logged instead of printed. Run uvicorn with
    ``log_config=None``.

    Args:
        pipeline: What finds the secrets.
        stream: Where lines go; standard error if None.
        json_lines: Write JSON lines instead of plain ones.
        level: The lowest level that root lets pass.

    Returns:
        A function that puts everything back as it was.
    """
    redacting = RedactingFilter(pipeline)
    handler = logging.StreamHandler(stream)
    handler.addFilter(redacting)
    inner = JsonLines() if json_lines else None
    handler.setFormatter(RedactingFormatter(pipeline, inner))
    undo = [
        _replace_factory(redacting),
        _replace_handlers(handler, level),
        _catch_uncaught(),
    ]
    logging.captureWarnings(True)

    def uninstall() -> None:
        logging.captureWarnings(False)
        for step in reversed(undo):
            step()

    return uninstall


@contextmanager
def redacted_logging(
    pipeline: Pipeline, *, stream: TextIO | None = None, json_lines: bool = False
) -> Iterator[None]:
    """Install for the length of a block; the arguments are those of :func:`install`."""
    uninstall = install(pipeline, stream=stream, json_lines=json_lines)
    try:
        yield
    finally:
        uninstall()


@contextmanager
def _redacting() -> Iterator[None]:
    """Refuse records of a layer that logs while it redacts: there is no end to them."""
    if getattr(_busy, "now", False):
        message = "already redacting"
        raise RuntimeError(message)
    _busy.now = True
    try:
        yield
    finally:
        _busy.now = False


def _withhold(record: logging.LogRecord) -> None:
    record.msg, record.args = WITHHELD, ()
    record.exc_info = record.exc_text = record.stack_info = None
    for key in [key for key in vars(record) if key not in _STANDARD]:
        del record.__dict__[key]


def _values(args: object) -> list[object]:
    if isinstance(args, dict):
        return [*args.keys(), *args.values()]
    return list(args) if isinstance(args, tuple) else [args]


def _plain(args: object) -> bool:
    """Tell whether arguments hold nothing that could look different another time."""
    kinds = (str, bytes, int, float, bool, type(None))
    return all(type(value) in kinds for value in _values(args))


def _as_json(value: object) -> JSON:
    result: JSON = json.loads(json.dumps(value, default=str, skipkeys=True))
    return result


def _replace_factory(redacting: RedactingFilter) -> Callable[[], None]:
    before = logging.getLogRecordFactory()

    def make(*args: object, **kwargs: object) -> logging.LogRecord:
        record = before(*args, **kwargs)
        redacting.filter(record)
        return record

    logging.setLogRecordFactory(make)
    return lambda: logging.setLogRecordFactory(before)


def _replace_handlers(handler: logging.Handler, level: int) -> Callable[[], None]:
    root = logging.getLogger()
    loggers = [root, *(logging.getLogger(name) for name in UVICORN_LOGGERS)]
    before = [(each, each.handlers[:], each.propagate, each.level) for each in loggers]
    for each in loggers:
        each.handlers[:] = []
        each.propagate = True
    root.handlers[:] = [handler]
    root.setLevel(level)

    def restore() -> None:
        for each, handlers, propagate, old_level in before:
            each.handlers[:] = handlers
            each.propagate = propagate
            each.setLevel(old_level)

    return restore


def _catch_uncaught() -> Callable[[], None]:
    """Log exceptions that would be printed: of any thread, and in destructors."""
    logger = logging.getLogger("letsbe.uncaught")
    before = sys.excepthook, threading.excepthook, sys.unraisablehook

    def main(
        kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        logger.critical("uncaught exception", exc_info=(kind, error, trace))

    def thread(args: threading.ExceptHookArgs) -> None:
        error = args.exc_value or args.exc_type()
        if not isinstance(error, SystemExit):
            logger.critical(
                "uncaught exception in a thread",
                exc_info=(args.exc_type, error, args.exc_traceback),
            )

    def unraisable(args: sys.UnraisableHookArgs) -> None:
        error = args.exc_value or args.exc_type()
        logger.error(
            "exception that could not be raised",
            exc_info=(args.exc_type, error, args.exc_traceback),
        )

    sys.excepthook = main
    threading.excepthook = thread
    sys.unraisablehook = unraisable

    def restore() -> None:
        sys.excepthook, threading.excepthook, sys.unraisablehook = before

    return restore
