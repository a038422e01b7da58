"""The executor: finds the file, judges the call, and does it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from anyio import to_thread

from letsbe.plugin import (
    Action,
    Arguments,
    ConfigurationError,
    Confinement,
    Example,
    Execution,
    FieldError,
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
    path_class,
)
from letsbe_executor_env.arguments import ReadArguments, UpdateArguments
from letsbe_executor_env.reading import read
from letsbe_executor_env.updating import preview_update, update

ACTIONS = (
    Action(
        "env_read",
        "Read the variables of a .env file, without its secrets.",
        ReadArguments,
        Tier.GREEN,
        idempotent=True,
        examples=(Example({"path": "app/.env", "keys": ["PORT"]}, Tier.GREEN),),
    ),
    Action(
        "env_update",
        "Set and remove variables in a .env file.",
        UpdateArguments,
        Tier.YELLOW,
        idempotent=True,
        examples=(
            Example({"path": ".env", "set": {"PORT": "8080"}}, Tier.YELLOW),
            Example({"set": {"API_KEY": "SECRET_REF(shop_api)"}}, Tier.YELLOW),
        ),
    ),
)

_ENVIRONMENT = re.compile(r"\.env(\..*)?|.*\.env|\.envrc", re.DOTALL)


class EnvExecutor:
    """Reads and updates .env files inside the allowed folders.

    Args:
        site: The allowed roots and what is forbidden. It takes no settings.

    Raises:
        ConfigurationError: There are settings.
    """

    def __init__(self, site: Site) -> None:
        if site.settings:
            details = tuple(FieldError(str(key), "unknown") for key in site.settings)
            message = "the env executor takes no settings"
            raise ConfigurationError(message, details=details)
        self._site = site
        self._confinement = Confinement(site.roots, site.forbidden)

    @property
    def actions(self) -> Sequence[Action]:
        """What it can do."""
        return ACTIONS

    def classify(self, call: ToolCall) -> Verdict:
        """Walk to the file and judge the call there; nothing is opened or changed.

        Raises:
            PathRefused: The path ends outside the roots, at something forbidden or at
                what is no regular file.
            ToolFailed: It ends at a folder, or cannot be walked inside the roots.
        """
        arguments = _checked(call.arguments)
        with self._confinement.find(arguments.path) as place:
            return self._verdict(arguments, place)

    def preview(
        self, call: ToolCall, verdict: Verdict, redact: Callable[[bytes], bytes]
    ) -> Preview | None:
        """Name the keys that an update adds, sets and removes; never a value.

        Raises:
            LetsBeError: As :meth:`classify`, or the file cannot be read.
        """
        arguments = _checked(call.arguments)
        if isinstance(arguments, ReadArguments):
            return None
        with self._confinement.find(arguments.path) as place:
            return preview_update(place, arguments)

    async def execute(self, call: ToolCall, verdict: Verdict, run: Execution) -> Result:
        """Walk again and do it there.

        Raises:
            PathRefused: As in :meth:`classify`, or the path has come to lead to what
                asks for more than was granted.
            ToolFailed: The file or a value is not of a form that can be handled, or
                the system does not let us.
            OutputWithheld: A redaction layer failed.
        """
        # A thread, as it may wait for a lock. It waits no longer than the deadline.
        arguments = _checked(call.arguments)
        return Result(await to_thread.run_sync(self._do, arguments, verdict, run))

    async def check(self) -> Health:
        """Say whether there is an allowed folder."""
        try:
            self._confinement.find(".").close()
        except PathRefused as error:
            return Health(False, str(error))
        return Health(True)

    def _do(
        self,
        arguments: ReadArguments | UpdateArguments,
        verdict: Verdict,
        run: Execution,
    ) -> dict[str, Any]:
        def find() -> Place:
            return self._granted(arguments, verdict)

        if isinstance(arguments, UpdateArguments):
            return update(find, arguments, run)
        with find() as place:
            return read(place, arguments.keys, run)

    def _granted(
        self, arguments: ReadArguments | UpdateArguments, verdict: Verdict
    ) -> Place:
        place = self._confinement.find(arguments.path)
        try:
            if self._verdict(arguments, place).tier > verdict.tier:
                message = (
                    f"{arguments.path} leads elsewhere than when the call was judged: "
                    "send the call again"
                )
                raise PathRefused(message)
        except BaseException:
            place.close()
            raise
        return place

    def _verdict(
        self, arguments: ReadArguments | UpdateArguments, place: Place
    ) -> Verdict:
        if place.status is not None:
            place.require_file()
        plan: dict[str, Any] = {"path": place.path, "exists": place.status is not None}
        kind = self._kind(place)
        if isinstance(arguments, ReadArguments):
            plan |= {"action": "env_read", "keys": arguments.keys and [*arguments.keys]}
            tier, rule = Tier.GREEN, "env.read"
            if kind is PathClass.SECRET:
                tier, rule = Tier.YELLOW, "env.read_secret"
            return Verdict(
                tier,
                rule,
                f"reads variables of {place.path}",
                plan=plan,
                paths={arguments.path: str(kind)},
                steps=_steps("env_read", tier, rule, kind),
            )
        plan |= {
            "action": "env_update",
            "set": sorted(arguments.set),
            "unset": sorted(arguments.unset),
        }
        tier, rule = Tier.YELLOW, "env.update"
        if kind > PathClass.OTHER:
            tier, rule = Tier.RED, "env.update_" + str(kind)
        return Verdict(
            tier,
            rule,
            f"changes variables in {place.path}",
            plan=plan,
            paths={arguments.path: str(kind)},
            steps=_steps("env_update", tier, rule, kind, _flags(arguments)),
        )

    def _kind(self, place: Place) -> PathClass:
        """Return the class of a file; one that is named as a .env file is none of its
        own, as its secrets are not shown, only of the folder that it is in."""
        folder, _, name = place.path.rpartition("/")
        usual = f"{folder}/variables" if _ENVIRONMENT.fullmatch(name) else place.path
        site = self._site
        return path_class(
            usual, cwd="/", roots=site.roots, forbidden=site.forbidden, literal=True
        )


def _flags(arguments: UpdateArguments) -> frozenset[str]:
    given = {"set": arguments.set, "unset": arguments.unset}
    return frozenset(name for name, keys in given.items() if keys)


def _steps(
    action: str,
    tier: Tier,
    rule: str,
    kind: PathClass,
    flags: frozenset[str] = frozenset(),
) -> tuple[Step, ...]:
    """Return what a class of such calls is made of; nothing for a plain read."""
    if tier is Tier.GREEN:
        return ()
    return (Step(action, tier, frozenset({rule}), flags, paths=kind),)


def _checked(arguments: Arguments) -> ReadArguments | UpdateArguments:
    assert isinstance(arguments, ReadArguments | UpdateArguments)
    return arguments
