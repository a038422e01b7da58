"""The part of a rule's test that Hyperscan does well.

A literal that stands behind something of variable length makes it run an automaton over
the whole text, at five times the cost. So such a test is cut off behind the literal's
first letters; what that lets through is tested in full afterwards, and is little. So
is a repetition without its upper bound, where there is no need to count.
"""

from __future__ import annotations

import re

KEPT = 3
"""How many letters of such a literal are kept."""

_ITEM = re.compile(
    rb"(?P<open>\(\?:)|(?P<close>\))|(?P<bar>\|)"
    rb"|(?P<literal>[^\\\[\](){}.*+?|^$]|\\[^A-Za-z0-9])"
    rb"|\\x[0-9a-fA-F]{2}|\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\.",
    re.DOTALL,
)
_TIMES = re.compile(rb"(?:[*+?]|\{(?P<least>[0-9]+)(?P<range>,(?P<most>[0-9]*))?\})\??")
_COUNTED = 3


def head(expression: bytes) -> bytes:
    """Return an expression that matches wherever the given one does, and is cheap.

    Args:
        expression: Literals, classes, groups without a capture, alternatives and
            repetitions.

    Returns:
        The expression itself if it is cheap.
    """
    return _Cutting(expression).alternatives(after_variable=False)[0]


class _Cutting:
    """Reads an expression once, from left to right, and drops parts of it."""

    def __init__(self, expression: bytes) -> None:
        self._expression = expression
        self._position = 0

    def alternatives(self, *, after_variable: bool) -> tuple[bytes, bool]:
        """Read up to the group's end.

        Returns:
            What is left of it, and whether something was cut off.
        """
        kept: list[bytes] = []
        any_cut = False
        while True:
            branch, cut = self._sequence(after_variable=after_variable)
            kept.append(branch)
            any_cut = any_cut or cut
            if not self._skip(b"|"):
                return b"|".join(kept), any_cut

    def _sequence(self, *, after_variable: bool) -> tuple[bytes, bool]:
        kept: list[bytes] = []
        cut, variable, letters = False, after_variable, 0
        while (item := self._item(after_variable=variable)) is not None:
            text, is_literal, times, group_cut = item
            single = is_literal and not times
            if not cut:
                if variable and single and letters >= KEPT:
                    cut = True
                else:
                    kept.append(text + times)
                    cut = group_cut
            variable = variable or not single
            letters = letters + 1 if single else 0
        return b"".join(kept), cut

    def _item(self, *, after_variable: bool) -> tuple[bytes, bool, bytes, bool] | None:
        """Read one item: its text, whether it is a literal, how often, and if cut."""
        match = _ITEM.match(self._expression, self._position)
        if match is None or match["close"] or match["bar"]:
            return None
        self._position = match.end()
        text, cut = match[0], False
        if match["open"]:
            inner, cut = self.alternatives(after_variable=after_variable)
            self._skip(b")")
            text = b"(?:" + inner + b")"
        times = _TIMES.match(self._expression, self._position)
        if times is None:
            return text, match["literal"] is not None, b"", cut
        self._position = times.end()
        # What a negated class lets go on for ever is reported at nearly every byte.
        endless = text.startswith(b"[^")
        repeated = times[0] if endless else _uncounted(times)
        return text, match["literal"] is not None, repeated, cut

    def _skip(self, sign: bytes) -> bool:
        found = self._expression.startswith(sign, self._position)
        self._position += len(sign) if found else 0
        return found


def longest(expression: bytes) -> int:
    """Return how many bytes an expression matches at most, or a little more.

    Args:
        expression: As for :func:`head`.

    Raises:
        ValueError: There is no limit to it.
    """
    position = total = 0
    factor = 1
    while match := _ITEM.match(expression, position):
        times = _TIMES.match(expression, match.end())
        position = times.end() if times else match.end()
        most = _most(times)
        if match["close"]:
            factor *= most
        elif not match["open"] and not match["bar"]:
            total += most
    return total * factor


def _most(times: re.Match[bytes] | None) -> int:
    if times is None or times[0] in (b"?", b"??"):
        return 1
    most = times["most"] if times["range"] else times["least"]
    if not most:
        message = f"no limit: {times.string!r}"
        raise ValueError(message)
    return max(int(most), 1)


def _uncounted(times: re.Match[bytes]) -> bytes:
    """Drop the upper bound of a repetition that would have to be counted."""
    least, most = times["least"], times["most"]
    if not most or int(most) <= int(least or b"0") + _COUNTED:
        return times[0]
    return b"{%b,}" % (least or b"0")
