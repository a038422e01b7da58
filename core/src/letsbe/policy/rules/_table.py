"""What a rule table says of one program, as the lookups that judging needs."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from letsbe.errors import ConfigurationError
from letsbe.policy.tiers import Tier

Style = Literal["gnu", "posix", "single", "keys"]


@functools.cache
def keys(text: str) -> frozenset[str]:
    """Return the words of a text. Tables repeat few texts thousands of times."""
    return frozenset(text.split())


TIER_GROUPS: Mapping[str, Tier] = {
    "yellow": Tier.YELLOW,
    "external": Tier.YELLOW_EXTERNAL,
    "red": Tier.RED,
    "critical": Tier.CRITICAL_RED,
    "refuse": Tier.CRITICAL_RED,
}
"""Groups of flags and kinds of operands that name a tier themselves."""

_FLAG_TIERS: Mapping[str, Tier] = {
    **dict.fromkeys(("plain", "list", "read"), Tier.GREEN),
    **dict.fromkeys(("write", "modify"), Tier.YELLOW),
    **dict.fromkeys(("send", "upload", "url", "host"), Tier.YELLOW_EXTERNAL),
    **TIER_GROUPS,
}

EFFECTS = keys(
    "read list write remove modify exec command send upload data revision repository"
    " url host sql sed awk"
)
"""Groups of flags and kinds of operands that say what is done with the value."""

KINDS = EFFECTS | {"none", "text", "assignment", "remote", "remote_write"}


class TableError(ConfigurationError):
    """A rule table cannot be used: its form is wrong, or an example fails."""

    code = "rule_table_error"


@dataclass(frozen=True, slots=True)
class Flag:
    """What one flag does.

    Args:
        name: The flag as the table lists it: ``-o``, ``--output``.
        group: Its effect: ``plain``, one of :data:`EFFECTS` or :data:`TIER_GROUPS`.
        values: How many words follow as its values.
        attached: Whether it takes a value only when attached to it.
        until_semicolon: Whether it takes all words up to ``;`` or ``+``.
    """

    name: str
    group: str
    values: int = 0
    attached: bool = False
    until_semicolon: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """When a ``when`` or a ``mode`` applies; what is not given always holds."""

    flags: frozenset[str] = frozenset()
    without: frozenset[str] = frozenset()
    value: re.Pattern[str] | None = None
    operand: re.Pattern[str] | None = None
    path_class: str | None = None
    operands: int = 0


@dataclass(frozen=True, slots=True)
class Escalation:
    """A ``[[when]]``: a tier that some combination of words has at least."""

    condition: Condition
    tier: Tier
    rule: str
    why: str
    external: bool
    refused: bool
    hosts_unknown: bool = False


@dataclass(frozen=True, slots=True)
class Base:
    """What a call is when no flag changes it; a ``[[mode]]`` replaces it whole."""

    tier: Tier
    why: str
    operands: tuple[str, ...]
    last: str | None = None
    bare: Tier | None = None
    most: int | None = None
    external: bool = False
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """The rules of one program, or of one of its subcommands."""

    name: str
    base: Base
    alternative: str | None
    style: Style
    flags: Mapping[str, Flag]
    long_flags: tuple[str, ...]
    bundle: Mapping[str, Flag] | None
    subs: Mapping[str, Table]
    modes: tuple[tuple[Condition, Base], ...]
    escalations: tuple[Escalation, ...]
    because: Mapping[str, str]
    harmless_unlisted: bool
    exact: bool
    numeric: bool
    anywhere: bool
    rest_is_operands: bool
    prefix: bool
    ignore: frozenset[str]
    recursive: frozenset[str]
    always_recursive: bool
    names: frozenset[str]
    unless: frozenset[str]
    shift: frozenset[str]
    emits: bool
    emits_with: frozenset[str]
    filter: bool
    terminated: bool
    appends: frozenset[str] | None
    inject: tuple[str, ...]
    environment: Mapping[str, str]
    examples: Mapping[str, tuple[str, ...]] = field(repr=False)
    aliases: tuple[str, ...] = ()

    @property
    def worst_flag(self) -> Tier:
        """The most that a flag of it does, its value unknown; RED at most."""
        if self.subs:
            return Tier.RED
        groups = {flag.group for flag in self.flags.values()}
        tiers = {_FLAG_TIERS.get(group, Tier.RED) for group in groups}
        return min(max(tiers, default=Tier.GREEN), Tier.RED)

    @property
    def pure(self) -> bool:
        """Whether no flag and no subcommand of it can do more than read files."""
        effects = {flag.group for flag in self.flags.values()}
        return not self.subs and effects <= {"plain", "list", "read"}
