"""The public surface for plugin authors: this module and ``letsbe.testing``.

A plugin is a module (or object) with functions marked :data:`hookimpl`, named by an
entry point of one of the groups ``letsbe.executors``, ``letsbe.tools``,
``letsbe.redactors``, ``letsbe.billing`` and ``letsbe.notifiers``.
"""

from letsbe.errors import (
    AddressGone,
    ConfigurationError,
    DeadlineExceeded,
    FieldError,
    InvalidRequest,
    LetsBeError,
    PathRefused,
    Refused,
    Rejected,
    ToolConflict,
    ToolFailed,
    ToolForbidden,
    ToolInvalid,
    ToolNotFound,
    ToolRateLimited,
    ToolUnauthenticated,
    ToolUnavailable,
    ToolUnexpected,
    TryLater,
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
from letsbe.plugin._adapters.adapter import Adapter, Credential, Setting
from letsbe.plugin._adapters.client import ToolClient
from letsbe.plugin._adapters.faults import Fault
from letsbe.plugin._adapters.file_contents import SavedFile, SentFile
from letsbe.plugin._adapters.local_files import FileToSave, FileToSend
from letsbe.plugin._adapters.operations import (
    NoArguments,
    Operation,
    Raise,
    operation,
    route,
)
from letsbe.plugin._adapters.paging import Page, collect
from letsbe.plugin._adapters.requests import Outgoing
from letsbe.plugin._adapters.response import Json, Response
from letsbe.plugin._adapters.routes import RouteRule
from letsbe.plugin._billing import (
    BillingAccount,
    BillingAdjustment,
    BillingBackend,
    BillingUnits,
    CheckoutPage,
    CheckoutRequest,
    Meter,
    PaymentBackend,
    PaymentEvent,
    PaymentEventKind,
)
from letsbe.plugin._calls import (
    CallContext,
    Decision,
    Execution,
    Outcome,
    Result,
    ToolCall,
)
from letsbe.plugin._hooks import hookimpl
from letsbe.plugin._notifying import Delivered, Notice, Notifier
from letsbe.plugin._previews import Preview
from letsbe.plugin._protocols import (
    Executor,
    Health,
    ToolAdapter,
    UsageRecord,
)
from letsbe.plugin._site import Site
from letsbe.plugin._tool_site import ToolSite
from letsbe.plugin._version import API_VERSION
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
    FileJudge,
    FileJudgement,
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
from letsbe.policy.steps import Step
from letsbe.policy.tiers import Tier
from letsbe.policy.verdict import Verdict
from letsbe.redaction.cutting import whole_lines
from letsbe.redaction.finding import (
    Finding,
    Findings,
    Places,
    RedactionLayer,
    State,
)
from letsbe.redaction.standins import is_sentence, is_stand_in
from letsbe.vault.secret import RegisteredSecrets, Secret

__all__ = [
    "API_VERSION",
    "PROGRAM_FOLDERS",
    "Access",
    "Action",
    "Adapter",
    "AddressGone",
    "Arguments",
    "BillingAccount",
    "BillingAdjustment",
    "BillingBackend",
    "BillingUnits",
    "CallContext",
    "CheckoutPage",
    "CheckoutRequest",
    "CommandLine",
    "CommandRefused",
    "ConfigurationError",
    "Confinement",
    "Credential",
    "DeadlineExceeded",
    "Decision",
    "Delivered",
    "Effect",
    "Example",
    "Execution",
    "Executor",
    "Extent",
    "Fault",
    "FieldError",
    "FileJudge",
    "FileJudgement",
    "FileToSave",
    "FileToSend",
    "Finding",
    "Findings",
    "Grant",
    "Health",
    "InvalidRequest",
    "Json",
    "JudgedCommand",
    "JudgedPipeline",
    "JudgedStage",
    "Judgement",
    "LetsBeError",
    "LineRun",
    "LineWork",
    "Match",
    "Meter",
    "NoArguments",
    "NotStarted",
    "Notice",
    "Notifier",
    "Operation",
    "Outcome",
    "Outgoing",
    "Page",
    "PathClass",
    "PathRefused",
    "PaymentBackend",
    "PaymentEvent",
    "PaymentEventKind",
    "Place",
    "Places",
    "Preview",
    "Program",
    "ProgramThreads",
    "Raise",
    "RedactionLayer",
    "Refused",
    "RegisteredSecrets",
    "Rejected",
    "Replacement",
    "ResourceLimits",
    "Response",
    "Result",
    "RouteRule",
    "RuleBook",
    "RuleTables",
    "Run",
    "Sandbox",
    "SandboxSettings",
    "SavedFile",
    "Secret",
    "SentFile",
    "Setting",
    "Site",
    "State",
    "Step",
    "Stream",
    "TableError",
    "Target",
    "Tier",
    "ToolAdapter",
    "ToolCall",
    "ToolClient",
    "ToolConflict",
    "ToolFailed",
    "ToolForbidden",
    "ToolInvalid",
    "ToolNotFound",
    "ToolRateLimited",
    "ToolSite",
    "ToolUnauthenticated",
    "ToolUnavailable",
    "ToolUnexpected",
    "TryLater",
    "UsageRecord",
    "Verdict",
    "Where",
    "Word",
    "append_file",
    "captured_output",
    "clean_environment",
    "collect",
    "expand",
    "find_program",
    "hookimpl",
    "is_sentence",
    "is_stand_in",
    "line_from_argv",
    "measure",
    "operation",
    "parse_line",
    "path_class",
    "path_effects",
    "route",
    "steps_of",
    "whole_lines",
    "write_file",
]
