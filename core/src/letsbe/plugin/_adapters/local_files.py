"""Files of the tenant's own server as arguments: sent to the tool, or saved from it.

Their content does not pass through the model. So a path is judged as the file
executor judges it, what is sent is searched for registered secrets first, and an
operation may open only what its call named.
"""

from __future__ import annotations

import enum
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias, get_args

from anyio import to_thread
from pydantic import Field

from letsbe.errors import PathRefused, ToolFailed
from letsbe.plugin._actions import Arguments
from letsbe.plugin._adapters.file_contents import SavedFile, SentFile
from letsbe.plugin._calls import Execution
from letsbe.plugin._site import Site
from letsbe.policy.files import (
    Confinement,
    FileJudge,
    FileJudgement,
    Place,
    replacing,
)
from letsbe.policy.paths import LONGEST_PATH
from letsbe.policy.steps import Step
from letsbe.policy.tiers import Tier
from letsbe.policy.verdict import Verdict


class FileUse(enum.Enum):
    """What an operation does with a file, by the tool that an agent needs for that."""

    SEND = "file_read"
    SAVE = "file_write"


_Path = Annotated[str, Field(min_length=1, max_length=LONGEST_PATH - 1)]

FileToSend: TypeAlias = Annotated[_Path, FileUse.SEND]
"""The type of an argument that is the path of a file whose content goes to the tool."""
FileToSave: TypeAlias = Annotated[_Path, FileUse.SAVE]
"""The type of an argument that is the path where something of the tool is kept."""


def file_fields(arguments: type[Arguments]) -> dict[str, FileUse]:
    """Return which fields of a model are paths of files, and what is done with them."""
    fields = arguments.model_fields.items()
    uses = ((name, _use_of(f.annotation, f.metadata)) for name, f in fields)
    return {name: use for name, use in uses if use is not None}


def _use_of(annotation: object, metadata: list[Any]) -> FileUse | None:
    for each in metadata:
        if isinstance(each, FileUse):
            return each
    for part in get_args(annotation):
        found = _use_of(part, [*getattr(part, "__metadata__", ())])
        if found is not None:
            return found
    return None


class LocalFiles:
    """The files that the operations of one tool may be given.

    Args:
        site: The allowed folders, and what is closed inside them.
        tool: The tool's name.
    """

    def __init__(self, site: Site, tool: str) -> None:
        self._tool = tool
        self._confinement = Confinement(site.roots, site.forbidden)
        self._judge = FileJudge(site.roots, site.forbidden)

    def judge(self, use: FileUse, path: str) -> Verdict:
        """Judge the use of a file; nothing is opened or changed.

        Raises:
            PathRefused: The path ends where no agent may go.
            ToolFailed: It cannot be walked.
        """
        with self._confinement.find(path) as place:
            found = self._judged(use, path, place)
            kind = self._judge.kind(path, place)
            rules = frozenset({found.rule})
            plan: dict[str, Any] = {use.name.lower(): place.path}
            if place.status is not None:
                plan["bytes"] = place.status.st_size
            return Verdict(
                found.tier,
                found.rule,
                found.reason,
                alternative=found.alternative,
                plan=plan,
                paths={path: str(kind)},
                steps=(Step(use.value, found.tier, rules, paths=kind),),
            )

    @contextmanager
    def opened(self, use: FileUse, path: str, tier: Tier) -> Iterator[Place]:
        """Walk to a file again, for what was judged and allowed.

        Raises:
            PathRefused: It has come to lead to what asks for more.
        """
        with self._confinement.find(path) as place:
            if self._judged(use, path, place).tier > tier:
                message = (
                    f"{path} leads elsewhere than when the call was judged: send the "
                    "call again"
                )
                raise PathRefused(message)
            yield place

    def _judged(self, use: FileUse, path: str, place: Place) -> FileJudgement:
        if place.status is not None and place.kind != "folder":
            place.require_file()
        if use is FileUse.SEND:
            return self._judge.send(path, place, self._tool)
        return self._judge.write(path, place, "overwrite")


@dataclass(frozen=True, slots=True)
class GrantedFiles:
    """The files that one call named, and no other.

    Args:
        files: Where they are looked for.
        uses: The path of each, with what the call may do there.
        tier: The tier that was granted.
        run: Tells which registered secrets a file holds.
    """

    files: LocalFiles
    uses: Mapping[str, FileUse]
    tier: Tier
    run: Execution

    @asynccontextmanager
    async def to_send(self, path: str) -> AsyncIterator[SentFile]:
        """Open a file whose content goes to the tool.

        Args:
            path: The value of a :data:`~letsbe.plugin.FileToSend` argument.

        Raises:
            PathRefused: It is closed to agents, or leads elsewhere by now.
            ToolFailed: It does not exist or cannot be read.
        """
        with self._place(FileUse.SEND, path) as place:
            file = await to_thread.run_sync(place.open_file)
            try:
                yield SentFile(file, place, self.run.registered)
            finally:
                os.close(file)

    @asynccontextmanager
    async def to_save(
        self, path: str, *, overwrite: bool = False
    ) -> AsyncIterator[SavedFile]:
        """Make or replace a file, which is there when the block has ended well.

        Args:
            path: The value of a :data:`~letsbe.plugin.FileToSave` argument.
            overwrite: Whether one that exists is replaced.

        Raises:
            PathRefused: It is closed to agents, or leads elsewhere by now.
            ToolFailed: It exists and must not be replaced, or cannot be written.
        """
        with self._place(FileUse.SAVE, path) as place:
            if place.missing:
                message = f"the folder of {place.path} does not exist: make it first"
                raise ToolFailed(message)
            if place.status is not None and not overwrite:
                message = f"{place.path} exists already: set overwrite to replace it"
                raise ToolFailed(message)
            with replacing(place, exclusive=not overwrite) as content:
                yield SavedFile(content, place.path)

    @contextmanager
    def _place(self, use: FileUse, path: str) -> Iterator[Place]:
        if self.uses.get(path) is not use:
            message = f"{path} is no file argument of this call"
            raise PathRefused(message)
        with self.files.opened(use, path, self.tier) as place:
            yield place
