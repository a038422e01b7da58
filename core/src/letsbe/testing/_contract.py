"""What every contract is: tests to inherit, which no class can weaken."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from typing import Any, ClassVar

from typing_extensions import override

from letsbe.contract_guard import MARK, weakened
from letsbe.discovery.records import Kind
from letsbe.plugin import API_VERSION
from letsbe.plugin._loading import new_manager

IMPORT_SECONDS = 3.0
"""How long importing a plugin may take beyond the core's own import."""

_PROGRAM = """
import json, sys, time
import letsbe.plugin
seen = []
def watch(event, args):
    if event.split(".")[0] in {"socket", "subprocess", "os.system", "os.exec"}:
        seen.append(event)
    if event in {"os.system", "os.exec", "os.posix_spawn", "os.fork"}:
        seen.append(event)
    if event == "open" and isinstance(args[2], int) and args[2] & 3:
        if str(args[0]) != "/dev/null":
            seen.append(f"open {args[0]} for writing")
sys.addaudithook(watch)
began = time.process_time()
__import__(sys.argv[1])
print(json.dumps({"seconds": time.process_time() - began, "seen": sorted(set(seen))}))
"""


class Guarded:
    """Tests to inherit whole: a class that replaces one is refused as it is made."""

    @override
    def __init_subclass__(cls, **settings: Any) -> None:
        """Refuse a class that replaces or leaves out a test.

        Raises:
            TypeError: It does; the text says which.
        """
        super().__init_subclass__(**settings)
        if cls.__module__.startswith("letsbe.testing."):
            tests = {n for n in dir(cls) if n.startswith("test_")}
            setattr(cls, MARK, frozenset(tests))
            return
        for base in cls.__mro__[1:]:
            told = weakened(base, cls) if MARK in vars(base) else []
            if told:
                raise TypeError("; ".join(told))


class Contract(Guarded):
    """What holds for every plugin; inherit the contract of its kind.

    Attributes:
        module: The plugin's module, as its entry point names it.
    """

    module: ClassVar[str]
    kind: ClassVar[Kind]

    def test_importing_it_is_cheap_and_touches_nothing(self) -> None:
        """No network, no program, no file is used, and little time."""
        ran = subprocess.run(
            [sys.executable, "-B", "-c", _PROGRAM, self.module],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert ran.returncode == 0, f"{self.module} cannot be imported: {ran.stderr}"
        told = json.loads(ran.stdout.splitlines()[-1])
        assert told["seen"] == [], f"importing {self.module} does: {told['seen']}"
        assert told["seconds"] < IMPORT_SECONDS, told

    def test_it_says_which_api_it_was_written_for(self) -> None:
        """``API_VERSION`` is there, and this core can load it."""
        declared = sys.modules[__import__(self.module).__name__]
        version = getattr(declared, "API_VERSION", None)
        assert isinstance(version, tuple), "API_VERSION is missing"
        assert version[0] == API_VERSION[0], "another major version"
        assert version[1] <= API_VERSION[1], "a newer minor version than the core's"

    def test_its_hooks_are_known(self) -> None:
        """The registration hook is there; no hook is misspelt or asks for too much."""
        manager, module = new_manager(), sys.modules[__import__(self.module).__name__]
        manager.register(module)
        manager.check_pending()
        hooks = {caller.name for caller in manager.get_hookcallers(module) or []}
        assert self.kind.hook in hooks, f"{self.kind.hook} is missing"

    def test_its_distribution_names_it(self) -> None:
        """An entry point of its kind's group leads to the module."""
        points = importlib.metadata.entry_points(group=self.kind.group)
        named = [point for point in points if point.module == self.module]
        assert named, f"no entry point in {self.kind.group} names {self.module}"
        for point in named:
            assert point.dist is not None
            needs = [
                r for r in point.dist.requires or () if r.startswith("letsbe-core")
            ]
            assert needs, f"{point.dist.name} does not require letsbe-core"
            assert "<" in needs[0], f"{needs[0]} has no upper bound"
