"""Measures redaction of registered secrets: ``python -m benchmarks.redaction``.

Prints one JSON line per figure, times in milliseconds. What is compared is measured in
turns in the same run: the pipeline, a copy of the bytes, and ``json.loads`` of them.
``benchmarks/README.md`` says what each figure means.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import statistics
import string
import time
from collections.abc import Callable, Iterator, Sequence

from letsbe.redaction.pipeline import Pipeline
from letsbe.testing import FakeSecrets
from letsbe_redactor_registry.engines import installed_engines
from letsbe_redactor_registry.layer import RegistryLayer

KIB, MIB = 1024, 1024 * 1024
CASES = ((130 * KIB, 50), (MIB, 10_000))
LIMITS = {  # (bytes, secrets) -> p99 of the fastest engine, and of pyahocorasick
    (130 * KIB, 50): (0.5, 5.0),
    (MIB, 10_000): (3.0, 60.0),
}
WORST_LIMIT = 15.0
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
        words += [f"{chance.getrandbits(160):040x}", str(chance.random()), "\n"]
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


def measure_clean(
    engine: str, size: int, secrets: int, rounds: int, *, disguises: bool
) -> None:
    chance = random.Random(5)
    registered = FakeSecrets(secret_values(secrets, chance))
    started = time.perf_counter()
    layer = RegistryLayer(registered, engine, disguises=disguises)
    compiled = (time.perf_counter() - started) * 1000
    pipeline = Pipeline([layer])
    body = chat(size, chance)
    secret = registered.current()[0].reveal()
    one_hit = body.replace(b"container", secret.encode(), 1)
    times = times_in_turns(
        {
            "clean": lambda: pipeline.redact(body),
            "one hit": lambda: pipeline.redact(one_hit),
            "copy": lambda: bytearray(body),
            "json.loads": lambda: json.loads(body),
        },
        rounds,
    )
    searched = f"{engine}, {'with' if disguises else 'without'} disguises"
    fast, slow = LIMITS[size, secrets]
    facts = {name: spread(values) for name, values in times.items()}
    report(
        f"pipeline_p99 {size // KIB} KiB, {secrets} secrets, {searched}",
        slow if engine == "pyahocorasick" else fast,
        spread(times["clean"])["p99"],
        compile_ms=round(compiled, 1),
        **facts,
    )
    if secrets == max(count for _, count in CASES):
        measure_worst(pipeline, registered, searched, chance)
        measure_new_secret(layer, registered, searched)


def measure_worst(
    pipeline: Pipeline, registered: FakeSecrets, engine: str, chance: random.Random
) -> None:
    values = [secret.reveal() for secret in registered.current()]
    for name, body in worst_bodies(values, MIB, chance):
        spans = len(pipeline.find(body))
        runs: dict[str, Callable[[], object]] = {
            "pipeline": lambda body=body: pipeline.redact(body),  # type: ignore[misc]  # bound here, not when called
            "json.loads": lambda body=body: json.loads(body),  # type: ignore[misc]  # as above
        }
        facts = {n: spread(times) for n, times in times_in_turns(runs, 9).items()}
        median = facts["pipeline"]["median"]
        limit = None if "pyahocorasick" in engine else WORST_LIMIT
        report(f"worst_median {name}, {engine}", limit, median, spans=spans, **facts)


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
    arguments = parser.parse_args()
    for engine in arguments.engines or installed_engines():
        for disguises in (False, True):
            for size, secrets in CASES:
                measure_clean(
                    engine, size, secrets, arguments.rounds, disguises=disguises
                )


if __name__ == "__main__":
    main()
