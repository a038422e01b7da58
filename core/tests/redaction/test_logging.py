"""Logs: whatever is logged, by whom and through what handler, holds no secret."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pytest
from typing_extensions import override

from letsbe.redaction.finding import Finding, RedactionLayer
from letsbe.redaction.logging import (
    WITHHELD,
    RedactingFilter,
    RedactingFormatter,
    redacted_logging,
)
from letsbe.redaction.pipeline import Pipeline

CANARY = "canary-7f3a"
PIN = 12345678
MakeLayer = Callable[[Mapping[str, str]], RedactionLayer]


class Broken:
    """A layer that fails, with the text in its message, and logs as it does."""

    name = "broken"
    order = 1

    def find(self, text: bytes) -> Iterable[Finding]:
        logging.getLogger("layer").error("failed on %s", text)
        raise ValueError(text)


class Keeping(logging.Handler):
    """A handler that keeps every field of every record, and looks at nothing else."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[dict[str, Any]] = []

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(dict(vars(record)))


class Shy:
    """An object that shows the canary only in its text."""

    @override
    def __repr__(self) -> str:
        return f"Shy({CANARY})"


@pytest.fixture
def pipeline(literals: MakeLayer) -> Pipeline:
    return Pipeline([literals({"token": CANARY, "pin": str(PIN), "two": "a\nb\nc"})])


@pytest.fixture
def stream(pipeline: Pipeline) -> Iterator[io.StringIO]:
    stream = io.StringIO()
    with redacted_logging(pipeline, stream=stream):
        yield stream
    assert CANARY not in stream.getvalue()
    assert str(PIN) not in stream.getvalue()


def raise_chain() -> None:
    try:
        try:
            raise ValueError(f"first {CANARY}\nsecond line {CANARY}")
        except ValueError as error:
            error.add_note(f"note {CANARY}")
            raise KeyError(CANARY) from error
    except KeyError:
        raise ExceptionGroup("group", [OSError(2, CANARY), TypeError(PIN)])  # noqa: B904 - the implicit chain is wanted


@pytest.mark.parametrize(
    ("message", "args", "after"),
    [
        (f"plain {CANARY}", (), "plain SECRET_REF(token)"),
        ("arg %s", (CANARY,), "arg SECRET_REF(token)"),
        ("number %d", (PIN,), "number SECRET_REF(pin)"),
        ("object %r", (Shy(),), "object Shy(SECRET_REF(token))"),
        ("%(a)s", ({"a": CANARY},), "SECRET_REF(token)"),
        ("joined %s-%s", ("canary", "7f3a"), "joined SECRET_REF(token)"),
        ("nested %s", ([{"a": [CANARY]}],), "nested [{'a': ['SECRET_REF(token)']}]"),
        ("bytes %s", (CANARY.encode(),), "bytes b'SECRET_REF(token)'"),
    ],
)
def test_messages_and_arguments(
    stream: io.StringIO, message: str, args: tuple[object, ...], after: str
) -> None:
    logging.getLogger("room").warning(message, *args)
    assert stream.getvalue().endswith(f"WARNING room: {after}\n")


def test_exceptions_their_causes_and_notes(stream: io.StringIO) -> None:
    try:
        raise_chain()
    except ExceptionGroup:
        logging.getLogger("room").exception("failed", stack_info=True)
    text = stream.getvalue()
    assert text.count("SECRET_REF(token)") >= 5
    assert "second line SECRET_REF(token)" in text
    assert "Traceback (most recent call last)" in text
    assert "Stack (most recent call last)" in text


def test_handlers_of_others_see_clean_records(stream: io.StringIO) -> None:
    logger = logging.getLogger("vendor.library")
    keeping = Keeping()
    logger.addHandler(keeping)
    try:
        try:
            raise_chain()
        except ExceptionGroup:
            logger.exception("failed %s", CANARY)
        logger.info("fine %s %d", "text", 5)
    finally:
        logger.removeHandler(keeping)
    assert CANARY not in repr(keeping.records)
    # Clean arguments stay apart: uvicorn's access log reads them.
    assert keeping.records[1]["args"] == ("text", 5)


def test_extra_fields(stream: io.StringIO, pipeline: Pipeline) -> None:
    keeping = Keeping()
    keeping.addFilter(RedactingFilter(pipeline))
    logging.getLogger().addHandler(keeping)
    logging.getLogger("room").warning(
        "x", extra={"a": {"b": [CANARY, PIN]}, CANARY: 1, "object": Shy(), "ok": 3}
    )
    assert CANARY not in repr(keeping.records)
    assert keeping.records[0]["a"] == {"b": ["SECRET_REF(token)", "SECRET_REF(pin)"]}
    assert keeping.records[0]["ok"] == 3


def test_warnings_are_logged(stream: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)  # catch_warnings took the hook away
        warnings.warn(f"old {CANARY}", stacklevel=1)
    assert "old SECRET_REF(token)" in stream.getvalue()


def test_json_lines(pipeline: Pipeline) -> None:
    stream = io.StringIO()
    with redacted_logging(pipeline, stream=stream, json_lines=True):
        try:
            raise_chain()
        except ExceptionGroup:
            logging.getLogger("room").exception(
                "failed %s\nagain", PIN, extra={CANARY: Shy()}, stack_info=True
            )
        logging.getLogger("room").info("fine")
    assert CANARY not in stream.getvalue()
    first, second = map(json.loads, stream.getvalue().splitlines())
    assert first["message"] == "failed SECRET_REF(pin)\nagain"
    assert first["fields"] == {"SECRET_REF(token)": "Shy(SECRET_REF(token))"}
    assert first["exception"].count("\n") > 5
    assert "stack" in first
    assert second.keys() == {"time", "level", "logger", "message"}
    assert second["time"].endswith("+00:00")


def test_uvicorn_logs_through_root(pipeline: Pipeline) -> None:
    access = logging.getLogger("uvicorn.access")
    own = Keeping()
    access.addHandler(own)
    access.propagate = False
    stream = io.StringIO()
    with redacted_logging(pipeline, stream=stream):
        access.info('%s - "%s %s HTTP/%s" %d', "::1", "GET", f"/{CANARY}", "1.1", 200)
    assert '::1 - "GET /SECRET_REF(token) HTTP/1.1" 200' in stream.getvalue()
    assert own.records == []
    assert access.handlers == [own]
    access.removeHandler(own)
    access.propagate = True


@pytest.mark.parametrize("json_lines", [True, False])
def test_what_cannot_be_redacted_is_not_shown(json_lines: bool) -> None:
    stream = io.StringIO()
    keeping = Keeping()
    with redacted_logging(Pipeline([Broken()]), stream=stream, json_lines=json_lines):
        logging.getLogger().addHandler(keeping)
        try:
            raise ValueError(CANARY)
        except ValueError:
            logging.getLogger("room").exception(CANARY, extra={"field": CANARY})
    assert CANARY not in stream.getvalue() + repr(keeping.records)
    assert WITHHELD in stream.getvalue()
    assert len(stream.getvalue().splitlines()) < 20
    assert "room" in stream.getvalue()
    assert "ERROR" in stream.getvalue()


def test_a_message_that_cannot_be_formatted_is_not_shown(
    stream: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    message = f"%d {CANARY}"
    logging.getLogger("room").warning(message, CANARY)
    assert f"WARNING room: {WITHHELD}" in stream.getvalue()
    assert CANARY not in capsys.readouterr().err


def test_uncaught_exceptions_are_logged(stream: io.StringIO) -> None:
    def fail() -> None:
        raise ValueError(CANARY)

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    try:
        fail()
    except ValueError as error:
        sys.excepthook(type(error), error, error.__traceback__)
    assert stream.getvalue().count("ValueError: SECRET_REF(token)") == 2


def test_asyncio_logs_lost_exceptions(stream: io.StringIO) -> None:
    async def main() -> None:
        asyncio.get_running_loop().call_exception_handler(
            {"message": f"lost {CANARY}", "exception": ValueError(CANARY)}
        )

    asyncio.run(main())
    assert stream.getvalue().count("SECRET_REF(token)") >= 2


def test_the_formatter_alone_redacts(pipeline: Pipeline) -> None:
    formatter = RedactingFormatter(pipeline, logging.Formatter("%(message)s %(extra)s"))
    record = logging.makeLogRecord({"msg": "can", "extra": f"x{CANARY}"})
    assert formatter.format(record) == "can xSECRET_REF(token)"


def test_a_secret_of_several_lines_in_a_traceback(stream: io.StringIO) -> None:
    try:
        raise ValueError("a\nb\nc")
    except ValueError:
        logging.getLogger("room").exception("failed")
    assert "ValueError: SECRET_REF(two)" in stream.getvalue()


def test_everything_is_put_back(pipeline: Pipeline) -> None:
    root = logging.getLogger()
    before = (
        root.handlers[:],
        root.level,
        logging.getLogRecordFactory(),
        sys.excepthook,
        threading.excepthook,
        sys.unraisablehook,
        warnings.showwarning,
    )
    with redacted_logging(pipeline, stream=io.StringIO()):
        assert logging.getLogRecordFactory() is not before[2]
    assert before == (
        root.handlers[:],
        root.level,
        logging.getLogRecordFactory(),
        sys.excepthook,
        threading.excepthook,
        sys.unraisablehook,
        warnings.showwarning,
    )


def test_nothing_of_a_traceback_is_lost_without_secrets(stream: io.StringIO) -> None:
    try:
        raise ValueError("harmless")
    except ValueError:
        logging.getLogger("room").exception("failed")
        expected = traceback.format_exc()
    assert expected.strip() in stream.getvalue()
