"""From the findings of all layers to the stretches that are taken out."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import lru_cache, partial
from itertools import chain, compress, count, islice
from operator import gt, itemgetter, le, lt
from typing import NamedTuple, final

from letsbe.redaction.finding import Finding, Findings, What
from letsbe.redaction.placeholders import Region, placeholder, placeholders_near

_MOST_LABELS = 65_536
_START, _END, _PLACEHOLDER = itemgetter(0), itemgetter(1), itemgetter(0)


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
_Columns = tuple[bytes, int, str, str, str | None, str]
_make_label: Callable[[_Columns], Label] = partial(tuple.__new__, Label)
_make_span: Callable[[tuple[int, int, Label]], Span] = partial(tuple.__new__, Span)


@final
class Spans:
    """Stretches of a text, as columns; gives a :class:`Span` for each when asked.

    A dense text has tens of thousands. An object for each would cost more than finding
    them, and the garbage collector would look at all of them again and again.

    Args:
        starts: The first bytes' offsets.
        ends: The offsets after the last bytes; as many.
        labels: What they are; as many.
    """

    __slots__ = ("ends", "labels", "starts")

    def __init__(
        self,
        starts: Iterable[int] = (),
        ends: Iterable[int] = (),
        labels: Iterable[Label] = (),
    ) -> None:
        self.starts = list(starts)
        self.ends = list(ends)
        self.labels = list(labels)

    def __len__(self) -> int:
        return len(self.starts)

    def __iter__(self) -> Iterator[Span]:
        return map(_make_span, zip(self.starts, self.ends, self.labels, strict=True))

    def add(self, start: int, end: int, label: Label) -> None:
        """Add one."""
        self.starts.append(start)
        self.ends.append(end)
        self.labels.append(label)

    def extend(self, others: Spans, by: int = 0) -> None:
        """Add others, their offsets moved by so much."""
        starts, ends = others.starts, others.ends
        self.starts += map(by.__add__, starts) if by else starts
        self.ends += map(by.__add__, ends) if by else ends
        self.labels += others.labels

    def part(self, begin: int, end: int | None = None, by: int = 0) -> Spans:
        """Return the spans of some places in the columns, moved by so much."""
        some = slice(begin, end)
        part = Spans(self.starts[some], self.ends[some], self.labels[some])
        if not by:
            return part
        moved = Spans()
        moved.extend(part, by)
        return moved

    def kept(self, which: Iterable[object]) -> Spans:
        """Return those spans for which something is true."""
        which = list(which)
        columns = (self.starts, self.ends)
        starts, ends = (compress(column, which) for column in columns)
        return Spans(starts, ends, compress(self.labels, which))

    def in_order(self) -> Spans:
        """Return the spans by their start; itself if they are in order."""
        starts = self.starts
        if all(map(le, starts, islice(starts, 1, None))):
            return self
        order = sorted(range(len(starts)), key=starts.__getitem__)
        return Spans(
            map(starts.__getitem__, order),
            map(self.ends.__getitem__, order),
            map(self.labels.__getitem__, order),
        )


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
        label = _make_label((placeholder(*what), *self._of, kind, name, rule))
        self[what] = label
        return label


@lru_cache(maxsize=64)
def labels_of(rank: int, layer: str) -> Labels:
    """Return the labels of one layer; pipelines share them, as making them takes time.

    Args:
        rank: The layer's place in the pipeline.
        layer: The layer's name.
    """
    return Labels(rank, layer)


def checked(findings: Iterable[Finding], size: int, labels: Labels) -> Spans:
    """Turn one layer's findings into spans.

    Written as few steps over all findings at once: a dense text has many thousands.

    Args:
        findings: What the layer returned.
        size: The text's length in bytes.
        labels: The layer's labels.

    Raises:
        TypeError: A finding is something else, or an offset is not an integer.
        ValueError: An offset is outside the text, the stretch is empty or reversed,
            a label is malformed, or columns are not of one length.
    """
    if findings == [] or findings == ():
        return Spans()  # nearly always so, and short texts are many
    columns = findings if type(findings) is Findings else _columns(list(findings))
    spans = Spans(columns.starts, columns.ends)
    starts, ends = spans.starts, spans.ends
    if {*map(type, starts), *map(type, ends)} - {int}:
        message = "an offset is not an integer"
        raise TypeError(message)
    if len(starts) != len(ends) or len(starts) != len(columns.what):
        message = "the columns of the findings are not of one length"
        raise ValueError(message)
    if starts and (
        min(starts) < 0 or max(ends) > size or not all(map(lt, starts, ends))
    ):
        message = "a finding lies outside the text"
        raise ValueError(message)
    spans.labels = list(map(labels.__getitem__, columns.what))
    return spans


def _columns(findings: list[Finding]) -> Findings:
    if not {*map(type, findings)} <= {Finding} or not {*map(len, findings)} <= {5}:
        message = "not a finding"
        raise TypeError(message)
    what = map(itemgetter(slice(2, 5)), findings)
    return Findings(list(map(_START, findings)), list(map(_END, findings)), list(what))


def resolve(text: bytes, spans: Spans, names: Collection[str]) -> Spans:
    """Leave placeholders alone, then merge what overlaps.

    Args:
        text: The text the spans are of.
        spans: The spans of all layers, in any order.
        names: The names of registered secrets.

    Returns:
        Spans in order, none overlapping another.
    """
    regions = placeholders_near(text, spans.starts, spans.ends, names)
    return merge(_beside(spans, regions) if regions else spans)


def merge(spans: Spans) -> Spans:
    """Unite overlapping spans; each union gets the label of its best one.

    A registered name is best, because the model can use it; then the earlier layer,
    the longer span, the earlier one, the lesser label: always the same choice.
    """
    spans = spans.in_order()
    starts, ends = spans.starts, spans.ends
    overlaps = list(compress(count(), map(gt, ends, islice(starts, 1, None))))
    if not overlaps:
        return spans
    merged = Spans()
    done = 0
    for first in overlaps:
        if first < done:
            continue
        last, end = first + 1, ends[first]
        while last < len(starts) and starts[last] < end:
            end = max(end, ends[last])
            last += 1
        merged.extend(spans.part(done, first))
        best = min(spans.part(first, last), key=_preference)
        merged.add(starts[first], end, best.label)
        done = last
    merged.extend(spans.part(done))
    return merged


def splice(text: bytes, spans: Iterable[Span]) -> bytes:
    """Put every span's placeholder in its place, in one pass.

    Args:
        text: The text.
        spans: Spans in order, none overlapping another.
    """
    columns = spans if isinstance(spans, Spans) else Spans(*zip(*spans, strict=True))
    between = pieces(text, [0, *columns.ends], [*columns.starts, len(text)])
    instead = chain(map(_PLACEHOLDER, columns.labels), (b"",))
    return b"".join(chain.from_iterable(zip(between, instead, strict=True)))


def pieces(text: bytes, starts: Iterable[int], ends: Iterable[int]) -> Iterable[bytes]:
    """Cut stretches out of a text: ``text[start:end]`` for each pair."""
    return map(text.__getitem__, map(slice, starts, ends))


def _preference(span: Span) -> tuple[bool, int, int, int, bytes]:
    label, length = span.label, span.end - span.start
    return label.name is None, label.rank, -length, span.start, label.placeholder


def _beside(spans: Spans, regions: list[Region]) -> Spans:
    """Return what of all spans lies outside the placeholders."""
    beside = Spans()
    starts = [region.start for region in regions]
    for span in spans:
        # The regions lie apart, so the last one that begins before the end is nearest.
        last = bisect_left(starts, span.end) - 1
        if last < 0 or regions[last].end <= span.start:
            beside.add(*span)
            continue
        first = last
        while first and regions[first - 1].end > span.start:
            first -= 1
        for piece in _outside(span, regions[first : last + 1]):
            beside.add(*piece)
    return beside


def _outside(span: Span, regions: list[Region]) -> list[Span]:
    """Return what of a span lies outside the placeholders it overlaps.

    A registered value that reaches into a placeholder is not there: what it matches is
    the placeholder's own text. Of anything else, the rest is still taken out. A value
    that stands as the name of a reference takes the whole reference with it.
    """
    for region in regions:
        if region.inner_start <= span.start and span.end <= region.inner_end:
            return [span._replace(start=region.start, end=region.end)]
    if span.label.name is not None:
        return []
    outside: list[Span] = []
    start = span.start
    for region in regions:
        if start < region.start:
            outside.append(span._replace(start=start, end=region.start))
        start = max(start, region.end)
    if start < span.end:
        outside.append(span._replace(start=start))
    return outside
