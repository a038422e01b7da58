"""What the operations on posts and pages take."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from letsbe.plugin import Arguments

Id = Annotated[str, Field(pattern=r"^[0-9a-f]{24}$")]
Title = Annotated[str, Field(min_length=1, max_length=255)]


class ListArguments(Arguments):
    """Which of them, and how many."""

    filter: str | None = None
    """Ghost's filter language (NQL): `status:draft+tag:news`."""
    order: str | None = None
    """Such as `published_at desc`."""
    page: Annotated[int, Field(ge=1)] = 1
    """The page to begin with."""
    limit: Annotated[int, Field(ge=1, le=500)] = 15
    """How many are wanted; above 100 there may be some more."""


class ReadArguments(Arguments):
    """One of them, by its id or its slug."""

    id: Id | None = None
    """Its id; or"""
    slug: Annotated[str, Field(min_length=1, max_length=191)] | None = None
    """the last part of its address."""


class ById(Arguments):
    """One of them."""

    id: Id
    """Its id, 24 hexadecimal digits."""


class Content(Arguments):
    """What both a new one and a changed one may have."""

    html: str | None = None
    """The whole text as HTML; Ghost turns it into its own format."""
    custom_excerpt: Annotated[str, Field(max_length=300)] | None = None
    """The teaser."""
    slug: Annotated[str, Field(max_length=191)] | None = None
    """The last part of its address."""
    tags: list[str] | None = None
    """The names of all its tags; new ones are made."""
    featured: bool | None = None
    """Whether the site puts it forward."""
    feature_image: str | None = None
    """The address of its picture; see upload_image."""
    visibility: Literal["public", "members", "paid"] | None = None
    """Who may read it once it is public."""
    meta_title: Annotated[str, Field(max_length=300)] | None = None
    """The title for search engines."""
    meta_description: Annotated[str, Field(max_length=500)] | None = None
    """The description for search engines."""


class NewContent(Content):
    """A draft."""

    title: Title
    """Its title."""


class ChangedContent(Content):
    """What to change; what is left out stays."""

    id: Id
    """Its id."""
    title: Title | None = None
    """Its new title."""
    updated_at: str | None = None
    """As it was when you read it: a change since then is then a conflict."""


class PublishArguments(Arguments):
    """What is made public."""

    id: Id
    """Its id."""
    updated_at: str | None = None
    """As it was when you read it: a change since then is then a conflict."""


class ScheduleArguments(PublishArguments):
    """What is made public, and when."""

    published_at: str
    """When, in UTC: `2026-12-24T08:00:00.000Z`."""


class Mailing(Arguments):
    """The newsletter that a post is mailed with."""

    newsletter: str | None = None
    """Mails it once to this newsletter's subscribers: its slug. Cannot be undone."""
    email_segment: str | None = None
    """Which of them: `status:free`, `status:-free`; all if left out."""


class PublishPost(PublishArguments, Mailing):
    """What is made public, and to whom it is mailed."""


class SchedulePost(ScheduleArguments, Mailing):
    """What is made public, when, and to whom it is mailed."""


class PublicArguments(ListArguments):
    """What anyone may read of the site."""

    resource: Literal["posts", "pages", "tags", "authors", "tiers", "settings"]
    """What to read."""
