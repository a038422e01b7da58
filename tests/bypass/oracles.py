"""Two other readers of bash, to compare our grammar with."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

_PARSER = Parser(Language(tree_sitter_bash.language()))
_NOT_COMMANDS = frozenset(
    {
        "test_command",
        "variable_assignment",
        "variable_assignments",
        "unset_command",
        "declaration_command",
    }
)
# Where it is known to read otherwise than bash: escaped blanks, a lone dollar, `{}` and
# `!x` as programs, digits before a redirection, quotes in its target or after it.
_LOST = re.compile(
    r"\\[ \t]|(?:^|[\s|&;<>])(?:\\[\n<>|&;]|\$(?:$|[\s|&;<>])|\{\}|!)|[0-9][<>]"
    r"|<\s*\S*['\"\\]|\n\s*\\|[<>].*\s\S*[\\$]"
)
_IN_DOUBLE_QUOTES = frozenset('$`"\\')


class CannotSay(Exception):
    """This reader does not understand the line, or not well enough to be asked."""


def tree_sitter_argvs(line: str) -> list[list[str]]:
    """Read a line with tree-sitter's grammar of bash.

    Args:
        line: The line.

    Returns:
        The words of each command after quote removal, in their order. Redirections are
        left out.

    Raises:
        CannotSay: There is an error in its tree, or a node that is no plain command.
    """
    if _LOST.search(line):
        raise CannotSay("lost")
    tree = _PARSER.parse(line.encode())
    if tree.root_node.has_error:
        raise CannotSay("error")
    return list(_commands(tree.root_node))


def _commands(node: Node) -> Iterable[list[str]]:
    if node.type == "command":
        yield _argv(node)
        return
    if node.type in _NOT_COMMANDS:
        raise CannotSay(node.type)
    if node.type == "redirected_statement":
        body = node.child_by_field_name("body")
        late = [
            word
            for part in node.children_by_field_name("redirect")
            for word in part.children_by_field_name("destination")[1:]
        ]
        inner = list(_commands(body)) if body else []
        if late and len(inner) != 1:
            raise CannotSay(node.type)
        if late:
            inner[0].extend(map(_word, late))
        yield from inner
        return
    for child in node.named_children:
        yield from _commands(child)


def _argv(node: Node) -> list[str]:
    """Read a command's words; parts that touch are one word."""
    words: list[str] = []
    end = -1
    for part in node.children:
        if _redirects(part):
            end = -1
            continue
        if part.start_byte == end:
            words[-1] += _word(part)
        else:
            words.append(_word(part))
        end = part.end_byte
    return words


def _redirects(node: Node) -> bool:
    return node.type.endswith("_redirect")


def _word(node: Node) -> str:
    text = _text(node)
    if node.type == "command_name":
        parts = node.named_children
        return "".join(map(_word, parts)) if parts else _plain(text)
    if node.type == "concatenation":
        # Everything between the parts is a part too, named or not.
        return "".join(_word(part) for part in node.children)
    if node.type == "raw_string":
        return text[1:-1]
    if node.type == "string":
        return _double_quoted(text[1:-1])
    if node.type in ("word", "number", "extglob_pattern", "regex") or not node.is_named:
        return _plain(text)
    raise CannotSay(node.type)


def _text(node: Node) -> str:
    return (node.text or b"").decode()


def _plain(text: str) -> str:
    return "".join(_unescaped(text, escaped=None))


def _double_quoted(text: str) -> str:
    return "".join(_unescaped(text, escaped=_IN_DOUBLE_QUOTES))


def _unescaped(text: str, escaped: frozenset[str] | None) -> Iterable[str]:
    characters = iter(text)
    for character in characters:
        if character != "\\":
            yield character
            continue
        following = next(characters, "")
        if following == "\n":
            continue
        if escaped is not None and following not in escaped:
            yield "\\"
        yield following


def bash_accepts(lines: Iterable[str]) -> str:
    """Ask bash whether lines are correct; nothing is run.

    Returns:
        Its complaints; empty if there is none.
    """
    run = subprocess.run(
        ["/bin/bash", "--norc", "-n"],
        input="\n".join(lines) + "\n",
        capture_output=True,
        text=True,
        env={"PATH": "/nonexistent", "LC_ALL": "C.UTF-8"},
        check=False,
    )
    return run.stderr if run.returncode or run.stderr else ""
