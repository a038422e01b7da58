"""Finding plugins by their metadata, before anything of them is imported."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, distribution, distributions

from letsbe.discovery.plugin_set import PluginSet, Selection
from letsbe.discovery.provenance import origin_of
from letsbe.discovery.records import NAME, Kind, PluginRecord, Status, by_name, shown

_OURS = re.compile(r"^\s*\[\s*letsbe\.", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A plugin that was found, and its entry point if it may be imported.

    Args:
        record: What its metadata and the plugin set say. ``selected`` means that it
            may be imported.
        entry: Its entry point; ``None`` for a plugin that is not installed.
        selection: The plugin set's choice of it, if it was chosen.
    """

    record: PluginRecord
    entry: EntryPoint | None
    selection: Selection | None


def discover(kinds: Collection[Kind], plugin_set: PluginSet) -> list[Candidate]:
    """Find the plugins of some kinds and apply the plugin set to them.

    Args:
        kinds: The kinds that this process needs.
        plugin_set: What the tenant chose.

    Returns:
        A candidate for every plugin that is installed or chosen, sorted.
    """
    found = defaultdict[tuple[Kind, str], list[tuple[PluginRecord, EntryPoint]]](list)
    for record, entry in _installed(kinds):
        found[record.kind, record.name].append((record, entry))
    candidates = [
        candidate
        for (kind, name), rivals in found.items()
        for candidate in _judge(rivals, plugin_set.find(kind, name))
    ]
    candidates += [
        _not_installed(selection)
        for selection in plugin_set.selections
        if selection.kind in kinds and (selection.kind, selection.name) not in found
    ]
    return sorted(candidates, key=lambda candidate: by_name(candidate.record))


def installed_set(kinds: Collection[Kind] = tuple(Kind)) -> PluginSet:
    """Choose everything that is installed now, each from its distribution.

    Args:
        kinds: The kinds to choose from.

    Returns:
        The set that ``letsbe init`` writes. A name that two distributions claim is
        chosen without either, so that both are shown as duplicates.
    """
    chosen: dict[tuple[Kind, str], Selection] = {}
    for record in sorted((r for r, _ in _installed(kinds)), key=by_name):
        if not NAME.fullmatch(record.name):
            continue
        key = record.kind, record.name
        source = None if key in chosen else record.distribution
        chosen[key] = Selection(*key, source)
    return PluginSet(tuple(chosen.values()))


def _judge(
    rivals: list[tuple[PluginRecord, EntryPoint]], selection: Selection | None
) -> Iterator[Candidate]:
    sources = " and ".join(sorted(record.source for record, _ in rivals))
    for record, entry in rivals:
        if selection is None:
            judged = record
        elif len(rivals) > 1:
            reason = f"{record.label} comes from {sources}: uninstall all but one"
            judged = record.turned(Status.DUPLICATE, reason)
        elif not _same(selection.distribution, record.distribution):
            reason = (
                f"the plugin set chose it from {shown(selection.distribution or '')}: "
                f"choose it anew if {record.distribution} is trusted"
            )
            judged = record.turned(Status.LOAD_ERROR, reason)
        else:
            judged = record.turned(Status.SELECTED, "")
        yield Candidate(judged, entry, selection)


def _not_installed(selection: Selection) -> Candidate:
    source = shown(selection.distribution or "its distribution")
    reason = f"not installed: install {source}, or take it out of the plugin set"
    record = PluginRecord(
        selection.kind, selection.name, None, None, None, Status.LOAD_ERROR, reason
    )
    return Candidate(record, None, selection)


def _installed(
    kinds: Collection[Kind],
) -> Iterator[tuple[PluginRecord, EntryPoint]]:
    groups = {kind.group: kind for kind in kinds}
    for found in _distributions():
        name, version = shown(found.name), shown(found.version or "")
        origin: str | None = None
        for entry in found.entry_points:
            if entry.group not in groups:
                continue
            origin = origin or origin_of(found.name)
            kind, reason = groups[entry.group], "not in the plugin set"
            if not NAME.fullmatch(entry.name):
                reason = "its entry point's name is not a plugin's name"
            yield (
                PluginRecord(
                    kind=kind,
                    name=shown(entry.name, 64),
                    distribution=name,
                    version=version,
                    origin=origin,
                    status=Status.NOT_SELECTED,
                    reason=reason,
                ),
                entry,
            )


def _distributions() -> Iterator[Distribution]:
    """Give each distribution that has entry points of ours, once.

    The standard ``entry_points()`` fails as a whole if the metadata of any one
    distribution is broken, so each is read by itself. Where one name is on the path
    twice, the first is the one that an import finds.
    """
    seen = set[str]()
    for found in distributions():
        try:
            text = found.read_text("entry_points.txt")
            if not text or not _OURS.search(text):
                continue
            name = _canonical(found.name)
            if name in seen:
                continue
            seen.add(name)
            first = distribution(found.name)
            tuple(first.entry_points)
        except Exception:  # noqa: BLE001, S112 - it shows as "not installed" if chosen
            continue
        yield first


def _canonical(name: str) -> str:
    """Spell a distribution's name as PEP 503 does."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _same(chosen: str | None, installed: str | None) -> bool:
    return chosen is None or _canonical(chosen) == _canonical(installed or "")
