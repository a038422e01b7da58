"""From a TOML document to a rule table, with its form checked.

``TABLES.md`` of the shell executor describes the format.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping
from typing import Any, cast

from letsbe.policy.rules._table import (
    EFFECTS,
    KINDS,
    TIER_GROUPS,
    Base,
    Condition,
    Escalation,
    Flag,
    Style,
    Table,
    TableError,
    keys,
)
from letsbe.policy.tiers import Tier


def compile_table(name: str, data: Mapping[str, Any]) -> Table:
    """Compile a program's table.

    Args:
        name: The program.
        data: The TOML document.

    Raises:
        TableError: Something is missing, unknown or of the wrong type; the error names
            the table and the key.
    """
    try:
        table = _compile(name, data, None)
        _share(table, data, table)
    except (KeyError, TypeError, ValueError, re.error) as error:
        message = f"rule table {name}: {error}"
        raise TableError(message) from None
    if not table.examples:
        message = f"rule table {name}: [examples] is missing"
        raise TableError(message)
    return table


_KEYS = keys(
    "tier external refused why alt operands last unless shift max bare style exact"
    " numeric unlisted bundle anywhere rest prefix ignore recursive names emits filter"
    " terminated appends inject environment flags when mode because examples sub"
    " aliases"
)
_MODE_KEYS = keys(
    "tier external refused why operands last bare max flags without value operand class"
    " rule"
)


def _compile(name: str, data: Mapping[str, Any], parent: Table | None) -> Table:
    _known(data, _KEYS, name)
    why = data.get("why") or (parent.base.why if parent else None)
    if not why:
        raise ValueError("why is missing")
    base = _base(data, str(why), ())
    flags = _flags(data.get("flags", {}))
    recursive = data.get("recursive", "")
    table = Table(
        name=name,
        base=base,
        alternative=data.get("alt") or (parent.alternative if parent else None),
        style=_style(data, parent),
        flags=flags,
        long_flags=tuple(sorted(flag for flag in flags if flag.startswith("--"))),
        bundle=_bundle(data.get("bundle"), flags),
        subs={},
        modes=tuple(_mode(mode, base) for mode in data.get("mode", ())),
        escalations=tuple(_escalation(item, base) for item in data.get("when", ())),
        because={**(parent.because if parent else {}), **data.get("because", {})},
        harmless_unlisted=_one_of(data, "unlisted", ("red", "harmless")) == "harmless",
        exact=bool(data.get("exact", parent.exact if parent else False)),
        numeric=bool(data.get("numeric", False)),
        anywhere=bool(data.get("anywhere", False)),
        rest_is_operands=_one_of(data, "rest", ("unknown", "operands")) == "operands",
        prefix=bool(data.get("prefix", False)),
        ignore=frozenset(data.get("ignore", ())),
        recursive=keys("" if recursive == "always" else recursive),
        always_recursive=recursive == "always",
        names=keys(data.get("names", "")),
        unless=keys(data.get("unless", "")),
        shift=keys(data.get("shift", "")),
        emits=data.get("emits") is True,
        emits_with=keys(data["emits"])
        if isinstance(data.get("emits"), str)
        else keys(""),
        filter=bool(data.get("filter", False)),
        terminated=bool(data.get("terminated", False)),
        appends=keys(data["appends"]) if "appends" in data else None,
        inject=tuple(data.get("inject", ())),
        environment=dict(data.get("environment", {})),
        examples={k: tuple(v) for k, v in data.get("examples", {}).items()},
        aliases=tuple(data.get("aliases", ())),
    )
    _check_unlisted(table)
    kinds = {kind for b in (base, *(b for _, b in table.modes)) for kind in b.operands}
    if "command" in kinds and table.style != "posix":
        raise ValueError('operands "command" needs style = "posix"')
    subs = cast(dict[str, Table], table.subs)
    siblings = data.get("sub", {})
    for sub, rules in siblings.items():
        if isinstance(rules, str):  # see `_share`
            continue
        compiled = _compile(f"{name}.{sub}", _like(rules, siblings), table)
        for alias in (sub, *compiled.aliases):
            if subs.setdefault(alias, compiled) is not compiled:
                message = f"{name}: two subcommands are called {alias}"
                raise ValueError(message)
    return table


def _share(table: Table, data: Mapping[str, Any], program: Table) -> None:
    """Let ``ps = "ps"`` below a subcommand be the program's own subcommand."""
    subs = cast(dict[str, Table], table.subs)
    for sub, rules in data.get("sub", {}).items():
        if isinstance(rules, str):
            subs[sub] = program.subs[rules]
        else:
            _share(subs[sub], _like(rules, data["sub"]), program)


def _like(rules: Mapping[str, Any], siblings: Mapping[str, Any]) -> Mapping[str, Any]:
    """Fill what a subcommand leaves out from the sibling that it is ``like``."""
    if "like" not in rules:
        return rules
    whole = _like(siblings[rules["like"]], siblings)
    model = {k: v for k, v in whole.items() if k != "aliases"}
    flags = {**model.get("flags", {}), **rules.get("flags", {})}
    own = {k: v for k, v in rules.items() if k != "like"}
    return {**model, **own, "flags": flags}


def _known(data: Mapping[str, Any], keys: frozenset[str], name: str) -> None:
    unknown = sorted(set(data) - keys)
    if unknown:
        message = f"unknown key {unknown[0]!r} in {name}"
        raise ValueError(message)


def _check_unlisted(table: Table) -> None:
    if table.harmless_unlisted and {f.group for f in table.flags.values()} - {"plain"}:
        message = 'unlisted = "harmless" needs flags that are all harmless'
        raise ValueError(message)


def _one_of(data: Mapping[str, Any], key: str, values: tuple[str, ...]) -> str:
    value = data.get(key, values[0])
    if value not in values:
        message = f"{key} is none of {', '.join(values)}"
        raise ValueError(message)
    return str(value)


def _style(data: Mapping[str, Any], parent: Table | None) -> Style:
    styles = ("gnu", "posix", "single", "keys")
    if "style" not in data and parent:
        # A parent's "posix" is about its own operands, the subcommand among them.
        return "gnu" if parent.style == "posix" else parent.style
    return cast(Style, _one_of(data, "style", styles))


def _kinds(value: str | list[str]) -> tuple[str, ...]:
    kinds = (value,) if isinstance(value, str) else tuple(value)
    for kind in kinds:
        if kind.startswith("re:"):
            re.compile(kind[3:])
        elif kind not in KINDS and kind not in TIER_GROUPS:
            message = f"unknown kind of operand {kind!r}"
            raise ValueError(message)
    return kinds


def _base(data: Mapping[str, Any], why: str, inherited: tuple[str, ...]) -> Base:
    tier = Tier[data["tier"]]
    last = data.get("last")
    return Base(
        tier=tier,
        why=why,
        operands=_kinds(data["operands"])
        if "operands" in data
        else inherited or ("none",),
        last=_kinds(last)[0] if last else None,
        bare=Tier[data["bare"]] if "bare" in data else None,
        most=data.get("max"),
        external=bool(data.get("external", False)) or tier is Tier.YELLOW_EXTERNAL,
        refused=bool(data.get("refused", False)),
    )


def _condition(data: Mapping[str, Any]) -> Condition:
    flags = data.get("flags", "")
    if "value" in data and not flags:
        raise ValueError("value needs flags")
    count = data.get("operands", 0)
    return Condition(
        flags=keys(flags),
        without=keys(data.get("without", "")),
        value=re.compile(data["value"], re.DOTALL) if "value" in data else None,
        operand=re.compile(data["operand"], re.DOTALL) if "operand" in data else None,
        path_class=data.get("class"),
        operands=count if isinstance(count, int) else 0,
    )


def _mode(data: Mapping[str, Any], base: Base) -> tuple[Condition, Base]:
    _known(data, _MODE_KEYS, "mode")
    why = str(data.get("why", base.why))
    return _condition(data), _base(data, why, base.operands)


def _escalation(data: Mapping[str, Any], base: Base) -> Escalation:
    _known(data, _WHEN_KEYS, "when")
    tier = Tier[data["tier"]]
    return Escalation(
        condition=_condition(data),
        tier=tier,
        rule=data["rule"],
        why=str(data.get("why", base.why)),
        external=bool(data.get("external", False)) or tier is Tier.YELLOW_EXTERNAL,
        refused=bool(data.get("refused", False)),
        hosts_unknown=_one_of(data, "hosts", ("known", "unknown")) == "unknown",
    )


_WHEN_KEYS = keys(
    "flags without value operand class operands tier rule why external refused hosts"
)


def _flags(groups: Mapping[str, str]) -> dict[str, Flag]:
    flags: dict[str, Flag] = {}
    for group, listed in groups.items():
        if group != "plain" and group not in EFFECTS and group not in TIER_GROUPS:
            message = f"unknown group of flags {group!r}"
            raise ValueError(message)
        for text in listed.split():
            flag = _flag(text, group)
            if flag.name in flags:
                message = f"flag {flag.name} is listed twice"
                raise ValueError(message)
            flags[flag.name] = flag
    return flags


@functools.cache
def _flag(text: str, group: str) -> Flag:
    # Two of three flags stand in another table too.
    if text.endswith(";"):
        return Flag(text[:-1], group, until_semicolon=True)
    if text.endswith("?"):
        return Flag(text[:-1], group, attached=True)
    name = text.rstrip("=")
    return Flag(name, group, values=len(text) - len(name))


def _bundle(
    value: str | Mapping[str, str] | None, flags: Mapping[str, Flag]
) -> Mapping[str, Flag] | None:
    if value is None:
        return None
    if value == "same":
        return {name[1]: flag for name, flag in flags.items() if len(name) == 2}
    if isinstance(value, str):
        raise TypeError('bundle is "same" or a table')
    return _flags(value)
