"""Words of a shell that ask about programs, said by a program instead.

There is no shell, so ``command -v git`` would start nothing. What it asks, ``which``
answers; that is what is judged, shown and run. Words of a shell that change the shell
itself (``export``, ``source``, ...) have nothing to change; they are refused with what
to do instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from letsbe.policy.commands import Word

# Letters of `ulimit` and the limits that prlimit(1) knows.
_LIMITS = {
    "c": "core",
    "d": "data",
    "e": "nice",
    "f": "fsize",
    "i": "sigpending",
    "l": "memlock",
    "m": "rss",
    "n": "nofile",
    "q": "msgqueue",
    "r": "rtprio",
    "s": "stack",
    "t": "cpu",
    "u": "nproc",
    "v": "as",
    "x": "locks",
}

_NO_SHELL = "every call starts afresh, so there is nothing for it to change"
_SHELL_WORDS = {
    "export": "use `env NAME=value program ...`, or env_refs for secrets",
    "declare": "use `env NAME=value program ...`, or env_refs for secrets",
    "unset": "use `env -u NAME program ...`",
    "source": "run the programs that the file names one by one",
    ".": "run the programs that the file names one by one",
    "eval": "write the command itself",
    "exec": "write the command itself",
    "builtin": "write the command itself",
    "alias": "write the command itself",
    "pushd": "use `cd FOLDER && ...`, or set cwd",
    "popd": "use `cd FOLDER && ...`, or set cwd",
    "umask": "use chmod, or install -m, to give a file its permissions",
    "ulimit": "use `prlimit --NAME=LIMIT program ...`",
    "set": "run the commands one by one",
    "shopt": "run the commands one by one",
    "trap": "run the commands one by one",
    "wait": "run the commands one by one",
    "jobs": "look for processes with pgrep or ps",
    "history": "there is no history: every call stands for itself",
    "read": "give the input with <file or a pipe",
}


def without_shell(words: Sequence[Word]) -> list[Word]:
    """Say by a program what a shell would answer itself.

    Args:
        words: A command's words.

    Returns:
        The words to judge and to run; the same where a program is named.
    """
    name, rest = words[0].text, list(words[1:])
    if name == ":":
        return [replace(words[0], text="true"), *rest]
    if name == "command":
        return _command(words[0], rest)
    if name == "type":
        return _type(words[0], rest)
    if name == "ulimit":
        return _ulimit(words[0], rest)
    return list(words)


def shell_word(name: str) -> tuple[str, str] | None:
    """Return why a word of a shell is not run and what to do, if it is one."""
    alternative = _SHELL_WORDS.get(name)
    if alternative is None:
        return None
    return f"{name} is a word of a shell; {_NO_SHELL}", alternative


def _command(first: Word, rest: list[Word]) -> list[Word]:
    while rest and rest[0].text == "-p":
        rest = rest[1:]
    if rest and rest[0].text in ("-v", "-V"):
        return [replace(first, text="which"), *rest[1:]]
    return rest or [replace(first, text="true")]


def _type(first: Word, rest: list[Word]) -> list[Word]:
    flags = {letter for word in rest if _is_flag(word) for letter in word.text[1:]}
    names = [word for word in rest if not _is_flag(word)]
    if not names or flags - set("aftpP"):
        return [first, *rest]
    every = [replace(first, text="-a")] if "a" in flags else []
    return [replace(first, text="which"), *every, *names]


def _ulimit(first: Word, rest: list[Word]) -> list[Word]:
    letters = "".join(word.text[1:] for word in rest if _is_flag(word))
    if any(not _is_flag(word) for word in rest) or set(letters) - {*_LIMITS, *"aHS"}:
        return [first, *rest]
    limits = [f"--{_LIMITS[letter]}" for letter in letters if letter in _LIMITS]
    said = limits if limits or "a" in letters else ["--fsize"]
    return [replace(first, text=text) for text in ("prlimit", *said)]


def _is_flag(word: Word) -> bool:
    return len(word.text) > 1 and word.text[0] == "-"
