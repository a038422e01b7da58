"""The executor: finds the place of a call, judges it, and does it there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from anyio import to_thread

from letsbe.plugin import (
    Action,
    Arguments,
    Confinement,
    Example,
    Execution,
    FileJudge,
    FileJudgement,
    Health,
    PathClass,
    PathRefused,
    Place,
    Preview,
    Result,
    Site,
    Step,
    Tier,
    ToolCall,
    Verdict,
)
from letsbe_executor_file.arguments import (
    ListArguments,
    ReadArguments,
    Settings,
    StatArguments,
    WriteArguments,
)
from letsbe_executor_file.differences import preview_write
from letsbe_executor_file.listing import describe, list_folder
from letsbe_executor_file.reading import read_file
from letsbe_executor_file.writing import check_content, write

ACTIONS = (
    Action(
        "file_read",
        "Read a file, as text or base64.",
        ReadArguments,
        Tier.GREEN,
        idempotent=True,
        examples=(
            Example({"path": "notes.txt"}, Tier.GREEN),
            Example({"path": "app/.env"}, Tier.YELLOW),
        ),
    ),
    Action(
        "file_write",
        "Create, replace or append to a file.",
        WriteArguments,
        Tier.YELLOW,
        examples=(Example({"path": "notes.txt", "content": "hello\n"}, Tier.YELLOW),),
    ),
    Action(
        "file_list",
        "List a folder.",
        ListArguments,
        Tier.GREEN,
        idempotent=True,
        examples=(Example({"path": ".", "depth": 2}, Tier.GREEN),),
    ),
    Action(
        "file_stat",
        "Describe a file or folder without reading it.",
        StatArguments,
        Tier.GREEN,
        idempotent=True,
        examples=(Example({"path": "notes.txt"}, Tier.GREEN),),
    ),
)


class FileExecutor:
    """Reads, writes and lists files inside the allowed folders.

    Args:
        site: The allowed roots, what is forbidden, the settings and the output limit.

    Raises:
        pydantic.ValidationError: The settings are wrong.
    """

    def __init__(self, site: Site) -> None:
        settings = Settings.model_validate(dict(site.settings))
        self._site = site
        self._judge = FileJudge(site.roots, site.forbidden)
        self._confinement = Confinement(
            site.roots, site.forbidden, hard_links=settings.hard_links
        )

    @property
    def actions(self) -> Sequence[Action]:
        """What it can do."""
        return ACTIONS

    def classify(self, call: ToolCall) -> Verdict:
        """Walk to the place and judge the call there; nothing is opened or changed.

        Raises:
            PathRefused: The path ends outside the roots, at something forbidden or at
                what is no regular file.
            InvalidRequest: The content is not of the form its encoding names.
            ToolFailed: The path cannot be walked inside the roots.
        """
        arguments = call.arguments
        with self._confinement.find(_path(arguments)) as place:
            judgement = self._judged(arguments, place)
            kind = self._judge.kind(_path(arguments), place)
            return Verdict(
                judgement.tier,
                judgement.rule,
                judgement.reason,
                alternative=judgement.alternative,
                plan=_plan(call.tool_name, arguments, place),
                paths={_path(arguments): str(kind)},
                steps=_steps(call.tool_name, arguments, judgement, kind),
            )

    def preview(
        self, call: ToolCall, verdict: Verdict, redact: Callable[[bytes], bytes]
    ) -> Preview | None:
        """Show the difference that a write makes; nothing is changed.

        Raises:
            LetsBeError: As :meth:`classify`, or the file cannot be read.
        """
        arguments = call.arguments
        if not isinstance(arguments, WriteArguments):
            return None
        with self._confinement.find(arguments.path) as place:
            kind = self._judge.kind(arguments.path, place)
            shown = kind is not PathClass.SECRET
            return preview_write(place, arguments, redact, shown=shown)

    async def execute(self, call: ToolCall, verdict: Verdict, run: Execution) -> Result:
        """Walk again and do it there, by the descriptors of that walk.

        Raises:
            PathRefused: As in :meth:`classify`, or the path has come to lead to what
                asks for more than was granted.
            ToolFailed: The system does not let us.
            OutputWithheld: A redaction layer failed.
        """
        # A thread, as a disk can wait. It is not abandoned: a write is done or not.
        output = await to_thread.run_sync(self._do, call.arguments, verdict, run)
        return Result(output)

    async def check(self) -> Health:
        """Say whether there is an allowed folder."""
        try:
            self._confinement.find(".").close()
        except PathRefused as error:
            return Health(False, str(error))
        return Health(True)

    def _do(self, arguments: Arguments, verdict: Verdict, run: Execution) -> object:
        with self._confinement.find(_path(arguments)) as place:
            if self._judged(arguments, place).tier > verdict.tier:
                message = (
                    f"{_path(arguments)} leads elsewhere than when the call was "
                    "judged: send the call again"
                )
                raise PathRefused(message)
            if isinstance(arguments, ReadArguments):
                return read_file(place, arguments, run, self._site.output_limit)
            if isinstance(arguments, WriteArguments):
                return write(place, arguments, run)
            if isinstance(arguments, ListArguments):
                return list_folder(place, arguments, self._confinement)
            return describe(place)

    def _judged(self, arguments: Arguments, place: Place) -> FileJudgement:
        if isinstance(arguments, ReadArguments):
            if place.status is not None and place.kind != "folder":
                place.require_file()
            return self._judge.read(arguments.path, place)
        if isinstance(arguments, WriteArguments):
            check_content(arguments)
            if place.status is not None and place.kind != "folder":
                place.require_file()
            return self._judge.write(arguments.path, place, arguments.mode)
        return self._judge.look(place)


def _path(arguments: Arguments) -> str:
    assert isinstance(
        arguments, ReadArguments | WriteArguments | ListArguments | StatArguments
    )
    return arguments.path


def _steps(
    tool_name: str, arguments: Arguments, judgement: FileJudgement, kind: PathClass
) -> tuple[Step, ...]:
    """Return what a class of such calls is made of; nothing for a plain read."""
    if judgement.tier is Tier.GREEN:
        return ()
    flags = set[str]()
    if isinstance(arguments, WriteArguments):
        flags = {arguments.mode}
        if arguments.create_parents:
            flags.add("create_parents")
    rules = frozenset({judgement.rule})
    return (Step(tool_name, judgement.tier, rules, frozenset(flags), paths=kind),)


def _plan(tool_name: str, arguments: Arguments, place: Place) -> dict[str, Any]:
    """Say what would be done, so that approving it is approving exactly that."""
    plan: dict[str, Any] = {
        "action": tool_name,
        "path": place.path,
        "exists": place.status is not None,
    }
    if isinstance(arguments, WriteArguments):
        plan["mode"] = arguments.mode
        plan["bytes"] = check_content(arguments)
        if place.missing:
            plan["creates_folders"] = place.missing if arguments.create_parents else 0
        if place.status is not None and arguments.mode == "overwrite":
            plan["replaces_bytes"] = place.status.st_size
    elif isinstance(arguments, ReadArguments) and place.status is not None:
        plan["size"] = place.status.st_size
    return plan
