"""Conversations: what customers wrote, what is answered, and who looks after it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from letsbe.plugin import (
    Arguments,
    Example,
    Json,
    Raise,
    Tier,
    ToolClient,
    operation,
    route,
)
from letsbe_tool_chatwoot.access import ACCOUNT

CONVERSATIONS = f"{ACCOUNT}/conversations"
ONE = f"{CONVERSATIONS}/{{conversation_id}}"

Number = Annotated[int, Field(ge=1)]
Label = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[\w-]+$")]
Text = Annotated[str, Field(min_length=1, max_length=150_000)]
Status = Literal["open", "resolved", "pending"]
Priority = Literal["urgent", "high", "medium", "low", "none"]


class CountArguments(Arguments):
    """Which conversations."""

    status: Literal["all", "open", "resolved", "pending", "snoozed"] = "open"
    """In which state they are."""
    inbox_id: Number | None = None
    """Of one inbox; see list_inboxes."""
    team_id: Number | None = None
    """Of one team; see list_teams."""
    labels: Annotated[list[Label] | None, Field(serialization_alias="labels[]")] = None
    """With all of these labels."""
    q: str | None = None
    """With messages that hold this text."""


class ListArguments(CountArguments):
    """Which conversations, and which page of them."""

    assignee_type: Literal["all", "me", "unassigned", "assigned"] = "all"
    """By who looks after them."""
    page: Number = 1
    """The page; each has 25."""


class FilterRule(Arguments):
    """One condition."""

    attribute_key: str
    """What is compared: `status`, `priority`, `labels`, `created_at`, a custom one."""
    filter_operator: Literal["equal_to", "not_equal_to", "contains", "does_not_contain"]
    """How."""
    values: Annotated[list[str], Field(min_length=1)]
    """With what."""
    query_operator: Literal["AND", "OR"] | None = None
    """How the next condition is joined; left out in the last one."""


class FilterArguments(Arguments):
    """Conditions."""

    payload: Annotated[list[FilterRule], Field(min_length=1, max_length=20)]
    """The conditions, in order."""
    page: Number = 1
    """The page."""


class OneArguments(Arguments):
    """One conversation."""

    conversation_id: Number
    """Its number, as a person sees it."""


class MessagesArguments(OneArguments):
    """Which messages of a conversation."""

    before: Number | None = None
    """The 20 before this message's id; the newest 20 if left out."""
    after: Number | None = None
    """Or the 100 after this message's id."""


class MessageArguments(OneArguments):
    """What to write."""

    content: Text
    """The text, as Markdown."""


class StatusArguments(OneArguments):
    """The state to put a conversation in."""

    status: Literal["open", "resolved", "pending", "snoozed"]
    """The state."""
    snoozed_until: Number | None = None
    """When a snoozed one comes back, in seconds since 1970; at the next reply if
    left out."""


class PriorityArguments(OneArguments):
    """How urgent a conversation is."""

    priority: Priority
    """The priority."""


class AssignArguments(OneArguments):
    """Who looks after a conversation from now on."""

    assignee_id: Annotated[int, Field(ge=0)] | None = None
    """An agent's id, see list_agents; 0 for nobody."""
    team_id: Annotated[int, Field(ge=0)] | None = None
    """Or a team's id, see list_teams; 0 for none."""


class LabelArguments(OneArguments):
    """Labels to add and to take away; the others stay."""

    add: list[Label] = Field(default_factory=list)
    """Labels to add."""
    remove: list[Label] = Field(default_factory=list)
    """Labels to take away."""


class AttributesArguments(OneArguments):
    """A conversation's own fields."""

    custom_attributes: dict[str, str | int | float | bool | None]
    """Names and values; they replace all that were there."""


class StartArguments(Arguments):
    """A conversation that you begin."""

    contact_id: Number
    """With whom."""
    inbox_id: Number
    """Through which inbox."""
    source_id: str
    """The contact's id in that inbox: `contact_inboxes` of read_contact."""
    content: Text
    """The first message."""
    status: Status = "open"
    """The state to leave it in."""


class DeleteMessageArguments(OneArguments):
    """One message."""

    message_id: Number
    """Its id."""


def _closes(args: StatusArguments) -> Iterator[Raise]:
    if args.status == "resolved":
        yield Raise(
            Tier.YELLOW_EXTERNAL,
            "resolve",
            "may send the customer a satisfaction survey",
            external=True,
        )


@operation(
    Tier.YELLOW,
    raises=_closes,
    examples=[
        Example({"conversation_id": 7, "status": "pending"}, Tier.YELLOW),
        Example({"conversation_id": 7, "status": "resolved"}, Tier.YELLOW_EXTERNAL),
    ],
)
async def set_status(tool: ToolClient, args: StatusArguments) -> Json:
    """Open, resolve, snooze or hold a conversation."""
    body = args.model_dump(exclude_none=True, exclude={"conversation_id"})
    path, values = f"{ONE}/toggle_status", {"conversation_id": args.conversation_id}
    answer = (await tool.send("POST", path, values, json=body)).json()
    return answer.get("payload", answer)


@operation(
    Tier.YELLOW,
    idempotent=True,
    examples=[Example({"conversation_id": 7, "add": ["billing"]}, Tier.YELLOW)],
)
async def change_labels(tool: ToolClient, args: LabelArguments) -> Json:
    """Add labels to a conversation and take others away; the rest stays."""
    values = {"conversation_id": args.conversation_id}
    return await relabel(tool, f"{ONE}/labels", values, args.add, args.remove)


async def relabel(
    tool: ToolClient,
    path: str,
    values: dict[str, int],
    add: list[str],
    remove: list[str],
) -> Json:
    """Add labels and take others away, where a POST replaces them all."""
    before = (await tool.get(path, values))["payload"]
    kept = [label for label in before if label not in remove]
    wanted = list(dict.fromkeys([*kept, *add]))
    answer = await tool.send("POST", path, values, json={"labels": wanted})
    return {"labels": answer.json()["payload"]}


def _listed(answer: dict[str, Any]) -> Json:
    found = answer.get("data", answer)
    return {"meta": found.get("meta"), "conversations": found["payload"]}


def _started(body: dict[str, Any]) -> Json:
    sent: dict[str, Any] = {**body, "message": {"content": body["content"]}}
    for name in ("contact_id", "inbox_id"):  # the document has them as text
        sent[name] = str(sent[name])
    del sent["content"]
    return sent


OPERATIONS = (
    route(
        "list_conversations",
        "List conversations, 25 a page; open ones unless you say otherwise.",
        f"GET {CONVERSATIONS}",
        ListArguments,
        Tier.GREEN,
        pick=_listed,
        examples=[Example({}, Tier.GREEN), Example({"labels": ["vip"]}, Tier.GREEN)],
    ),
    route(
        "count_conversations",
        "Count conversations: mine, unassigned, assigned and all.",
        f"GET {CONVERSATIONS}/meta",
        CountArguments,
        Tier.GREEN,
    ),
    route(
        "filter_conversations",
        "List conversations that meet conditions.",
        f"POST {CONVERSATIONS}/filter",
        FilterArguments,
        Tier.GREEN,
        in_query=("page",),
        pick=_listed,
        examples=[
            Example(
                {
                    "payload": [
                        {
                            "attribute_key": "status",
                            "filter_operator": "equal_to",
                            "values": ["open"],
                        }
                    ]
                },
                Tier.GREEN,
            )
        ],
    ),
    route(
        "read_conversation",
        "Show one conversation: its state, contact, labels and newest messages.",
        f"GET {ONE}",
        OneArguments,
        Tier.GREEN,
        examples=[Example({"conversation_id": 7}, Tier.GREEN)],
    ),
    route(
        "list_messages",
        "List messages of a conversation, the newest 20 unless you say otherwise.",
        f"GET {ONE}/messages",
        MessagesArguments,
        Tier.GREEN,
        examples=[Example({"conversation_id": 7}, Tier.GREEN)],
    ),
    route(
        "list_labels",
        "List the labels of a conversation.",
        f"GET {ONE}/labels",
        OneArguments,
        Tier.GREEN,
        examples=[Example({"conversation_id": 7}, Tier.GREEN)],
    ),
    route(
        "send_message",
        "Answer the customer, on the channel that the conversation came by.",
        f"POST {ONE}/messages",
        MessageArguments,
        Tier.YELLOW_EXTERNAL,
        external=True,
        wrap=lambda body: {**body, "message_type": "outgoing", "private": False},
        examples=[
            Example(
                {"conversation_id": 7, "content": "Your parcel left today."},
                Tier.YELLOW_EXTERNAL,
            )
        ],
    ),
    route(
        "add_note",
        "Leave a note in a conversation that only colleagues see.",
        f"POST {ONE}/messages",
        MessageArguments,
        Tier.YELLOW,
        wrap=lambda body: {**body, "message_type": "outgoing", "private": True},
        examples=[
            Example({"conversation_id": 7, "content": "Called back."}, Tier.YELLOW)
        ],
    ),
    route(
        "start_conversation",
        "Begin a conversation with a contact: the first message is sent at once.",
        f"POST {CONVERSATIONS}",
        StartArguments,
        Tier.YELLOW_EXTERNAL,
        external=True,
        wrap=_started,
        examples=[
            Example(
                {
                    "contact_id": 3,
                    "inbox_id": 1,
                    "source_id": "ada@example.com",
                    "content": "Your order has come.",
                },
                Tier.YELLOW_EXTERNAL,
            )
        ],
    ),
    set_status,
    route(
        "set_priority",
        "Say how urgent a conversation is.",
        f"POST {ONE}/toggle_priority",
        PriorityArguments,
        Tier.YELLOW,
        idempotent=True,
        pick=lambda answer: answer or {"changed": True},
        examples=[Example({"conversation_id": 7, "priority": "high"}, Tier.YELLOW)],
    ),
    route(
        "assign",
        "Give a conversation to an agent or a team.",
        f"POST {ONE}/assignments",
        AssignArguments,
        Tier.YELLOW,
        idempotent=True,
        pick=lambda answer: answer or {"assigned": None},
        examples=[Example({"conversation_id": 7, "assignee_id": 2}, Tier.YELLOW)],
    ),
    change_labels,
    route(
        "set_attributes",
        "Replace a conversation's own fields.",
        f"POST {ONE}/custom_attributes",
        AttributesArguments,
        Tier.YELLOW,
        idempotent=True,
        examples=[
            Example(
                {"conversation_id": 7, "custom_attributes": {"order": "A-17"}},
                Tier.YELLOW,
            )
        ],
    ),
    route(
        "delete_message",
        "Delete a message for good; on some channels the customer loses it too.",
        f"DELETE {ONE}/messages/{{message_id}}",
        DeleteMessageArguments,
        Tier.RED,
        external=True,
        pick=lambda _: {"deleted": True},
        examples=[Example({"conversation_id": 7, "message_id": 31}, Tier.RED)],
    ),
)
