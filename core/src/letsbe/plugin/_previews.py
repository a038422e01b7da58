"""What a call would take or change, told without doing it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from letsbe.plugin._calls import ToolCall
from letsbe.policy.verdict import Verdict

Redact = Callable[[bytes], bytes]
"""Takes secrets out of a text; as :meth:`letsbe.plugin.Execution.redact`."""


@dataclass(frozen=True, slots=True)
class Preview:
    """The blast radius of a call, for the person who is asked to approve it.

    It describes the moment of asking, binds nothing and is no part of any digest.

    Args:
        summary: One sentence: what is taken or changed, in numbers.
        detail: The numbers, as JSON.
        difference: For a file that is written: a unified diff.
        left_out: What was not counted, one sentence fragment each.
    """

    summary: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    difference: str | None = None
    left_out: tuple[str, ...] = ()


@runtime_checkable
class Previews(Protocol):
    """What an executor or adapter may offer besides its own protocol."""

    def preview(
        self, call: ToolCall, verdict: Verdict, redact: Redact
    ) -> Preview | None:
        """Say what a call would take or change. It must change nothing itself.

        Called in a thread, only for calls that a person is asked about, and left alone
        after five seconds; so it stops counting well before and says so.

        Args:
            call: The call.
            verdict: What :meth:`classify` said of it.
            redact: Call it on the whole of any text before it is cut or compared.

        Returns:
            What it would do; ``None`` if there is nothing to say.
        """
        ...
