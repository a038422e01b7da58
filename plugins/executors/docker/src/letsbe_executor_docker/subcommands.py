"""What the values and operands of docker's subcommands mean, beyond the rule tables."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from letsbe.plugin import Effect, Match, Tier, Where, Word, path_effects
from letsbe_executor_docker.inner import InnerJudge
from letsbe_executor_docker.mounts import Mounts
from letsbe_executor_docker.words import Words

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|git@|github\.com/", re.IGNORECASE)
_MAY_HOLD_SECRETS = frozenset({"-e", "--env", "--env-add", "--build-arg", "--password"})
"""Flags whose values may be secrets, as nothing is decided by them."""

Found = Effect | Match
"""What a rule finds; a match of the tables has its rule's name already."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What the rules of subcommands are given besides the words.

    Args:
        where: The place on the host.
        mounts: Judges mounts.
        inner: Judges commands in containers.
    """

    where: Where
    mounts: Mounts
    inner: InnerJudge


def findings(words: Words, setting: Setting) -> Iterator[tuple[Found, Word | None]]:
    """Judge what the rule tables leave open.

    Args:
        words: The command as its table read it.
        setting: What else it depends on.

    Yields:
        Each finding with the word that it is about, if there is one.
    """
    yield from _secrets(words)
    for program in ("docker", "docker-compose"):
        for word, name, _ in words.globals(program):
            if name in ("-H", "--host", "-c", "--context"):
                why = "talks to another Docker Engine, perhaps on another machine"
                effect = Effect(Tier.RED, "remote", why, external=True, hosts=None)
                yield effect, word
    for word, name, _ in words.globals("docker-compose"):
        if name == "-f" and re.match(r"-[A-Za-z]*f=", word.text):
            # Version 1 takes the = for a part of the file's name.
            why = "`-f=` is read in different ways by versions of compose"
            yield Effect(Tier.RED, "file", why), word
    rule = _RULES.get(words.name)
    if rule:
        yield from rule(words, setting)


def _secrets(words: Words) -> Iterator[tuple[Found, Word]]:
    """Whatever decides about a call has to be seen: a reference is opaque."""
    login = words.name == "docker.login"
    for _, name, values in words.given():
        if name in _MAY_HOLD_SECRETS or (login and name == "-p"):
            continue
        for value in values:
            if "SECRET_REF(" in value.text:
                why = f"{name} is a secret, so it cannot be judged"
                yield Effect(Tier.RED, "secret_ref", why), value
    for operand in words.operands[:1]:
        if "SECRET_REF(" in operand.text:
            why = "the name is a secret, so it cannot be judged"
            yield Effect(Tier.RED, "secret_ref", why), operand


def _container(words: Words, setting: Setting) -> Iterator[tuple[Found, Word | None]]:
    """``run`` and ``create``: mounts, and the command with its variables."""
    for word in words.values("-v", "--volume"):
        yield from ((effect, word) for effect in setting.mounts.volume(word.text))
    for word in words.values("--mount", "--mount-add"):
        yield from ((effect, word) for effect in setting.mounts.mount(word.text))
    for word in words.values("--health-cmd"):
        span = (word.start, word.end)
        yield from ((match, word) for match in setting.inner.line(word.text, span))
    command = words.operands[1:]
    entrypoints = words.values("--entrypoint")
    if entrypoints and entrypoints[-1].text:
        command = [entrypoints[-1], *command]
    elif command and command[0].text.startswith("-"):
        command = []  # flags of the program that the image names
    yield from _inner(words, command, setting)


def _exec(words: Words, setting: Setting) -> Iterator[tuple[Found, Word | None]]:
    yield from _inner(words, words.operands[1:], setting)


def _inner(
    words: Words, command: list[Word], setting: Setting
) -> Iterator[tuple[Found, Word | None]]:
    if not command:
        return
    yield from ((match, command[0]) for match in setting.inner.words(command))
    for word in words.values("-e", "--env"):
        yield from ((effect, word) for effect in setting.inner.variables([word]))
    if words.has("--env-file", "--env-from-file"):
        why = "the variables of the file may change what programs do"
        yield Effect(Tier.YELLOW, "variables", why), None


def _copy(words: Words, setting: Setting) -> Iterator[tuple[Found, Word | None]]:
    """``cp``: one side is on the host, the other in a container."""
    for place, word in enumerate(words.operands[:2]):
        kind = "write" if place else "read"
        inside = _path_inside(word.text)
        if inside is not None:
            target = replace(word, text=inside, glob=False)
            where = Where(cwd="/", home="/root")
        elif word.text == "-":
            continue
        else:
            target, where = replace(word, glob=False), setting.where
        for effect in path_effects(kind, target, where, recursive=True):
            yield effect, word


def _path_inside(text: str) -> str | None:
    """Return the path of ``container:path``; ``None`` for a path of the host."""
    name, colon, path = text.partition(":")
    if not colon or not name or name.startswith(("/", ".")):
        return None
    return posixpath.join("/", path)


def _build(words: Words, setting: Setting) -> Iterator[tuple[Found, Word | None]]:
    contexts = [(word, word.text) for word in words.operands]
    named = words.values("--build-context")
    contexts += [(word, word.text.partition("=")[2]) for word in named]
    for word, text in contexts:
        if _URL.match(text) or text.startswith("docker-image:"):
            why = "builds from another machine"
            yield Effect(Tier.YELLOW_EXTERNAL, "remote", why, True, hosts=None), word
        elif text not in ("-", ""):
            path = replace(word, text=text.removeprefix("oci-layout:"), glob=False)
            for effect in path_effects("read", path, setting.where, recursive=True):
                yield effect, word
    for word in words.values("--secret"):
        yield from _fields(word, ("src", "source"), "read", setting)
    for word in words.values("-o", "--output"):
        yield from _fields(word, ("dest",), "write", setting)
        if "type=registry" in word.text or "push=true" in word.text:
            why = "publishes the image on a registry"
            yield Effect(Tier.YELLOW_EXTERNAL, "push", why, True, hosts=None), word


def _fields(
    word: Word, keys: tuple[str, ...], kind: str, setting: Setting
) -> Iterator[tuple[Found, Word]]:
    """Judge the paths in ``type=local,dest=PATH``; a lone word is a path itself."""
    fields = [part.partition("=") for part in word.text.strip('"').split(",")]
    paths = [value for key, _, value in fields if key.strip().lower() in keys]
    if len(fields) == 1 and not fields[0][1] and word.text != "-":
        paths = [word.text]
    for path in paths:
        target = replace(word, text=path.strip('"'), glob=False)
        for effect in path_effects(kind, target, setting.where, recursive=False):
            yield effect, word


def _import(words: Words, setting: Setting) -> Iterator[tuple[Found, Word | None]]:
    for word in words.operands[:1]:
        if _URL.match(word.text):
            why = "fetches an archive from another machine"
            yield Effect(Tier.YELLOW_EXTERNAL, "remote", why, True, hosts=None), word
        elif word.text != "-":
            path = replace(word, glob=False)
            for effect in path_effects("read", path, setting.where, recursive=False):
                yield effect, word


def _volume(words: Words, setting: Setting) -> Iterator[tuple[Found, Word | None]]:
    options: dict[str, str] = {}
    given = words.values("-o", "--opt")
    for word in given:
        for part in word.text.split(",") if "device=" in word.text else [word.text]:
            key, _, value = part.partition("=")
            options[key.strip().lower()] = value
    for effect in setting.mounts.options(options):
        yield effect, given[0]


def _top(words: Words, _setting: Setting) -> Iterator[tuple[Found, Word | None]]:
    for word in words.operands[1:]:
        if not word.text.startswith("-") and "e" in word.text:
            why = "ps prints the environment of processes, secrets among it"
            yield Effect(Tier.YELLOW, "environment", why), word


Rule = Callable[[Words, Setting], Iterator[tuple[Found, Word | None]]]

_RULES: Mapping[str, Rule] = {
    "docker.run": _container,
    "docker.create": _container,
    "docker.service.create": _container,
    "docker.service.update": _container,
    "docker.exec": _exec,
    "docker.cp": _copy,
    "docker.build": _build,
    "docker.import": _import,
    "docker.volume.create": _volume,
    "docker.top": _top,
    "docker-compose.run": _container,
    "docker-compose.exec": _exec,
    "docker-compose.cp": _copy,
}
