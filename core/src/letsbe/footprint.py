"""The memory of a server that stays up: what glibc keeps for speed is given back.

See mallopt(3) and malloc_trim(3); another C library is left as it is.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from types import ModuleType
from typing import cast

_ARENA_MAX = -8
_ARENAS = 2

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
    gc.collect()
    if hasattr(_C, "malloc_trim"):
        _C.malloc_trim(0)
