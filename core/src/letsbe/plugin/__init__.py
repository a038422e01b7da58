"""The public surface for plugin authors: this module and ``letsbe.testing``.

A plugin is a module (or object) with functions marked :data:`hookimpl`, named by an
entry point of one of the groups ``letsbe.executors``, ``letsbe.tools``,
``letsbe.redactors`` and ``letsbe.billing``.
"""

from letsbe.errors import (
    ConfigurationError,
    DeadlineExceeded,
    FieldError,
    InvalidRequest,
    LetsBeError,
    PathRefused,
    Refused,
    ToolFailed,
)
from letsbe.plugin._actions import Action, Arguments, Example
from letsbe.plugin._calls import (
    CallContext,
    Decision,
    Execution,
    Outcome,
    Result,
    ToolCall,
)
from letsbe.plugin._hooks import hookimpl
from letsbe.plugin._protocols import (
    BillingBackend,
    Executor,
    Health,
    ToolAdapter,
    UsageRecord,
)
from letsbe.plugin._site import Site
from letsbe.plugin._version import API_VERSION
from letsbe.policy.files import (
    Confinement,
    Place,
    Replacement,
    append_file,
    write_file,
)
from letsbe.policy.paths import PathClass, path_class
from letsbe.policy.tiers import Tier
from letsbe.policy.verdict import Verdict
from letsbe.redaction.finding import Finding, RedactionLayer
from letsbe.redaction.standins import is_stand_in
from letsbe.vault.secret import RegisteredSecrets, Secret

__all__ = [
    "API_VERSION",
    "Action",
    "Arguments",
    "BillingBackend",
    "CallContext",
    "ConfigurationError",
    "Confinement",
    "DeadlineExceeded",
    "Decision",
    "Example",
    "Execution",
    "Executor",
    "FieldError",
    "Finding",
    "Health",
    "InvalidRequest",
    "LetsBeError",
    "Outcome",
    "PathClass",
    "PathRefused",
    "Place",
    "RedactionLayer",
    "Refused",
    "RegisteredSecrets",
    "Replacement",
    "Result",
    "Secret",
    "Site",
    "Tier",
    "ToolAdapter",
    "ToolCall",
    "ToolFailed",
    "UsageRecord",
    "Verdict",
    "append_file",
    "hookimpl",
    "is_stand_in",
    "path_class",
    "write_file",
]
