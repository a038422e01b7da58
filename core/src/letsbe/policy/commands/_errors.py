"""How the grammar says no."""

from __future__ import annotations

from letsbe.errors import Refused


class CommandRefused(Refused):
    """The command line says something that the grammar leaves out.

    Args:
        rule: The rule's name, such as ``grammar.substitution``.
        message: What was met and why it is not run.
        span: Where it stands in the text: first character, one past the last.
        alternative: How to say it in a way that is understood.
    """

    code = "command_refused"

    def __init__(
        self, rule: str, message: str, span: tuple[int, int], alternative: str
    ) -> None:
        super().__init__(message, alternative=alternative)
        self.rule = rule
        self.span = span
