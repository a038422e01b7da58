"""What a class of command lines is made of, read from the judgement of one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from letsbe.policy.paths import PathClass, normal_path
from letsbe.policy.rules import JudgedCommand, Judgement, Match, Where
from letsbe.policy.rules._arguments import Arguments
from letsbe.policy.rules._judged import program_name
from letsbe.policy.rules._path_effects import PATH_KINDS
from letsbe.policy.rules._table import keys
from letsbe.policy.steps import Step
from letsbe.policy.tiers import Tier

_RUNS_WHAT_IT_IS_GIVEN = keys("exec command assignment sql sed awk")
"""Groups of flags and kinds of operands whose words are commands or code."""

_NOT_UNDERSTOOD = keys(
    "unknown_program program_path nesting unknown_flag unknown_subcommand operand exec"
    " command variable flags secret_ref"
)
"""Last parts of rules that say that something runs, or cannot be told."""

_PROGRAMS = re.compile(
    # Shells and interpreters.
    r"[a-z]*sh|busybox|toybox|python[0-9.]*|pypy[0-9.]*|i?python[0-9]*|node(js)?|deno|bun"
    r"|perl[0-9.]*|ruby[0-9.]*|i?rb|php[0-9.]*|lua(jit)?[0-9.]*|tclsh[0-9.]*|Rscript|java"
    r"|[gmn]?awk|s?ed|julia|ghci|erl|elixir|guile|gdb|expect|wish[0-9.]*|R|jshell"
    # Clients that take statements of a language.
    r"|psql|mysql|mariadb|sqlite3|redis-cli|mongo(sh)?|clickhouse-client|influx|ldapmodify"
    # What runs commands: wrappers, builders, planners, sessions, containers.
    r"|env|sudo|doas|su|run0|runuser|pkexec|time(out)?|nice|ionice|nohup|setsid|stdbuf|chroot"
    r"|nsenter|unshare|xargs|parallel|watch|flock|script|strace|ltrace|ssh|ssh-agent"
    r"|chrt|taskset|prlimit|setpriv|runcon|choom|chronic|systemd-run|systemd-cat"
    r"|systemd-inhibit|screen|tmux|byobu|at|batch|crontab|make|gmake|cmake|ninja|rake"
    r"|invoke|npm|npx|p?npx|bunx|corepack|yarn|pnpm|pipx|uv|uvx|composer|artisan|wp|bundle|cargo|go|gradle|mvn"
    r"|(docker|podman)(-compose|d)?|nerdctl|buildah|skopeo|containerd|ctr|crictl|runc"
    r"|crun|lxc|incus|fab|salt(-call)?|puppet|chef-client|parallel-ssh|pssh|anacron|sftp"
    r"|ansible(-[a-z]+)?|terraform|tofu|helm|jupyter|logrotate|run-parts|debugfs|openclaw"
    # Editors and pagers with commands of their own.
    r"|vim?|nvim|view|ex|nano|emacs|pico|less|more|man|visudo|vipw|mc"
)
_TOLD_BY_HOSTS = keys("url host remote")
"""Kinds of operands of which a class knows what it has to: the hosts."""
_SUBCOMMANDS = keys(
    "exec run eval shell console edit ssh debug attach rsh script bisect foreach"
)


def steps_of(judgement: Judgement, where: Where) -> tuple[Step, ...]:
    """Return what a line does beyond reading, a step for each command.

    Args:
        judgement: What was found about the line.
        where: The place it was judged for.

    Returns:
        Its steps without those that only read; a step that no class may hold says why.
    """
    by_command: dict[int, list[Match]] = {}
    for match in judgement.matches:
        if match.tier > Tier.GREEN or match.external or match.refused:
            by_command.setdefault(match.command, []).append(match)
    folders = [p.cwd for p in judgement.pipelines for _ in p.stages or (None,)]
    steps = []
    for number, matches in by_command.items():
        command = judgement.commands[number]
        step = _step(command, matches, hosts_unknown=judgement.hosts is None)
        paths = command.classes if command else ()
        if any(_is_whole(path, folders[number], where.roots) for path in paths):
            step = replace(step, top=True)
        steps.append(step)
    return tuple(steps)


def _is_whole(path: str, cwd: str, roots: Sequence[Path]) -> bool:
    """Tell whether a path, or all that a glob in it fits, is a whole allowed folder."""
    if "\0" in path:
        return True
    text = normal_path(path, cwd)
    folder, _, name = text.rpartition("/")
    while any(c in name for c in "*?[") and not set(name) - set("*?.[]!"):
        text = folder or "/"
        folder, _, name = text.rpartition("/")
    return any(f"{root}/".startswith(f"{text.rstrip('/')}/") for root in roots)


def _step(
    command: JudgedCommand | None, matches: list[Match], *, hosts_unknown: bool
) -> Step:
    tier = max(match.tier for match in matches)
    external = any(match.external for match in matches)
    rules = frozenset(match.rule for match in matches)
    if command is None or command.arguments is None:
        why = "a program that has no rule table, or a folder change, is in it"
        return Step("", tier, rules, external=external, unfit=why)
    arguments = command.arguments
    does = _names(command, arguments)
    classes = set(" ".join(command.classes.values()).split())
    return Step(
        does=" ".join(does),
        tier=tier,
        rules=rules,
        flags=frozenset(g.flag.name for _, g in arguments.flags if g.flag),
        fixed=tuple(_fixed(command, arguments, tier, pin=external and hosts_unknown)),
        paths=max((PathClass[c.upper()] for c in classes - {"top"}), default=None),
        top="top" in classes,
        external=external,
        unfit=_unfit(does, arguments, matches),
    )


def _names(command: JudgedCommand, arguments: Arguments) -> list[str]:
    """Return the program's own name and its subcommands'."""
    names = [program_name(command.words[0].text) or command.words[0].text]
    outer = arguments.tables[0].name
    for table in arguments.tables[1:]:
        names.append(table.name.removeprefix(f"{outer}."))
        outer = table.name
    return names


def _fixed(
    command: JudgedCommand, arguments: Arguments, tier: Tier, *, pin: bool
) -> Iterator[str]:
    """Yield the words that a class keeps as they are.

    Where harm is done, all that is no path: the values of flags (``-aG sudo``) and the
    operands that say what is meant (a unit, a user, a process). Where it cannot be told
    which hosts are contacted, every operand.
    """
    for _, given in arguments.flags:
        flag = given.flag
        if flag and tier >= Tier.RED and flag.group not in PATH_KINDS:
            yield from (f"{flag.name}={value.text}" for value in given.values)
    free = not pin and (tier < Tier.RED or _kinds(arguments) <= _TOLD_BY_HOSTS)
    if not free:
        for word in arguments.operands:
            if pin or word.text not in command.classes:
                yield word.text


def _kinds(arguments: Arguments) -> set[str]:
    """Return every kind that the operands may have, in any mode of the program."""
    table = arguments.table
    bases = [table.base, *(base for _, base in table.modes)]
    kinds = {kind for base in bases for kind in base.operands}
    return kinds | {base.last for base in bases if base.last}


def _unfit(does: list[str], arguments: Arguments, matches: list[Match]) -> str | None:
    program, *subcommands = does
    if _PROGRAMS.fullmatch(program) or _runs_what_it_is_given(arguments):
        return f"{program} runs code or commands that it is given"
    if not _SUBCOMMANDS.isdisjoint(subcommands):
        return f"{' '.join(does)} runs commands that it is given"
    if any(match.rule.rpartition(".")[2] in _NOT_UNDERSTOOD for match in matches):
        return f"not everything about this call of {program} is understood"
    return None


def _runs_what_it_is_given(arguments: Arguments) -> bool:
    groups = {given.flag.group for _, given in arguments.flags if given.flag}
    kinds = set(arguments.table.base.operands) if arguments.operands else set()
    return not _RUNS_WHAT_IT_IS_GIVEN.isdisjoint(groups | kinds)
