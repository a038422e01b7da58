"""The memory of a server that stays up: what it gives back, and what it leaves alone.

See mallopt(3) and malloc_trim(3); another C library is left as it is.
"""

from __future__ import annotations

import ctypes
import gc
import linecache
import sys
from types import ModuleType
from typing import cast

_ARENA_MAX = -8
_ARENAS = 2
_YOUNG = 5_000
"""How many objects may come, more than go, until those are looked through for cycles.
One call of a tool makes 120 such objects; Python's own 700 would be six calls."""

_C = ctypes.CDLL(None)


def keep_small() -> None:
    """Leave out what a server does not use. To be called before all other imports.

    All threads share two heaps, where glibc makes up to eight for each processor;
    Python's own lock lets one of them allocate at a time anyway. And httpx comes
    without its command line, which brings Rich and Pygments where those are installed.
    """
    # As if it were not installed, which httpx is ready for.
    sys.modules.setdefault("httpx._main", cast(ModuleType, None))
    if hasattr(_C, "mallopt"):
        _C.mallopt(_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Return to the system what starting took and serving does not need."""
    linecache.clearcache()  # pydantic read the sources for what their fields say
    gc.collect()
    if hasattr(_C, "malloc_trim"):
        _C.malloc_trim(0)


def settle() -> None:
    """Take what a server has made at its start out of later searches for cycles.

    It lasts as long as the server does, and is most of what there is: a search through
    all of it would stop every request for a tenth of a second. See gc.freeze.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, *gc.get_threshold()[1:])
