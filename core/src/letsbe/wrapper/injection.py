"""Giving a call its secrets: checked before the gate, resolved after it."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from letsbe.redaction.pipeline import Pipeline
from letsbe.vault.references import environment_references, fill, find_references
from letsbe.vault.scopes import check_scope
from letsbe.vault.secret import Secret
from letsbe.vault.vault import Vault


@dataclass(frozen=True, slots=True)
class SecretUse:
    """Which secrets a call names, and how it wants them.

    Args:
        names: Every secret that it names, or that what it calls always uses.
        environment: Variables to set, each with its secret's name.
    """

    names: frozenset[str]
    environment: Mapping[str, str]

    @classmethod
    def of(
        cls, arguments: Mapping[str, Any], always: Collection[str] = ()
    ) -> SecretUse:
        """Find the references in a call's arguments.

        Args:
            arguments: The arguments.
            always: The secrets that every call of the action uses.

        Raises:
            InvalidRequest: A structured reference is not of its form.
        """
        environment = environment_references(arguments)
        names = {*find_references(arguments), *environment.values(), *always}
        return cls(frozenset(names), environment)

    def check(
        self, vault: Vault, tool_name: str, hosts: tuple[str, ...] | None
    ) -> None:
        """Check that each secret exists and may be used for this tool and these hosts.

        Raises:
            UnknownSecret: The vault does not hold one of them.
            SecretOutOfScope: One of them may not be used here.
        """
        for name in sorted(self.names):
            check_scope(vault.get(name), tool_name, hosts)

    def resolve(self, vault: Vault) -> dict[str, Secret]:
        """Return the values, by name."""
        return {name: vault.reveal(name) for name in self.names}


@dataclass(frozen=True, slots=True)
class BoundExecution:
    """What the core lends to one running call; see :class:`letsbe.plugin.Execution`.

    Args:
        ends_at: When it is cancelled, on the monotonic clock.
        secrets: The values that its arguments name.
        variables: The variables to set, each with its secret's name.
        pipeline: Takes secrets out of text.
    """

    ends_at: float
    secrets: Mapping[str, Secret] = field(repr=False)
    variables: Mapping[str, str]
    pipeline: Pipeline
    redacted: set[bytes] = field(default_factory=set, repr=False)
    """What :meth:`redact` has given back so far."""

    @property
    def deadline(self) -> float:
        """The seconds left until the call is cancelled."""
        return max(0.0, self.ends_at - time.monotonic())

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables with their values."""
        return {
            variable: self.secrets[name].reveal()
            for variable, name in self.variables.items()
        }

    def fill(self, text: str) -> str:
        """Put values in place of references."""
        return fill(text, self.secrets)

    def redact(self, data: bytes) -> bytes:
        """Take secrets out of data."""
        clean = self.pipeline.redact(data)
        self.redacted.add(clean)
        return clean

    def registered(self, data: bytes) -> frozenset[str]:
        """Return the names of the registered secrets that data holds."""
        return self.pipeline.registered(data)
