"""What an awk program does besides reading its input and printing.

A tokenizer that tells strings, regular expressions and comments from code, and then a
look at the code alone. It errs towards "runs something": awk's grammar is ambiguous,
so whatever could be a pipe, a redirection or a call that runs a program counts.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    r"""(?P<space>[ \t]+|\\\n|\#[^\n]*)
      | (?P<string>"(?:[^"\\\n]|\\.)*")
      | (?P<word>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<number>[0-9]+(?:\.[0-9]*)?|\.[0-9]+)
      | (?P<operator>\|\||\|&|&&|>>|>=|<=|==|!=|\+\+|--|[-+*/%^]=|.|\n)""",
    re.VERBOSE | re.DOTALL,
)
_REGEX = re.compile(r"/(?:[^/\\\n]|\\.)+/")
# system() runs a program; getline can read any file or program; ARGV says which files
# are read next; ENVIRON holds the secrets that the command was given.
_RISKY = re.compile(
    r"system|getline|ARGV|ARGC|ENVIRON|PROCINFO|SYMTAB|extension|namespace"
)
_BRACKET = re.compile(r"\\.|\[\^?+\]?+[^\]]*+\]", re.DOTALL)
_CONSOLE = frozenset({'"/dev/stdout"', '"/dev/stderr"', '"-"'})


def awk_is_pure(program: str) -> bool:
    """Tell whether a program only reads its input and prints.

    Args:
        program: The program's text.

    Returns:
        False if it runs programs, opens other files, or is not understood.
    """
    # Looked for in strings too: a call is not hidden by what only looks like a quote.
    if _RISKY.search(program):
        return False
    tokens = _tokens(program)
    if tokens is None:
        return False
    printing, depth = False, 0
    for number, (kind, text) in enumerate(tokens):
        if text in ("print", "printf"):
            printing, depth = True, 0
        elif kind == "operator":
            if text in ("|", "|&", "@", "`"):
                return False
            if text in (";", "\n", "}", "{"):
                printing = False
            depth += (text in "([") - (text in ")]")
            if printing and depth <= 0 and text in (">", ">>"):
                target = tokens[number + 1][1] if number + 1 < len(tokens) else ""
                if target not in _CONSOLE:
                    return False
    return True


def _tokens(program: str) -> list[tuple[str, str]] | None:
    tokens: list[tuple[str, str]] = []
    place = 0
    while place < len(program):
        if program[place] == "/" and _regex_may_start(tokens):
            found = _REGEX.match(program, place)
            # A slash in brackets ends the expression for some awks and not for others.
            if not found or "[" in _BRACKET.sub("", found[0]):
                return None
            tokens.append(("regex", found[0]))
            place = found.end()
            continue
        match = _TOKEN.match(program, place)
        if not match or match[0] == '"':
            return None  # an unclosed string
        place = match.end()
        if match[0] == "/" and tokens[-1][1] == ")" and '"' in program[place:]:
            return None  # a division, or an expression that may hold a quote
        if match.lastgroup != "space":
            tokens.append((str(match.lastgroup), match[0]))
    return tokens


def _regex_may_start(tokens: list[tuple[str, str]]) -> bool:
    if not tokens:
        return True
    kind, text = tokens[-1]
    if kind == "word":
        return text in ("print", "printf", "return", "in", "case", "else", "do", "exit")
    return kind == "operator" and text not in (")", "]", "++", "--", "$")
