"""Asking redaction layers; what one of them raises withholds the text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, partial
from itertools import repeat
from operator import attrgetter, is_not
from typing import NamedTuple, TypeGuard, TypeVar

from letsbe.errors import OutputWithheld
from letsbe.redaction.finding import (
    Finding,
    FindsBeside,
    NamesSecrets,
    Places,
    RedactionLayer,
    Rememberable,
    SearchesFirst,
    State,
)
from letsbe.redaction.spans import Labels, Spans, checked, labels_of

_T = TypeVar("_T")
_NAME = attrgetter("name")


class Asked(NamedTuple):
    """A layer and its labels.

    Args:
        layer: The layer.
        labels: The labels of what it finds.
        beside: Asks it about what stands beside registered values, if it can tell.
        first: The layer, if it searches first.
        naming: The layer, if it knows the registered secrets.
    """

    layer: RedactionLayer
    labels: Labels
    beside: Callable[[bytes, Sequence[int], Sequence[int]], Iterable[Finding]] | None
    first: SearchesFirst | None
    naming: NamesSecrets | None


def asked(layers: Iterable[RedactionLayer]) -> list[Asked]:
    """Return layers as they are asked, ranked by their order."""
    return [
        Asked(
            layer,
            labels_of(rank, layer.name),
            layer.find_beside if finds_beside(layer) else None,
            layer if searches_first(layer) else None,
            layer if names_secrets(layer) else None,
        )
        for rank, layer in enumerate(layers)
    ]


def names_secrets(layer: RedactionLayer) -> TypeGuard[NamesSecrets]:
    """Say whether a layer knows the names of the registered secrets."""
    return _offers(type(layer), NamesSecrets)


def finds_beside(layer: RedactionLayer) -> TypeGuard[FindsBeside]:
    """Say whether a layer judges what stands beside registered values."""
    return _offers(type(layer), FindsBeside)


def searches_first(layer: RedactionLayer) -> TypeGuard[SearchesFirst]:
    """Say whether a layer searches first."""
    return _offers(type(layer), SearchesFirst)


def is_rememberable(layer: RedactionLayer) -> TypeGuard[Rememberable]:
    """Say whether a layer need not look again at text that it has seen."""
    return _offers(type(layer), Rememberable)


@lru_cache(maxsize=1024)
def _offers(kind: type, protocol: type) -> bool:
    # Asked once a class: a protocol takes 15 us to look at an object's methods.
    return issubclass(kind, protocol)


def ask_all(layers: Iterable[Asked], text: bytes) -> Spans:
    """Ask layers in their order, each about what those before it have left."""
    spans, registered = Spans(), Spans()
    for each in layers:
        ask_one(each, text, spans, registered)
    return spans


def ask_one(
    asked: Asked,
    text: bytes,
    spans: Spans,
    registered: Spans,
    places: Places | None = None,
) -> None:
    """Ask a layer, and add what it finds.

    Args:
        asked: The layer.
        text: The text.
        spans: Gets what it finds.
        registered: The registered values among what was found before; gets those too.
        places: Where it has to look, if it has searched.
    """
    look = partial(_look, asked, text, registered, places)
    new = guarded(asked.layer, look)
    if new:
        spans.extend(new)
        registered.extend(registered_in(new))


def search(asked: Asked, text: bytes) -> Places | None:
    """Let a layer search a text, if it does so first."""
    if asked.first is None:
        return None
    places = guarded(asked.layer, partial(_searched, asked.first, text))
    return places if places.offsets else _NOWHERE


def state_of(layer: RedactionLayer) -> State | None:
    """Return a layer's state; None if it must see every text as a whole."""
    return guarded(layer, partial(_state_of, layer))


def registered_in(spans: Spans) -> Spans:
    """Return the spans of registered values."""
    names = list(map(_NAME, spans.labels))
    others = names.count(None)
    if others == len(names):
        return Spans()
    # All of them, in a dense text.
    return spans.kept(map(is_not, names, repeat(None))) if others else spans.part(0)


def guarded(layer: RedactionLayer, ask: Callable[[], _T]) -> _T:
    """Ask a layer.

    Raises:
        OutputWithheld: It raised something, or gave what it must not.
    """
    try:
        return ask()
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001, S110 - whatever it raises withholds the text
        pass
    # Raised outside of the handler, so that no chain leads to the layer's exception.
    message = (
        f"The redaction layer {layer.name} failed, so this output is withheld. "
        "Run `letsbe plugins check` on the server."
    )
    raise OutputWithheld(message)


_NOWHERE = Places((), ())


def _look(asked: Asked, text: bytes, registered: Spans, places: Places | None) -> Spans:
    if registered and asked.beside is not None:
        findings = asked.beside(text, registered.starts, registered.ends)
    elif places is None or asked.first is None:
        findings = asked.layer.find(text)
    else:
        findings = asked.first.find_at(text, places)
    return checked(findings, len(text), asked.labels)


def _searched(layer: SearchesFirst, text: bytes) -> Places:
    offsets, marks = layer.search(text)
    offsets, marks = list(offsets), list(marks)
    if {*map(type, offsets)} - {int} or len(offsets) != len(marks):
        message = "not places"
        raise TypeError(message)
    if offsets and (
        offsets[0] < 0 or offsets[-1] > len(text) or offsets != sorted(offsets)
    ):
        message = "places that do not rise, or lie outside the text"
        raise ValueError(message)
    return Places(offsets, marks)


def _state_of(layer: RedactionLayer) -> State | None:
    if not is_rememberable(layer):
        return None
    version, reach = layer.state()
    if type(version) is not int or type(reach) is not int or reach < 0:
        message = "not a state"
        raise TypeError(message)
    return State(version, reach)
