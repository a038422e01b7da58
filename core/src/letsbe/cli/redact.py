"""``letsbe redact``: takes the secrets out of text."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, runtime_checkable

import click

from letsbe.cli.output import EXIT_FAILED, error_json, home_option, reporting
from letsbe.errors import ConfigurationError, InvalidRequest, LetsBeError
from letsbe.footprint import settle
from letsbe.home import Home

if TYPE_CHECKING:
    from letsbe.discovery.plugin_set import PluginSet
    from letsbe.plugin._facade import Plugins
    from letsbe.redaction.pipeline import Pipeline
    from letsbe.redaction.spans import Span
    from letsbe.vault.secret import RegisteredSecrets, Secret

SETTLE_SECONDS = 60.0
WARM_UP = b'{"token": "none", "at": "https://example.com/?key=none"}\n' * 64


@click.command()
@click.argument(
    "files", nargs=-1, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option(
    "--explain",
    is_flag=True,
    help="Tell on standard error what was found, and by what.",
)
@click.option("--jsonl", is_flag=True, help="Read and write one JSON object a line.")
@click.option(
    "--stream", type=click.IntRange(min=1), help="Feed text in pieces of so many bytes."
)
@home_option
@reporting
def redact(
    files: tuple[Path, ...], explain: bool, jsonl: bool, stream: int | None, home: Home
) -> None:
    """Take the secrets out of FILES, or of standard input.

    The secrets are those of the home's vault. Without a home there are none, and the
    installed redactors find what they know by themselves.

    A model's event stream (server-sent events) is told by its beginning: the pieces of
    its words are joined, searched as one, and put back.

    With --jsonl a line is {"id", "text", "secrets": {name: value}}, the secrets for
    that line alone; the answer is {"id", "text", "findings", "elapsed_ms"}, with
    --explain or without. Offsets are bytes of the text in UTF-8.
    """
    with _opened(home) as redactor:
        failed = False
        for source in _sources(files):
            if jsonl:
                failed |= _answer_lines(redactor, source, stream)
            else:
                _redact_whole(redactor, source, stream, explain=explain)
    if failed:
        sys.exit(EXIT_FAILED)


@runtime_checkable
class Settles(Protocol):
    """A layer that compiles secrets in the background."""

    def settle(self, timeout: float) -> bool:
        """Wait until it is done."""
        ...


class LineSecrets:
    """The vault's secrets, and with them those of one line.

    Args:
        vault: The vault's, if there is a home.
    """

    def __init__(self, vault: RegisteredSecrets | None) -> None:
        self._vault = vault
        self._added: Mapping[str, str] = {}
        self._changes = 0

    @property
    def version(self) -> int:
        """Grows with every change of either."""
        return self._changes + (self._vault.version if self._vault else 0)

    def current(self) -> tuple[Secret, ...]:
        """Return all values."""
        from letsbe.vault.secret import Secret  # noqa: PLC0415 - slow to import

        added = tuple(Secret(name, value) for name, value in self._added.items())
        return added + (self._vault.current() if self._vault else ())

    def add(self, secrets: Mapping[str, str]) -> bool:
        """Take other secrets than before; tell whether they are others."""
        if secrets == self._added:
            return False
        self._added = secrets
        self._changes += 1
        return True


@dataclass(frozen=True, slots=True)
class Redactor:
    """What the command works with.

    Args:
        pipeline: Finds secrets.
        secrets: Which ones.
        plugins: The layers.
    """

    pipeline: Pipeline
    secrets: LineSecrets
    plugins: Plugins

    def use(self, secrets: Mapping[str, str]) -> None:
        """Take a line's secrets, and compile them before anything is timed."""
        if not self.secrets.add(secrets):
            return
        self.pipeline.find(b"-")
        for layer in self.plugins.redaction_layers:
            if isinstance(layer, Settles):
                layer.settle(SETTLE_SECONDS)
        settle()

    def run(self, text: bytes, stream: int | None) -> tuple[bytes, Iterable[Span]]:
        """Redact a text; return it, and what was found."""
        from letsbe.redaction.events import (  # noqa: PLC0415 - slow to import
            AnyStreamRedactor,
            is_event_stream,
        )
        from letsbe.redaction.spans import splice  # noqa: PLC0415

        if stream is None and is_event_stream(text):
            stream = len(text)
        if stream is None:
            spans = self.pipeline.find(text)
            return (splice(text, spans) if spans else text), spans
        feeding = AnyStreamRedactor(self.pipeline, self.secrets)
        pieces = range(0, len(text), stream)
        parts = [feeding.feed(text[start : start + stream]) for start in pieces]
        parts.append(feeding.close())
        return b"".join(parts), feeding.spans


def _redact_whole(
    redactor: Redactor, source: BinaryIO, stream: int | None, *, explain: bool
) -> None:
    """Redact a source to standard output; in a stream as it comes."""
    from letsbe.redaction.events import AnyStreamRedactor  # noqa: PLC0415 - slow to import

    out = sys.stdout.buffer
    if stream is None:
        text, spans = redactor.run(source.read(), None)
        out.write(text)
    else:
        feeding = AnyStreamRedactor(redactor.pipeline, redactor.secrets)
        # One read, however little it gives: what waits is not waited for.
        while piece := source.read1(stream):  # type: ignore[attr-defined] # both sources buffer
            out.write(feeding.feed(piece))
            out.flush()
        out.write(feeding.close())
        spans = feeding.spans
    out.flush()
    if explain:
        for span in spans:
            click.echo(_explained(span), err=True)


def _answer_lines(redactor: Redactor, source: BinaryIO, stream: int | None) -> bool:
    """Answer line by line; tell whether one had to be answered with an error."""
    failed = False
    for line in source:
        if not line.strip():
            continue
        answer = _answer(redactor, line, stream)
        failed |= "error" in answer
        # ASCII alone, as a text may hold half of a surrogate pair.
        click.echo(json.dumps(answer))
        sys.stdout.flush()
    return failed


def _answer(redactor: Redactor, line: bytes, stream: int | None) -> dict[str, Any]:
    identity = None
    try:
        row = _row(line)
        identity = row.get("id")
        text, secrets = _checked(row)
        redactor.use(secrets)
        start = time.perf_counter()
        redacted, spans = redactor.run(text, stream)
        elapsed = time.perf_counter() - start
    except LetsBeError as error:
        return {"id": identity, "error": error_json(error)}
    return {
        "id": identity,
        "text": _decoded(redacted),
        "findings": [_finding(span) for span in spans],
        "elapsed_ms": round(elapsed * 1000, 4),
    }


def _row(line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        raise InvalidRequest("the line is not a JSON object")
    return row


def _checked(row: Mapping[str, Any]) -> tuple[bytes, dict[str, str]]:
    """Return a line's text and secrets."""
    from letsbe.vault.names import check_name  # noqa: PLC0415 - slow to import

    text, secrets = row.get("text"), row.get("secrets", {})
    if not isinstance(text, str):
        raise InvalidRequest("the line has no string `text`")
    if not isinstance(secrets, dict):
        raise InvalidRequest("`secrets` is not an object of names and values")
    for name, value in secrets.items():
        check_name(name, "secrets")
        if not isinstance(value, str) or not value:
            raise InvalidRequest("a value in `secrets` is no string, or empty")
    return text.encode("utf-8", "surrogatepass"), secrets


def _decoded(text: bytes) -> str:
    try:
        return text.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        # A layer's span cut a character in two; its rest is no character.
        return text.decode("utf-8", "replace")


def _finding(span: Span) -> dict[str, Any]:
    label = span.label
    return {
        "start": span.start,
        "end": span.end,
        "kind": label.kind,
        "name": label.name,
        "layer": label.layer,
        "rule": label.rule,
    }


def _explained(span: Span) -> str:
    label = span.label
    # Of a secret in several events, the first alone gets the placeholder.
    shown = label.placeholder.decode("ascii") or "(goes on)"
    return (
        f"{span.start}-{span.end}  {label.kind}  {label.layer}  {label.rule}  {shown}"
    )


def _sources(files: tuple[Path, ...]) -> Iterator[BinaryIO]:
    if not files:
        yield sys.stdin.buffer
    for path in files:
        try:
            with path.open("rb") as file:
                yield file
        except OSError:
            message = f"{path} cannot be read: check who may read it"
            raise ConfigurationError(message) from None


@contextlib.contextmanager
def _opened(home: Home) -> Iterator[Redactor]:
    """Open the home, if there is one, and load the redactors."""
    from letsbe.discovery.finding import installed_set  # noqa: PLC0415 - slow to import
    from letsbe.discovery.plugin_set import read_plugin_set  # noqa: PLC0415
    from letsbe.discovery.records import Kind  # noqa: PLC0415

    if not home.folder.exists():
        chosen = installed_set({Kind.REDACTOR})
        yield _load(LineSecrets(None), chosen, {})
        return
    from letsbe.configuration import load_configuration  # noqa: PLC0415
    from letsbe.storage.database import Database  # noqa: PLC0415
    from letsbe.storage.keys import load_key  # noqa: PLC0415
    from letsbe.vault.vault import Vault  # noqa: PLC0415

    settings = load_configuration(home).plugins.settings
    key = load_key(home.vault_key)
    with contextlib.closing(Database(home.database, read_only=True)) as database:
        secrets = LineSecrets(Vault(database, key))
        yield _load(secrets, read_plugin_set(home.plugin_set), settings)


def _load(
    secrets: LineSecrets, chosen: PluginSet, settings: Mapping[str, Any]
) -> Redactor:
    from letsbe.discovery.records import Kind  # noqa: PLC0415
    from letsbe.plugin import Site  # noqa: PLC0415 - slow to import
    from letsbe.plugin._facade import load_plugins  # noqa: PLC0415
    from letsbe.redaction.pipeline import Pipeline  # noqa: PLC0415

    plugins = load_plugins(
        {Kind.REDACTOR},
        lambda name: Site(roots=(), settings=settings.get(name, {})),
        secrets,
        chosen,
        hook_timeout=2.0,
    )
    if not plugins.redaction_layers:
        message = "no redaction layer is installed or chosen, so nothing would be found"
        raise ConfigurationError(message)
    redactor = Redactor(Pipeline(plugins.redaction_layers), secrets, plugins)
    # What is done once only should not count as the first line's time.
    redactor.run(WARM_UP, None)
    redactor.run(WARM_UP, len(WARM_UP))
    return redactor
