"""What keeps programs in on this machine, and what an operator is told of it."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence


class Mechanism(enum.StrEnum):
    """What keeps programs in."""

    LANDLOCK = "landlock"
    BUBBLEWRAP = "bubblewrap"
    SECCOMP = "seccomp"
    """Alone, it keeps GREEN programs from writing and sending, and no more."""
    NONE = "none"


def report(
    mechanism: Mechanism,
    *,
    abi: int,
    mounts: bool,
    limits: bool,
    crowded: Sequence[str],
) -> Iterator[str]:
    """Say what is enforced and what is not, a clause at a time.

    Args:
        mechanism: What keeps programs in.
        abi: The version of Landlock's ABI.
        mounts: Whether mount namespaces can be made.
        limits: Whether resource limits can be set before the start.
        crowded: Folders in the roots that directly hold a closed place.
    """
    if mechanism is Mechanism.NONE:
        yield "no sandbox: tiers are judged, but not enforced by the kernel"
    elif mechanism is Mechanism.SECCOMP:
        yield "sandbox by seccomp alone: GREEN cannot write or send"
        yield "not covered: YELLOW outside the roots, the closed places"
    else:
        by_landlock = mechanism is Mechanism.LANDLOCK
        name = f"Landlock (ABI {abi})" if by_landlock else "bubblewrap"
        yield f"sandbox by {name} and seccomp: GREEN cannot write, send or gain rights"
        yield "YELLOW writes inside the roots only"
        if by_landlock and not mounts:
            yield "not covered: modes, owners and times of own files outside the roots"
        if not by_landlock and not mounts:
            yield "not covered: RED in the closed places"
        if by_landlock and crowded:
            yield f"nothing new can be made in {crowded[0]}: it holds a closed place"
    if not limits:
        yield "resource limits are set late, or not at all for what gains rights"
        yield "install util-linux's prlimit"
