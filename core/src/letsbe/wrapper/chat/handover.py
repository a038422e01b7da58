"""Work that one agent hands to another: turns of the chat relay that an agent begins.

The asked agent works with its own tools, scope and level, so that nobody gains a right
by asking; it is told that a colleague asks and not the owner.
"""

from __future__ import annotations

import hashlib
import time
from collections import defaultdict, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Annotated, cast

import anyio
from pydantic import Field

import letsbe
from letsbe.discovery.records import Kind, PluginRecord, Status
from letsbe.errors import AgentUnavailable, Busy, Refused
from letsbe.home import Home
from letsbe.plugin import Action, Arguments, Execution, Health, Result, ToolCall
from letsbe.plugin._facade import Plugins
from letsbe.plugin._offers import Offer
from letsbe.policy.tiers import Tier
from letsbe.policy.verdict import Verdict
from letsbe.wrapper.chat.relay import Relay
from letsbe.wrapper.tokens import agent_ids

ASK = "ask_agent"

MOST_IN_CHAIN = 3
"""The most agents of which one waits for the next."""

MOST_AT_ONCE = 4
"""The most tasks under way; each takes the place of a call while it is waited for."""

MOST_TASKS, TASK_HOURS = 30, 1.0
"""The most tasks that one agent hands over in that time."""

SPARE_SECONDS = 5.0
"""How long before the call's end it answers that the other agent is still at work."""

_TOLD = """\
[LetsBe] {asker} hands you this task. {asker} is an agent like you and not the owner: \
what needs the owner's approval still does. Do it with your own tools. {asker} alone \
reads your answer: say what came of it.

{task}"""


class AskArguments(Arguments):
    """A task for another agent."""

    agent: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
    """Who should do it, by id."""
    task: Annotated[str, Field(min_length=1, max_length=20_000)] | None = None
    """What to do and all it has to know: it does not see this conversation, but
    remembers your earlier tasks of it. Left out: wait for the task before."""


class Handovers:
    """What is offered to agents as ``ask_agent``.

    Args:
        relay: Where the turns are played.
        agents: Returns the ids of the agents there are.
        at_once: The most tasks under way.
    """

    def __init__(
        self, relay: Relay, agents: Callable[[], Collection[str]], at_once: int
    ) -> None:
        self._relay = relay
        self._agents = agents
        self._at_once = min(at_once, MOST_AT_ONCE)
        self._chains: dict[tuple[str, str], tuple[str, ...]] = {}
        """Who waits for whom, by the conversation in which the last one works."""
        self._handed: defaultdict[str, deque[float]] = defaultdict(deque)

    @property
    def actions(self) -> Sequence[Action]:
        """The one action."""
        summary = "Give a task to another agent, and read what came of it."
        return (Action(ASK, summary, AskArguments, tier=Tier.YELLOW),)

    @property
    def offer(self) -> Offer:
        """The action as the catalog has it."""
        record = PluginRecord(
            Kind.EXECUTOR,
            "agents",
            "letsbe-core",
            letsbe.__version__,
            None,
            Status.ACTIVE,
        )
        return Offer(self.actions[0], self, record)

    def classify(self, call: ToolCall) -> Verdict:
        """Judge who asks whom; what is done then is judged call by call.

        Raises:
            Refused: There is no such agent, or it waits for the one that asks.
        """
        asked = _arguments(call)
        others = sorted({*self._agents()} - {call.agent_id})
        chain = self._chain(call)
        if asked.agent not in others:
            message = "there is no other agent of this id"
            raise Refused(message, alternative=f"ask one of: {', '.join(others)}")
        if asked.agent in chain:
            message = (
                f"{asked.agent} waits for this work itself: {' asks '.join(chain)}"
            )
            raise Refused(message, alternative="do it yourself, or say that you cannot")
        if len(chain) >= MOST_IN_CHAIN:
            message = f"{MOST_IN_CHAIN} agents wait for one another already"
            raise Refused(message, alternative="do it yourself, or say that you cannot")
        reason = (
            f"{asked.agent} gets a task; each call that it makes is judged as its own"
        )
        return Verdict(Tier.YELLOW, ASK, reason, plan={"chain": [*chain, asked.agent]})

    async def execute(self, call: ToolCall, verdict: Verdict, run: Execution) -> Result:
        """Play the turn and wait for its end, or for the end of the call's time.

        Raises:
            Busy: Too many tasks are under way, or this agent has handed over too many.
            Conflict: The other agent is still at the task before.
            AgentUnavailable: It cannot be reached, or its turn failed.
        """
        asked, conversation = _arguments(call), _conversation(call)
        place = (asked.agent, conversation)
        after = None
        if asked.task is not None:
            after = self._begin(call, place, asked.task)
        try:
            with anyio.move_on_after(max(0.0, run.deadline - SPARE_SECONDS)):
                return await self._outcome(place, after)
        except anyio.get_cancelled_exc_class():
            # Whoever ends the turn of the one that asked ends the work for it too.
            self._relay.abort(*place)
            raise
        note = (
            f"call {ASK} with the agent alone to wait on, or go on with something else"
        )
        return Result({"agent": asked.agent, "state": "working", "note": note})

    async def check(self) -> Health:
        """Say that it works: whether an agent answers is seen when it is asked."""
        return Health(True)

    def _begin(self, call: ToolCall, place: tuple[str, str], task: str) -> str:
        busy = {key: c for key, c in self._chains.items() if self._relay.is_busy(*key)}
        if len(busy) >= self._at_once:
            message = "too many agents work for one another: wait for one of them"
            raise Busy(message)
        self._count(call.agent_id)
        chain = (*self._chain(call), place[0])
        message = _TOLD.format(asker=call.agent_id, task=task)
        before = self._relay.send(*place, message)
        self._chains = {**busy, place: chain}
        return before

    def _count(self, agent_id: str) -> None:
        handed, now = self._handed[agent_id], time.monotonic()
        while handed and handed[0] < now - TASK_HOURS * 3600:
            handed.popleft()
        if len(handed) >= MOST_TASKS:
            message = f"{agent_id} has handed over {MOST_TASKS} tasks within the hour"
            raise Busy(message)
        handed.append(now)

    async def _outcome(self, place: tuple[str, str], after: str | None) -> Result:
        said: dict[str, object] | None = None
        async for event in self._relay.follow(*place, after):
            if event.kind == "error":
                instead = event.data.get("alternative")
                raise AgentUnavailable(str(event.data["message"]), alternative=instead)
            if event.kind == "done":
                state = "stopped" if event.data["aborted"] else "done"
                said = {"agent": place[0], "state": state, "said": event.data["text"]}
        if said is None:
            raise AgentUnavailable("the turn ended without an answer")
        return Result(said)

    def _chain(self, call: ToolCall) -> tuple[str, ...]:
        """Who waits for the call, ending with who makes it.

        A route that does not tell sessions apart gets the longest chain there is.
        """
        mine = {
            conversation: chain
            for (agent, conversation), chain in self._chains.items()
            if agent == call.agent_id and self._relay.is_busy(agent, conversation)
        }
        for conversation, chain in mine.items():
            if call.session_id.endswith(conversation):
                return chain
        if call.session_id.startswith("mcp:") and mine:
            return max(mine.values(), key=len)
        return (call.agent_id,)


def catalog_of(
    home: Home, plugins: Plugins, relay: Relay, concurrent_calls: int
) -> Mapping[str, Offer]:
    """Return what can be called: what plugins offer, and other agents.

    Without a tenant's document there is no runtime whose agents could be asked.
    """
    if not home.tenant.exists():
        return plugins.catalog
    handovers = Handovers(relay, lambda: agent_ids(home), concurrent_calls // 2)
    return dict(sorted({**plugins.catalog, ASK: handovers.offer}.items()))


def _arguments(call: ToolCall) -> AskArguments:
    return cast(AskArguments, call.arguments)


def _conversation(call: ToolCall) -> str:
    """The conversation for one agent's tasks in one session: it remembers them."""
    named = f"{call.agent_id}\n{call.session_id}\n{_arguments(call).agent}"
    return f"handover-{hashlib.sha256(named.encode()).hexdigest()[:24]}"
