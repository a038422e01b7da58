"""From the findings of all layers to the stretches that are taken out."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from operator import itemgetter, lt
from typing import NamedTuple

from letsbe.redaction.finding import Finding
from letsbe.redaction.placeholders import Region, placeholder, placeholders_near


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


def checked(
    findings: Iterable[Finding], size: int, rank: int, layer: str
) -> list[Span]:
    """Turn one layer's findings into spans.

    Args:
        findings: What the layer returned.
        size: The text's length in bytes.
        rank: The layer's place in the pipeline.
        layer: The layer's name.

    Raises:
        TypeError: A finding is something else, or an offset is not an integer.
        ValueError: An offset is outside the text, the stretch is empty or reversed,
            or a label is malformed.
    """
    new = tuple.__new__  # half the time of calling Span
    labels: dict[tuple[str, str | None, str], Label] = {}
    spans = []
    for finding in findings:
        if type(finding) is not Finding:
            message = "not a finding"
            raise TypeError(message)
        start, end, kind, name, rule = finding
        if type(start) is not int or type(end) is not int:
            message = "an offset is not an integer"
            raise TypeError(message)
        if not 0 <= start < end <= size:
            message = "a finding lies outside the text"
            raise ValueError(message)
        what = kind, name, rule
        label = labels.get(what)
        if label is None:
            label = labels[what] = Label(placeholder(*what), rank, layer, *what)
        spans.append(new(Span, (start, end, label)))
    return spans


def resolve(text: bytes, spans: list[Span], names: Collection[str]) -> list[Span]:
    """Leave placeholders alone, then merge what overlaps.

    Args:
        text: The text the spans are of.
        spans: The spans of all layers, in any order.
        names: The names of registered secrets.

    Returns:
        Spans in order, none overlapping another.
    """
    regions = placeholders_near(text, [span[:2] for span in spans], names)
    if regions:
        starts = [region.start for region in regions]
        spans = [piece for span in spans for piece in _outside(span, regions, starts)]
    return merge(spans)


def merge(spans: list[Span]) -> list[Span]:
    """Unite overlapping spans; each union gets the label of its best one.

    A registered name is best, because the model can use it; then the earlier layer,
    the longer span, the earlier one, the lesser label: always the same choice.
    """
    spans = sorted(spans, key=itemgetter(0, 1))
    if not _any_overlap(spans):
        return spans
    merged: list[Span] = []
    cluster: list[Span] = []
    end = -1
    for span in spans:
        if span.start >= end and cluster:
            merged.append(_union(cluster, end))
            cluster = []
        cluster.append(span)
        end = max(end, span.end)
    if cluster:
        merged.append(_union(cluster, end))
    return merged


def splice(text: bytes, spans: Sequence[Span]) -> bytes:
    """Put every span's placeholder in its place, in one pass.

    Args:
        text: The text.
        spans: Spans in order, none overlapping another.
    """
    parts: list[bytes] = []
    position = 0
    for start, end, label in spans:
        parts += text[position:start], label.placeholder
        position = end
    parts.append(text[position:])
    return b"".join(parts)


def _any_overlap(spans: list[Span]) -> bool:
    """Tell whether any span of a sorted list begins before the one before it ends."""
    starts = map(itemgetter(0), islice(spans, 1, None))
    return any(map(lt, starts, map(itemgetter(1), spans)))


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
