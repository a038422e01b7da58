"""A call with what the steps find out about it; and the first two steps.

Validate turns a request into a case; classify says what it would do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from letsbe.discovery.records import Kind
from letsbe.plugin import ToolCall, Verdict
from letsbe.plugin._facade import Plugins
from letsbe.plugin._offers import Offer
from letsbe.policy.classes import CallClass, class_of
from letsbe.redaction.pipeline import Pipeline
from letsbe.vault.references import check_masks
from letsbe.vault.vault import Vault
from letsbe.wrapper.additions import Additions
from letsbe.wrapper.arguments import normalised
from letsbe.wrapper.digests import call_digest
from letsbe.wrapper.injection import SecretUse
from letsbe.wrapper.remembered import References
from letsbe.wrapper.requests import ToolRequest, bind
from letsbe.wrapper.retries import CallKey


@dataclass(frozen=True, slots=True)
class Case:
    """A call that is understood.

    Args:
        call: The checked call; secrets are references.
        offer: What it goes to.
        arguments: Its arguments as JSON, registered values turned into references.
        secrets: Which secrets it names.
        key: What makes a retry of it the same call, if it has an id.
        storable: Whether the arguments may be stored: nothing had to be taken out.
    """

    call: ToolCall
    offer: Offer
    arguments: Mapping[str, Any]
    secrets: SecretUse
    key: CallKey | None
    storable: bool

    def described(self, verdict: Verdict) -> dict[str, Any]:
        """Return what an approval tells of the call, and the digest of it."""
        call, plan = self.call, dict(verdict.plan)
        return {
            "digest": call_digest(call.agent_id, call.tool_name, self.arguments, plan),
            "agent_id": call.agent_id,
            "session_id": call.session_id,
            "tool_name": call.tool_name,
            "tool_args": dict(self.arguments),
            "context": asdict(call.context),
            "tier": str(verdict.tier),
            "external": verdict.external,
            "rule": verdict.rule,
            "reason": verdict.reason,
            "alternative": verdict.alternative,
            "plan": plan,
        }

    def call_class(self, verdict: Verdict) -> CallClass:
        """Return the class of calls that this one stands for.

        Raises:
            NoClass: There is none; the text says why.
        """
        variables = self.secrets.environment.items()
        return class_of(
            self.call.tool_name,
            verdict,
            self.secrets.names | {f"{name}={secret}" for name, secret in variables},
            is_operation=self.offer.record.kind is Kind.TOOL,
        )


class Intake:
    """The steps before the gate.

    Args:
        plugins: Whose classifications count.
        vault: Whose secrets may be named.
        pipeline: Finds values that must not be stored.
        additions: What makes tools stricter than their plugins say.
        references: What sessions have referred to.
    """

    def __init__(
        self,
        plugins: Plugins,
        vault: Vault,
        pipeline: Pipeline,
        additions: Additions,
        references: References,
    ) -> None:
        self._plugins = plugins
        self._additions = additions
        self._vault = vault
        self._pipeline = pipeline
        self._references = references

    def validate(
        self,
        request: ToolRequest,
        call: ToolCall,
        offer: Offer,
        key: CallKey | None,
        *,
        clean: bool = False,
    ) -> Case:
        """Look at what the arguments hold.

        Args:
            request: The request.
            call: The call that was made of it.
            offer: What it goes to.
            key: What makes a retry of it the same call.
            clean: Whether it is known already that no argument holds a secret.

        Raises:
            MaskedValue: A mask stands where a value or a reference is due.
            InvalidRequest: A reference is not well-formed.
        """
        check_masks(
            request.tool_args,
            self._names,
            lambda text: self._references.meant(call, text),
        )
        arguments, storable = request.tool_args, True
        if not clean:
            arguments, storable = normalised(arguments, self._pipeline, self._vault)
        if arguments is not request.tool_args:
            call = bind(request, call.agent_id, offer, arguments)
        secrets = SecretUse.of(arguments, offer.action.secrets)
        self._references.remember(call, arguments)
        return Case(call, offer, arguments, secrets, key, storable)

    def _names(self) -> list[str]:
        return [record.name for record in self._vault.list()]

    def classify(self, case: Case) -> Verdict:
        """Say what a call would do, as its provider and every hook see it.

        Raises:
            LetsBeError: It will not be run: a path outside the roots, a secret that
                is unknown or out of scope, a classification that failed.
        """
        proposed = case.offer.classify(case.call)
        verdict = self._plugins.classify(case.call, proposed)
        verdict = verdict.raised_by(self._additions.of(case.call.tool_name))
        if not verdict.refused:
            case.secrets.check(self._vault, case.call.tool_name, verdict.hosts)
        return verdict
