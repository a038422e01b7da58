"""Measures redaction: ``python -m benchmarks.redaction``.

Prints one JSON line per figure, times in milliseconds. What is compared is measured in
turns in the same run: the pipeline, a copy of the bytes, and ``json.loads`` of them.
``benchmarks/README.md`` says what each figure means.
"""

from __future__ import annotations

import argparse
import base64
import itertools
import json
import random
import statistics
import string
import time
from collections.abc import Callable, Iterator, Sequence

from benchmarks.kinds import kinds
from benchmarks.peers import measure_peers
from letsbe.plugin import RedactionLayer
from letsbe.redaction.pipeline import Pipeline
from letsbe.testing import FakeSecrets
from letsbe_redactor_entropy import letsbe_redaction_layers as entropy_layers
from letsbe_redactor_jsonkeys import letsbe_redaction_layers as jsonkeys_layers
from letsbe_redactor_patterns import letsbe_redaction_layers as pattern_layers
from letsbe_redactor_registry.engines import installed_engines
from letsbe_redactor_registry.layer import RegistryLayer

KIB, MIB = 1024, 1024 * 1024
CASES = ((130 * KIB, 50), (MIB, 10_000))
LIMITS = {  # (bytes, secrets) -> p99 of the fastest engine, and of pyahocorasick
    (130 * KIB, 50): (0.5, 5.0),
    (MIB, 10_000): (3.0, 60.0),
}
WORST_LIMIT = 15.0
KIND_LIMIT = 2.0
"""No kind of text may cost more than so many times what prose costs."""
NEW_SECRET_LIMIT = 100.0
ALPHABET = string.ascii_letters + string.digits
PROSE = (
    "the server returned status for request at line import value result name path of "
    "container volume update error warning config and token count user file list in to"
)


def secret_values(count: int, chance: random.Random) -> dict[str, str]:
    lengths = (16, 24, 32, 40, 64)
    return {
        f"secret_{number}": "".join(chance.choices(ALPHABET, k=chance.choice(lengths)))
        for number in range(count)
    }


def chat(size: int, chance: random.Random) -> bytes:
    """A chat request: prose, code identifiers, ids and numbers as messages."""
    vocabulary = PROSE.split()
    messages: list[dict[str, str]] = []
    length = 0
    while length < size:
        words = chance.choices(vocabulary, k=200)
        # Behind a word such as token, the id would be a secret.
        words += ["commit", f"{chance.getrandbits(160):040x}"]
        words += [str(chance.random()), "\n"]
        content = " ".join(words)
        messages.append({"role": chance.choice(["user", "tool"]), "content": content})
        length += len(content) + 40
    return json.dumps({"model": "m", "messages": messages}).encode()


def worst_bodies(
    values: Sequence[str], size: int, chance: random.Random
) -> Iterator[tuple[str, bytes]]:
    """Bodies that are hard for searches: of one alphabet, or nearly or all secrets."""
    noise = chance.randbytes(size * 3 // 4)
    yield "base64", json.dumps({"m": base64.b64encode(noise).decode()}).encode()
    yield "hex", json.dumps({"m": chance.randbytes(size // 2).hex()}).encode()
    filler = "x" * 30
    for name, cut in (("near misses", -1), ("dense hits", None)):
        pieces: list[str] = []
        while sum(map(len, pieces[-1:])) * len(pieces) < size:
            pieces.append(chance.choice(values)[:cut] + filler)
        yield name, json.dumps({"m": " ".join(pieces)[:size]}).encode()


def times_in_turns(
    runs: dict[str, Callable[[], object]], rounds: int
) -> dict[str, list[float]]:
    """Call each function once a round; milliseconds by its name."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for run in runs.values():
        run()
    for _ in range(rounds):
        for name, run in runs.items():
            started = time.perf_counter()
            run()
            times[name].append((time.perf_counter() - started) * 1000)
    return times


def spread(times: Sequence[float]) -> dict[str, float]:
    centiles = statistics.quantiles(times, n=100, method="inclusive")
    named = {"median": 49, "p10": 9, "p90": 89, "p99": 98}
    return {name: round(centiles[place], 4) for name, place in named.items()}


def report(figure: str, limit: float | None, value: float, **facts: object) -> None:
    line: dict[str, object] = {"figure": figure, "value": value, "unit": "ms"}
    if limit is not None:
        line |= {"limit": limit, "kept": value <= limit}
    print(json.dumps(line | facts), flush=True)


def four_layers(registry: RegistryLayer) -> list[RedactionLayer]:
    others = (*pattern_layers(), *entropy_layers(), *jsonkeys_layers())
    return [registry, *others]


def measure(engine: str, size: int, secrets: int, rounds: int) -> None:
    """Measure one engine, with the registry layer alone and with all four layers."""
    chance = random.Random(5)
    registered = FakeSecrets(secret_values(secrets, chance))
    started = time.perf_counter()
    layer = RegistryLayer(registered, engine)
    compiled = (time.perf_counter() - started) * 1000
    alone: list[RedactionLayer] = [layer]
    for name, layers in (("registry", alone), ("four layers", four_layers(layer))):
        case = f"{size // KIB} KiB, {secrets} secrets, {engine}, {name}"
        measure_chat(layers, registered, size, rounds, case, compile_ms=compiled)
        if secrets == max(count for _, count in CASES):
            measure_worst(layers, registered, case)
    if secrets == max(count for _, count in CASES):
        measure_kinds(four_layers(layer), engine)
        measure_new_secret(layer, registered, engine)


def measure_chat(
    layers: list[RedactionLayer],
    registered: FakeSecrets,
    size: int,
    rounds: int,
    case: str,
    **facts: float,
) -> None:
    """Measure a chat request: never seen before, seen before, and one turn later."""
    chance = random.Random(6)
    body = chat(size, chance)
    added = chat(4 * KIB, chance).partition(b"[")[2]
    next_turn = body[:-2] + b", " + added
    secret = registered.current()[0].reveal()
    one_hit = body.replace(b"container", secret.encode(), 1)
    known = Pipeline(layers)
    if known.redact(body) is not body:
        message = "the request was to have no secret"
        raise AssertionError(message)

    def turn() -> None:
        remembering = Pipeline(layers)
        remembering.redact(body)
        started.append(time.perf_counter())
        remembering.redact(next_turn)
        ended.append(time.perf_counter())

    started: list[float] = []
    ended: list[float] = []
    times = times_in_turns(
        {
            "new": lambda: Pipeline(layers).redact(body),
            "new, one hit": lambda: Pipeline(layers).redact(one_hit),
            "seen": lambda: known.redact(body),
            "turn": turn,
            "copy": lambda: bytearray(body),
            "json.loads": lambda: json.loads(body),
        },
        rounds,
    )
    del times["turn"]
    turns = [(b - a) * 1000 for a, b in zip(started, ended, strict=True)]
    spreads = {name: spread(values) for name, values in times.items()}
    fast, slow = LIMITS[size, len(registered.current())]
    limit = slow if "pyahocorasick" in case else fast
    report(f"pipeline_p99 {case}", limit, spreads["new"]["p99"], **facts, **spreads)
    report(f"pipeline_seen_p99 {case}", limit, spreads["seen"]["p99"])
    report(f"next_turn_p99 {case}", None, spread(turns)["p99"], **spread(turns))


def measure_worst(
    layers: list[RedactionLayer], registered: FakeSecrets, case: str
) -> None:
    values = [secret.reveal() for secret in registered.current()]
    for name, body in worst_bodies(values, MIB, random.Random(7)):
        spans = len(Pipeline(layers).find(body))
        # Told apart by a number, so that none was seen before.
        fresh = (b'{"n": %d, ' % number + body[1:] for number in itertools.count())
        runs: dict[str, Callable[[], object]] = {
            "pipeline": lambda f=fresh: Pipeline(layers).redact(next(f)),  # type: ignore[misc]  # bound here, not when called
            "json.loads": lambda body=body: json.loads(body),  # type: ignore[misc]  # as above
        }
        facts = {n: spread(times) for n, times in times_in_turns(runs, 9).items()}
        median = facts["pipeline"]["median"]
        limit = None if "pyahocorasick" in case else WORST_LIMIT
        report(f"worst_median {name}, {case}", limit, median, spans=spans, **facts)


def measure_kinds(layers: list[RedactionLayer], engine: str) -> None:
    """Measure every kind of text, as a new request, beside prose of the same length."""
    prose = chat(MIB, random.Random(6))
    for name, body in kinds(MIB, random.Random(8)):
        runs: dict[str, Callable[[], object]] = {
            "prose": lambda: Pipeline(layers).redact(prose),
            name: lambda body=body: Pipeline(layers).redact(body),  # type: ignore[misc]  # bound here, not when called
        }
        times = times_in_turns(runs, 9)
        ours, of_prose = (statistics.median(times[each]) for each in (name, "prose"))
        limit = round(KIND_LIMIT * of_prose, 4)
        report(f"kind_median {name}, {engine}", limit, ours, **spread(times[name]))


def measure_new_secret(
    layer: RegistryLayer, registered: FakeSecrets, engine: str
) -> None:
    times = []
    for number in range(15):
        value = f"new-{number}-{'x' * 30}"
        registered.provide(f"new_{number}", value)
        started = time.perf_counter()
        found = layer.find(value.encode())
        times.append((time.perf_counter() - started) * 1000)
        if not found:
            message = "a new secret was not found at once"
            raise AssertionError(message)
    figures = spread(times)
    report(f"new_secret_p99 {engine}", NEW_SECRET_LIMIT, figures["p99"], **figures)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engines", nargs="*", help="engines to measure; all by default")
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--peers", action="store_true", help="measure other tools too")
    arguments = parser.parse_args()
    for engine in arguments.engines or installed_engines():
        for size, secrets in CASES:
            measure(engine, size, secrets, arguments.rounds)
    if arguments.peers:
        measure_peers(chat(130 * KIB, random.Random(6)), report)


if __name__ == "__main__":
    main()
