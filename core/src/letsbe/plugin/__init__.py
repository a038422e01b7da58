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
from letsbe.execution import (
    LineRun,
    LineWork,
    NotStarted,
    Program,
    ProgramThreads,
    Run,
    Target,
    captured_output,
    clean_environment,
    find_program,
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
from letsbe.plugin._previews import Preview
from letsbe.plugin._protocols import (
    BillingBackend,
    Executor,
    Health,
    ToolAdapter,
    UsageRecord,
)
from letsbe.plugin._site import Site
from letsbe.plugin._version import API_VERSION
from letsbe.policy.classes import Step
from letsbe.policy.command_steps import steps_of
from letsbe.policy.commands import (
    CommandLine,
    CommandRefused,
    Stream,
    Word,
    line_from_argv,
    parse_line,
)
from letsbe.policy.files import (
    Confinement,
    Extent,
    Place,
    Replacement,
    append_file,
    measure,
    write_file,
)
from letsbe.policy.paths import PathClass, path_class
from letsbe.policy.rules import (
    PROGRAM_FOLDERS,
    Effect,
    JudgedCommand,
    JudgedPipeline,
    JudgedStage,
    Judgement,
    Match,
    RuleBook,
    RuleTables,
    TableError,
    Where,
    expand,
    path_effects,
)
from letsbe.policy.sandbox import (
    Access,
    Grant,
    ResourceLimits,
    Sandbox,
    SandboxSettings,
)
from letsbe.policy.tiers import Tier
from letsbe.policy.verdict import Verdict
from letsbe.redaction.finding import Finding, Findings, RedactionLayer, State
from letsbe.redaction.standins import is_sentence, is_stand_in
from letsbe.vault.secret import RegisteredSecrets, Secret

__all__ = [
    "API_VERSION",
    "PROGRAM_FOLDERS",
    "Access",
    "Action",
    "Arguments",
    "BillingBackend",
    "CallContext",
    "CommandLine",
    "CommandRefused",
    "ConfigurationError",
    "Confinement",
    "DeadlineExceeded",
    "Decision",
    "Effect",
    "Example",
    "Execution",
    "Executor",
    "Extent",
    "FieldError",
    "Finding",
    "Findings",
    "Grant",
    "Health",
    "InvalidRequest",
    "JudgedCommand",
    "JudgedPipeline",
    "JudgedStage",
    "Judgement",
    "LetsBeError",
    "LineRun",
    "LineWork",
    "Match",
    "NotStarted",
    "Outcome",
    "PathClass",
    "PathRefused",
    "Place",
    "Preview",
    "Program",
    "ProgramThreads",
    "RedactionLayer",
    "Refused",
    "RegisteredSecrets",
    "Replacement",
    "ResourceLimits",
    "Result",
    "RuleBook",
    "RuleTables",
    "Run",
    "Sandbox",
    "SandboxSettings",
    "Secret",
    "Site",
    "State",
    "Step",
    "Stream",
    "TableError",
    "Target",
    "Tier",
    "ToolAdapter",
    "ToolCall",
    "ToolFailed",
    "UsageRecord",
    "Verdict",
    "Where",
    "Word",
    "append_file",
    "captured_output",
    "clean_environment",
    "expand",
    "find_program",
    "hookimpl",
    "is_sentence",
    "is_stand_in",
    "line_from_argv",
    "measure",
    "parse_line",
    "path_class",
    "path_effects",
    "steps_of",
    "write_file",
]
