"""What an operator may say about the sandbox, in a plugin's own settings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

_GIB = 1024**3
Count = Annotated[int, Field(gt=0)]


class ResourceLimits(BaseModel):
    """The most that one program may use; ``None`` for no limit.

    Each holds for one process, except ``processes``, which the kernel counts by user
    and does not hold against root.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    cpu_seconds: Count | None = 3600
    """Seconds of work, not of waiting; the call's deadline is about those."""
    memory: Count | None = 4 * _GIB
    """Bytes of private, writable memory (RLIMIT_DATA). Not of address space, of which
    Go, Java and Node reserve far more than they use."""
    processes: Count | None = 4096
    """Processes and threads of the user that programs run as."""
    file_size: Count | None = 16 * _GIB
    """Bytes of one file that is written."""
    open_files: Count | None = 4096
    """Descriptors."""


class SandboxSettings(BaseModel):
    """How programs are kept in."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sandbox: Literal["required", "optional", "off"] = "optional"
    """``required``: nothing runs where the kernel cannot enforce the tiers.
    ``optional``: it enforces what it can, and the health check says what not."""
    user: str | None = None
    """Another user that every program runs as; only if the service runs as root."""
    writable: tuple[Path, ...] = Field(default=(), strict=False)
    """Folders besides the roots that YELLOW commands may write: caches, for example."""
    limits: ResourceLimits = ResourceLimits()
    """The resource limits of every program."""
