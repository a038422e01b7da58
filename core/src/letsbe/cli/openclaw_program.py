"""The options that name the installed OpenClaw, for the commands that run it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

from letsbe.errors import ConfigurationError
from letsbe.home import Home

if TYPE_CHECKING:
    from letsbe.openclaw.program import Program
    from letsbe.openclaw.settings import Places
    from letsbe.openclaw.tenant import Tenant

P = ParamSpec("P")
T = TypeVar("T")

PROGRAM = click.Path(path_type=Path, exists=True, dir_okay=False)


def program_options(command: Callable[P, T]) -> Callable[P, T]:
    """Give a command ``--openclaw`` and ``--node``."""
    node = click.option("--node", type=PROGRAM, help="The Node to run it with.")
    program = click.option(
        "--openclaw",
        "program_path",
        type=PROGRAM,
        help="The openclaw program; else the one on PATH.",
    )
    return program(node(command))


def configured(home: Home) -> tuple[Tenant, Places]:
    """Return the tenant's document and where its OpenClaw was configured.

    Raises:
        ConfigurationError: It was not.
    """
    from letsbe.openclaw.document import TenantDocument  # noqa: PLC0415
    from letsbe.openclaw.settings import Places  # noqa: PLC0415 - slow to import

    tenant = TenantDocument(home.tenant).read()
    if tenant.runtime.state is None:
        message = "OpenClaw is not configured yet"
        raise ConfigurationError(message, alternative="run `letsbe openclaw configure`")
    return tenant, Places(tenant.runtime.state)


def needed_program(path: Path | None, node: Path | None) -> Program:
    """Return the program.

    Raises:
        ConfigurationError: There is none, or it is not the pinned version.
    """
    from letsbe.openclaw.program import Program  # noqa: PLC0415 - slow to import

    program = Program.find(path, node)
    if program is None:
        message = "there is no openclaw program on PATH: name it with --openclaw"
        raise ConfigurationError(message)
    program.check_version()
    return program
