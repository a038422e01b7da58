"""The memory of a server that stays up: what glibc keeps for speed is given back.

See mallopt(3) and malloc_trim(3); with another C library nothing is done.
"""

from __future__ import annotations

import ctypes
import gc

_ARENA_MAX = -8
_ARENAS = 2

_C = ctypes.CDLL(None)


def keep_small() -> None:
    """Let all threads share two heaps; glibc makes up to eight for each processor.

    Python's own lock lets one thread allocate at a time anyway. To be called before
    there are threads.
    """
    if hasattr(_C, "mallopt"):
        _C.mallopt(_ARENA_MAX, _ARENAS)


def give_back() -> None:
    """Return to the system what starting took and serving does not need."""
    gc.collect()
    if hasattr(_C, "malloc_trim"):
        _C.malloc_trim(0)
