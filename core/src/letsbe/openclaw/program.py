"""Runs the ``openclaw`` program: its own checks of what we wrote."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from letsbe.errors import ConfigurationError
from letsbe.openclaw.settings import Places
from letsbe.openclaw.version import PINNED_VERSION
from letsbe.openclaw.writing import private_state, write_private

TIMEOUT = 300.0
"""Seconds; its slowest check takes some 15 on two cores, and more on a busy machine."""

NOT_INSTALLED = "plugin not installed: whatsapp"
"""What is said before the plugin is there, which is a package of its own."""

_VARIABLE = re.compile(r"\$\{([A-Z_][A-Z0-9_]*)\}")
_PASSED_ON = ("LANG", "PATH", "TMPDIR", "TZ")


@dataclass(frozen=True, slots=True)
class Program:
    """An installed OpenClaw.

    Args:
        path: What is run: ``openclaw``, or the package's ``openclaw.mjs``.
        node: The Node to run it with, if it is not the one on PATH.
    """

    path: Path
    node: Path | None = None

    @classmethod
    def find(cls, path: Path | None, node: Path | None = None) -> Program | None:
        """Return the program that was named, else the one on PATH, if there is one.

        Raises:
            ConfigurationError: The one that was named does not exist.
        """
        if path is not None:
            if not path.is_file():
                raise ConfigurationError(f"{path} is not the openclaw program")
            return cls(path, node)
        found = shutil.which("openclaw")
        return cls(Path(found), node) if found else None

    @property
    def package(self) -> Path:
        """The package's folder."""
        return self.path.resolve().parent

    def version(self) -> str:
        """Return the version of the package.

        Raises:
            ConfigurationError: It is not OpenClaw's package.
        """
        try:
            told = json.loads((self.package / "package.json").read_text("utf-8"))
            if told["name"] == "openclaw":
                return str(told["version"])
        except (OSError, ValueError, KeyError, TypeError):
            pass
        message = f"{self.path} does not belong to a package of OpenClaw"
        raise ConfigurationError(message)

    def check_version(self) -> None:
        """See that it is the pinned version.

        Raises:
            ConfigurationError: It is another.
        """
        version = self.version()
        if version != PINNED_VERSION:
            message = f"this is OpenClaw {version}; LetsBe works with {PINNED_VERSION}"
            instead = f"install it with `npm install openclaw@{PINNED_VERSION}`"
            raise ConfigurationError(message, alternative=instead)

    def json(
        self,
        places: Places,
        *words: str,
        failing: bool = False,
        config: Path | None = None,
    ) -> Any:  # noqa: ANN401 - any JSON
        """Run a command that prints JSON.

        Args:
            places: The state to run it on.
            words: The command.
            failing: Whether its answer counts though it ended with a failure.
            config: Another configuration than the state's own.

        Raises:
            ConfigurationError: It failed or printed no JSON.
        """
        ended = self._run(places, words, config)
        start = ended.stdout.find("{")
        if (ended.returncode == 0 or failing) and start >= 0:
            try:
                return json.loads(ended.stdout[start:])
            except ValueError:
                pass
        shown = " ".join(word for word in words if not word.startswith("--token"))
        message = f"`openclaw {shown}` failed (exit code {ended.returncode})"
        instead = "run it by hand on that state to see why"
        raise ConfigurationError(message, alternative=instead)

    def validate(self, places: Places, text: str) -> tuple[str, ...]:
        """Let it judge a configuration before that takes its place.

        Args:
            places: The state that the configuration is for; the folder exists.
            text: The configuration.

        Returns:
            What it says against it; nothing if it takes it as it is.
        """
        candidate = places.configuration.with_name(".openclaw.json.candidate")
        owner = private_state(places.state)
        write_private(places.state, candidate, text, owner)
        try:
            told = self.json(
                places, "config", "validate", "--json", failing=True, config=candidate
            )
        finally:
            candidate.unlink(missing_ok=True)
        if told.get("valid") is True:
            # A warning means that it would rewrite what we wrote, but for one: the
            # plugin of a messenger can be installed once the messenger is configured.
            said = tuple(_problem(item) for item in told.get("warnings", ()))
            return tuple(text for text in said if NOT_INSTALLED not in text)
        found = told.get("issues") or told.get("errors") or ()
        return tuple(map(_problem, found)) or ("it is not valid",)

    def _run(
        self, places: Places, words: tuple[str, ...], config: Path | None
    ) -> subprocess.CompletedProcess[str]:
        command = [str(self.path), *words]
        if self.node is not None:
            command = [str(self.node), *command]
        variables = environment(places)
        if config is not None:
            variables["OPENCLAW_CONFIG_PATH"] = str(config)
            # Whether they are set is not what is asked, nor are their values needed.
            named = _VARIABLE.findall(config.read_text(encoding="utf-8"))
            variables |= dict.fromkeys(named, "set")
        try:
            return subprocess.run(
                command,
                env=variables,
                **_as_owner(places.state),
                cwd=places.state,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=TIMEOUT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            message = f"{self.path} could not be run to its end"
            raise ConfigurationError(message) from None


def _as_owner(state: Path) -> dict[str, Any]:
    """Run as the account whose state it is: what lies there is loaded and run."""
    found = state.stat()
    if os.geteuid() != 0 or found.st_uid == 0:
        return {}
    return {"user": found.st_uid, "group": found.st_gid, "extra_groups": ()}


def _problem(item: Any) -> str:  # noqa: ANN401 - OpenClaw's
    if not isinstance(item, dict):
        return str(item)
    return f"{item.get('path', '')}: {item.get('message', '')}"


def environment(places: Places) -> dict[str, str]:
    """Return the environment of OpenClaw's programs: none of the caller's secrets."""
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {
        **passed,
        "HOME": str(places.state),
        "NO_COLOR": "1",
        "OPENCLAW_CONFIG_PATH": str(places.configuration),
        "OPENCLAW_STATE_DIR": str(places.state),
    }
