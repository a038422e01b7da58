"""What one word does, by the kind of value that it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from letsbe.policy.commands import Word
from letsbe.policy.rules._awk import awk_is_pure
from letsbe.policy.rules._hosts import host_effects, url_effects
from letsbe.policy.rules._path_effects import PATH_KINDS, path_effects
from letsbe.policy.rules._sed import NotUnderstood, sed_actions
from letsbe.policy.rules._sql import sql_tier
from letsbe.policy.rules._table import TIER_GROUPS
from letsbe.policy.rules._where import Effect, Where
from letsbe.policy.tiers import Tier

_REMOTE = re.compile(r"(?:rsync://|(?:[^/:]+@)?(?:\[[^\]/]+\]|[^/:\[\]]+):)")
_DATA_FILE = re.compile(r"(?:[^=@]*[=@])??[@<]([^;]*)(?:;.*)?", re.DOTALL)
_ASSIGNED = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)=.*", re.DOTALL)
# Variables that change how output looks and nothing else.
_HARMLESS_VARIABLES = re.compile(
    r"LANG|LANGUAGE|LC_[A-Z]+|TZ|TERM|COLUMNS|LINES|NO_COLOR|CLICOLOR|FORCE_COLOR|CI"
    r"|DEBIAN_FRONTEND|BLOCK_?SIZE|TIME_STYLE|PGUSER|PGDATABASE|PGPASSWORD|MYSQL_PWD"
)


def value_effects(
    kind: str, word: Word, where: Where, *, recursive: bool
) -> Iterator[Effect]:
    """Say what a value of some kind does.

    Args:
        kind: A group of flags or a kind of operand; ``command`` and ``assignment``
            excepted, which take more than one word.
        word: The value.
        where: What the judgement depends on.
        recursive: Whether paths are meant with all below them.

    Yields:
        An effect for each reason.
    """
    if kind in ("plain", "text"):
        return
    if kind in TIER_GROUPS:
        yield _of_group(kind)
    elif kind in PATH_KINDS:
        if kind == "upload":
            yield _sends(None)
        yield from path_effects(kind, word, where, recursive=recursive)
    elif kind.startswith("re:"):
        if not re.fullmatch(kind[3:], word.text, re.DOTALL):
            yield Effect(Tier.RED, "operand", "this word is not understood here")
    else:
        yield from _SPECIAL[kind](word, where)


def is_assignment(word: Word) -> bool:
    """Tell whether a word sets a variable."""
    return bool(_ASSIGNED.fullmatch(word.text))


def assignment_effects(word: Word) -> Iterator[Effect]:
    """Say what setting a variable for a program does."""
    name = word.text.partition("=")[0]
    if not _HARMLESS_VARIABLES.fullmatch(name):
        why = f"sets {name}, a variable that may change what programs do"
        yield Effect(Tier.RED, "variable", why)


def _of_group(group: str) -> Effect:
    tier = TIER_GROUPS[group]
    return Effect(
        tier,
        group,
        "changes what the program does",
        external=group == "external",
        refused=group == "refuse",
        hosts=None if group == "external" else (),
    )


def _sends(hosts: tuple[str, ...] | None) -> Effect:
    why = "sends data outside"
    return Effect(Tier.YELLOW_EXTERNAL, "send", why, external=True, hosts=hosts)


def _none(_word: Word, _where: Where) -> Iterator[Effect]:
    yield Effect(Tier.RED, "operand", "this word is not understood here")


def _exec(_word: Word, _where: Where) -> Iterator[Effect]:
    yield Effect(Tier.RED, "exec", "runs a program or code of its own")


def _send(_word: Word, _where: Where) -> Iterator[Effect]:
    # The host is another word's business; unknown hosts come from `host` and `url`.
    yield _sends(())


def _data(word: Word, where: Where) -> Iterator[Effect]:
    """Text, or ``@path`` and ``name=@path`` as curl takes them."""
    found = _DATA_FILE.fullmatch(word.text)
    if found and found[1] != "-":
        path = replace(word, text=found[1])
        yield from path_effects("read", path, where, recursive=False)


def _revision(word: Word, where: Where) -> Iterator[Effect]:
    """A path, or git's ``revision:path``."""
    yield from path_effects("read", word, where, recursive=False)
    if ":" in word.text:
        path = replace(word, text=word.text.partition(":")[2])
        yield from path_effects("read", path, where, recursive=False)


def _repository(word: Word, where: Where) -> Iterator[Effect]:
    """A repository as git takes it: URL, ``host:path``, a path, a remote's name."""
    if "://" in word.text:
        yield from url_effects(word, where)
    elif _REMOTE.match(word.text):
        yield from host_effects(word, where)
    elif word.text.startswith(("/", ".", "~")):
        yield from path_effects("read", word, where, recursive=False)
    else:
        yield Effect(Tier.GREEN, "remote", "contacts a remote by name", hosts=None)


def _sql(word: Word, _where: Where) -> Iterator[Effect]:
    tier = sql_tier(word.text)
    if tier:
        yield Effect(tier, "sql", "the SQL may do more than read")


def _sed(word: Word, where: Where) -> Iterator[Effect]:
    try:
        actions = list(sed_actions(word.text))
    except NotUnderstood:
        yield Effect(Tier.RED, "script", "the script is not understood")
        return
    for action, path in actions:
        if action == "exec":
            yield Effect(Tier.RED, "exec", "the script runs a program")
        else:
            target = replace(word, text=path)
            yield from path_effects(action, target, where, recursive=False)


def _awk(word: Word, _where: Where) -> Iterator[Effect]:
    if not awk_is_pure(word.text):
        why = "the program may run programs or open files of its own"
        yield Effect(Tier.RED, "script", why)


def _remote(word: Word, where: Where) -> Iterator[Effect]:
    yield from _maybe_remote("read", word, where)


def _remote_write(word: Word, where: Where) -> Iterator[Effect]:
    yield from _maybe_remote("write", word, where)


def _maybe_remote(kind: str, word: Word, where: Where) -> Iterator[Effect]:
    if not _REMOTE.match(word.text):
        yield from path_effects(kind, word, where, recursive=True)
    elif "://" in word.text:
        yield from host_effects(replace(word, text=word.text.split("://")[1]), where)
    else:
        yield from host_effects(word, where)


_SPECIAL = {
    "none": _none,
    "exec": _exec,
    "command": _exec,  # an inner command that could not be told apart from others
    "send": _send,
    "url": url_effects,
    "host": host_effects,
    "data": _data,
    "repository": _repository,
    "revision": _revision,
    "sql": _sql,
    "sed": _sed,
    "awk": _awk,
    "remote": _remote,
    "remote_write": _remote_write,
}
