"""Packages that a line would install or remove, told by apt without doing it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from letsbe.plugin import (
    Access,
    CommandRefused,
    Grant,
    JudgedCommand,
    NotStarted,
    Program,
    RuleTables,
    Run,
    Sandbox,
    Tier,
    Where,
    find_program,
    line_from_argv,
)

SECONDS = 4.0
"""How long apt is waited for."""
OUTPUT = 1_000_000
"""The most bytes of its answer that are read."""
MOST_NAMES = 200
"""The most names that are told of each kind."""

SIMULATORS = {"apt": "apt-get", "apt-get": "apt-get", "aptitude": "aptitude"}
"""Programs that tell what they would do, and the one that is asked."""
_LINE = re.compile(r"^(Inst|Remv|Purg) (\S+)(?: \[[^\]]*\])?", re.MULTILINE)
_DESTROYING = frozenset({"--purge"})
"""Flags that are left out of the question: they do not change which packages."""
_REMOVING = frozenset({"remove", "purge", "autoremove", "auto-remove", "autopurge"})
_WITHOUT_LISTS = ["-o", "Dir::State::lists=/nonexistent/"]
"""What is removed stands in dpkg's own list; the others take seconds to read."""
_KINDS = {"Inst": "installs", "Remv": "removes", "Purg": "purges"}


@dataclass(frozen=True, slots=True)
class Packages:
    """What becomes of packages.

    Args:
        names: The names by what happens: ``installs``, ``removes``, ``purges``.
        problem: Why it is not known, if so.
    """

    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    problem: str | None = None

    def text(self) -> str:
        """Say it in a sentence fragment."""
        if not self.names:
            return "changes no package"
        return ", ".join(
            f"{kind} {len(names)} package{'s' * (len(names) != 1)}"
            for kind, names in self.names.items()
        )


class Simulator:
    """Asks package managers what a command would do.

    Args:
        rules: Judge the question, which has to be a reading one.
        sandbox: Holds it to that.
        environment: The variables it gets.
    """

    def __init__(
        self, rules: RuleTables, sandbox: Sandbox, environment: Mapping[str, str]
    ) -> None:
        self._rules = rules
        self._sandbox = sandbox
        self._environment = {**environment, "LC_ALL": "C"}

    def packages(self, command: JudgedCommand, where: Where) -> Packages | None:
        """Ask about one command.

        Args:
            command: A command that was judged.
            where: The place that it runs in.

        Returns:
            What it would do; ``None`` if it has nothing to do with packages.
        """
        asked = SIMULATORS.get(command.words[0].text)
        if asked is None:
            return None
        given = [w.text for w in command.words[1:] if w.text not in _DESTROYING]
        path = find_program(asked)
        if path is None or not self._reads([asked, "-s", *given], where):
            return Packages(problem=f"which packages {asked} changes")
        quick = [] if _REMOVING.isdisjoint(given) else _WITHOUT_LISTS
        words = [asked, "-s", *quick, *given]
        output = self._output(Program(path, words, self._environment, access=_ACCESS))
        if output is None:
            problem = f"which packages {asked} changes: it gave no answer in time"
            return Packages(problem=problem)
        return _read(output)

    def _reads(self, words: list[str], where: Where) -> bool:
        try:
            judgement = self._rules.book.judge(line_from_argv(words), where)
        except CommandRefused:
            return False
        return judgement.tier is Tier.GREEN and not judgement.refused

    def _output(self, program: Program) -> str | None:
        run = Run(OUTPUT, OUTPUT, time.monotonic() + SECONDS, self._sandbox)
        try:
            codes = run.pipeline([program], "/")
        except NotStarted:
            return None
        finally:
            run.close()
        if run.ended or codes[-1] != 0:
            return None
        return run.stdout.data.decode("utf-8", "replace")


_ACCESS = Access(Tier.GREEN, grants=frozenset({Grant.TEMPORARY}))


def _read(output: str) -> Packages:
    names: dict[str, list[str]] = {}
    for kind, name in _LINE.findall(output):
        names.setdefault(_KINDS[kind], []).append(name)
    return Packages({kind: tuple(sorted(set(found))) for kind, found in names.items()})


def shortened(
    names: Mapping[str, tuple[str, ...]], redact: Callable[[bytes], bytes]
) -> dict[str, list[str]]:
    """Return the names as an approval shows them: not too many, and clean."""
    return {
        f"{kind} packages": [
            redact(name.encode()).decode("utf-8", "replace")
            for name in found[:MOST_NAMES]
        ]
        for kind, found in names.items()
    }
