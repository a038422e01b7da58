"""The steps after the gate: inject, execute, redact, audit."""

from __future__ import annotations

import time

import anyio

from letsbe.errors import CallCancelled, DeadlineExceeded, LetsBeError, Refused
from letsbe.plugin import Decision, Result, Verdict
from letsbe.plugin._facade import Plugins
from letsbe.redaction.pipeline import Pipeline
from letsbe.vault.vault import Vault
from letsbe.wrapper.answers import Answer, Status, failed, judged
from letsbe.wrapper.cancelling import Cancellations, Wish
from letsbe.wrapper.capacity import Capacity
from letsbe.wrapper.cases import Case
from letsbe.wrapper.injection import BoundExecution
from letsbe.wrapper.journal import Consent, Journal


class Runner:
    """Runs calls that may run.

    Args:
        plugins: Whose hooks may stop a call, and see its result.
        vault: Gives the values.
        pipeline: Takes them out of what comes back.
        journal: Gets the intent before and the outcome after.
        capacity: How many calls may execute at once.
        call_timeout: Seconds until a call is ended.
    """

    def __init__(
        self,
        plugins: Plugins,
        vault: Vault,
        pipeline: Pipeline,
        journal: Journal,
        capacity: Capacity,
        call_timeout: float,
    ) -> None:
        self._plugins = plugins
        self._vault = vault
        self._pipeline = pipeline
        self._journal = journal
        self._capacity = capacity
        self.cancellations = Cancellations()
        """Ends calls that run."""
        self._call_timeout = call_timeout

    async def run(
        self, case: Case, decision: Decision, consent: Consent | None = None
    ) -> Answer:
        """Run one call.

        Args:
            case: The call.
            decision: Why it may run.
            consent: The approval that it uses up, if it needed one.

        Returns:
            Its answer; a call that fails has one too.

        Raises:
            Refused: A plugin's hook stops it. Nothing was started.
            Busy: Too many calls run and wait already.
            CallCancelled: The runtime ended it while it waited. Nothing was started.
            Conflict: The approval, or the call's id, was used in the meantime.
        """
        refusal = self._plugins.before_execute(case.call, decision)
        if refusal is not None:
            raise Refused(refusal)
        with self.cancellations.watching(case.key) as wish:
            return await self._run(case, decision, consent, wish)

    async def _run(
        self, case: Case, decision: Decision, consent: Consent | None, wish: Wish
    ) -> Answer:
        async with self._capacity.place():
            wish.check()
            intent = await self._journal.intent(case, decision, consent)
            began = time.monotonic()
            # A caller that goes away does not take the outcome with it.
            with anyio.CancelScope(shield=True):
                answer = await self._execute(case, decision.verdict, wish)
                seconds = time.monotonic() - began
                answer = await self._journal.outcome(
                    case, intent, answer, consent, seconds
                )
        return answer

    async def _execute(self, case: Case, verdict: Verdict, wish: Wish) -> Answer:
        try:
            run = BoundExecution(
                time.monotonic() + self._call_timeout,
                case.secrets.resolve(self._vault),
                case.secrets.environment,
                self._pipeline,
            )
            result = await self._within_deadline(case, verdict, run, wish)
            output = self._pipeline.redact_json(result.output, run.redacted)
        except LetsBeError as error:
            return failed(error, verdict)
        self._plugins.after_execute(case.call, Result(output))
        return judged(verdict, Status.OK, verdict.reason, output=output)

    async def _within_deadline(
        self, case: Case, verdict: Verdict, run: BoundExecution, wish: Wish
    ) -> Result:
        result = None
        with anyio.move_on_after(run.deadline) as scope:
            wish.ends(scope)
            result = await case.offer.run(case.call, verdict, run)
        if result is None and wish.cancelled:
            raise CallCancelled("the runtime cancelled the call, and it was ended")
        if result is None:
            message = f"the call was ended after {self._call_timeout:g} seconds"
            raise DeadlineExceeded(message)
        return result
