"""From the findings of all layers to the stretches that are taken out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial
from itertools import islice
from operator import itemgetter, le, lt
from typing import NamedTuple, TypeAlias

from letsbe.redaction.finding import Finding, Findings, What
from letsbe.redaction.placeholders import Region, placeholder, placeholders_near

_MOST_LABELS = 65_536
_START, _END = itemgetter(0), itemgetter(1)


class Label(NamedTuple):
    """What a span is and what takes its place; shared by all spans alike.

    Args:
        placeholder: What stands there afterwards.
        rank: The place of its layer in the pipeline.
        layer: The layer's name.
        kind: The finding's kind.
        name: The registered secret's name, or None.
        rule: The layer's rule.
    """

    placeholder: bytes
    rank: int
    layer: str
    kind: str
    name: str | None
    rule: str


class Span(NamedTuple):
    """A stretch to take out.

    Args:
        start: The first byte's offset.
        end: The offset after the last byte.
        label: What it is.
    """

    start: int
    end: int
    label: Label


# Half the time of calling the class.
_make_span: Callable[[tuple[int, int, Label]], Span] = partial(tuple.__new__, Span)


Place: TypeAlias = tuple[int, int, Label]
"""A span, or the plain tuple that one is made of when somebody needs its names."""


def as_spans(places: Iterable[Place]) -> list[Span]:
    """Give places their names."""
    return list(map(_make_span, places))


class Labels(dict[What, Label]):
    """The labels of one layer, by kind, name and rule; made when first asked for.

    Args:
        rank: The layer's place in the pipeline.
        layer: The layer's name.
    """

    def __init__(self, rank: int, layer: str) -> None:
        super().__init__()
        self._of = rank, layer

    def __missing__(self, what: What) -> Label:
        if len(self) >= _MOST_LABELS:
            self.clear()
        kind, name, rule = what
        label = Label(placeholder(*what), *self._of, kind, name, rule)
        self[what] = label
        return label


def checked(findings: Iterable[Finding], size: int, labels: Labels) -> list[Place]:
    """Turn one layer's findings into places.

    Written as few steps over all findings at once: a dense text has many thousands.

    Args:
        findings: What the layer returned.
        size: The text's length in bytes.
        labels: The layer's labels.

    Raises:
        TypeError: A finding is something else, or an offset is not an integer.
        ValueError: An offset is outside the text, the stretch is empty or reversed,
            or a label is malformed.
    """
    columns = findings if type(findings) is Findings else _columns(list(findings))
    starts, ends, what = columns.starts, columns.ends, columns.what
    if not starts:
        return []
    if {*map(type, starts), *map(type, ends)} != {int}:
        message = "an offset is not an integer"
        raise TypeError(message)
    if min(starts) < 0 or max(ends) > size or not all(map(lt, starts, ends)):
        message = "a finding lies outside the text"
        raise ValueError(message)
    return list(zip(starts, ends, map(labels.__getitem__, what), strict=True))


def _columns(findings: list[Finding]) -> Findings:
    if not {*map(type, findings)} <= {Finding} or not {*map(len, findings)} <= {5}:
        message = "not a finding"
        raise TypeError(message)
    what = map(itemgetter(slice(2, 5)), findings)
    return Findings(list(map(_START, findings)), list(map(_END, findings)), list(what))


def resolve(text: bytes, spans: list[Place], names: Collection[str]) -> list[Place]:
    """Leave placeholders alone, then merge what overlaps.

    Args:
        text: The text the spans are of.
        spans: The spans of all layers, in any order.
        names: The names of registered secrets.

    Returns:
        Spans in order, none overlapping another.
    """
    regions = placeholders_near(text, spans, names)
    if regions:
        starts = [region.start for region in regions]
        spans = [
            piece
            for span in as_spans(spans)
            for piece in _outside(span, regions, starts)
        ]
    return merge(spans)


def merge(spans: Sequence[Place]) -> list[Place]:
    """Unite overlapping spans; each union gets the label of its best one.

    A registered name is best, because the model can use it; then the earlier layer,
    the longer span, the earlier one, the lesser label: always the same choice.
    """
    if _apart(spans):
        return list(spans)
    spans = sorted(spans, key=itemgetter(0, 1))
    if _apart(spans):
        return spans
    merged: list[Place] = []
    cluster: list[Span] = []
    end = -1
    for span in as_spans(spans):
        if span.start >= end and cluster:
            merged.append(_union(cluster, end))
            cluster = []
        cluster.append(span)
        end = max(end, span.end)
    if cluster:
        merged.append(_union(cluster, end))
    return merged


def splice(text: bytes, spans: Sequence[Place]) -> bytes:
    """Put every span's placeholder in its place, in one pass.

    Args:
        text: The text.
        spans: Spans in order, none overlapping another.
    """
    parts: list[bytes] = []
    position = 0
    for start, end, label in spans:
        parts += text[position:start], label[0]
        position = end
    parts.append(text[position:])
    return b"".join(parts)


def pieces(text: bytes, starts: Iterable[int], ends: Iterable[int]) -> Iterable[bytes]:
    """Cut stretches out of a text: ``text[start:end]`` for each pair."""
    return map(text.__getitem__, map(slice, starts, ends))


def _apart(spans: Sequence[Place]) -> bool:
    """Tell whether each span of a list ends before the next one begins."""
    return all(map(le, map(_END, spans), map(_START, islice(spans, 1, None))))


def _union(cluster: list[Span], end: int) -> Span:
    if len(cluster) == 1:
        return cluster[0]
    best = min(cluster, key=_preference)
    return best._replace(start=cluster[0].start, end=end)


def _preference(span: Span) -> tuple[bool, int, int, int, bytes]:
    label, length = span.label, span.end - span.start
    return label.name is None, label.rank, -length, span.start, label.placeholder


def _outside(span: Span, regions: list[Region], starts: list[int]) -> list[Span]:
    """Return what of a span lies outside the placeholders.

    A registered value that reaches into a placeholder is not there: what it matches is
    the placeholder's own text. Of anything else, the rest is still taken out. A value
    that stands as the name of a reference takes the whole reference with it.
    """
    index = max(bisect_right(starts, span.start) - 1, 0)
    pieces: list[Span] = []
    start = span.start
    for region in regions[index:]:
        if region.start >= span.end:
            break
        if region.end <= span.start:
            continue
        if region.inner_start <= span.start and span.end <= region.inner_end:
            return [span._replace(start=region.start, end=region.end)]
        if span.label.name is not None:
            return []
        if start < region.start:
            pieces.append(span._replace(start=start, end=region.start))
        start = max(start, region.end)
    if start < span.end:
        pieces.append(span._replace(start=start))
    return pieces
