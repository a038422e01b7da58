"""Score the file executor on ``paths.jsonl``: escapes and over-blocks, per class.

Run ``python tests/datasets/score_paths.py [OTHER.jsonl]``; it exits with 1 if anything
is wrong. Every row is tried for real in a tree that is built for it. One row per line:
``id``, ``class``, ``action`` (``read``, ``list``, ``stat`` or ``write``), ``path`` with
``{root}``, ``{outside}`` and ``{long}`` filled in, and ``expected``: ``allow``,
``refuse``, ``fail`` (the kernel itself has no such file, or not of that kind: an error,
whichever) or ``either``. Whether it may be allowed is asked of the kernel too, so that
a wrong label is found.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import socket
import stat
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from letsbe.errors import LetsBeError
from letsbe.testing import FakeExecution, make_call, make_site
from letsbe_executor_file.executor import FileExecutor

Row = dict[str, Any]
DATASET = Path(__file__).with_name("paths.jsonl")
LONG = "n" * 251 + ".txt"
NAMES = (
    "a.txt dir/b.txt dir/sub/c.txt .hidden -dash --help ... ..a a.. dir/..b/d.txt $HOME"
    " ~ [x].txt *star* a;b|c&d back\\slash {brace,d} %2e%2e SECRET.txt empty closed/x"
    " closed/deep/y closedx vault.db vault.db.txt xclosed/x vault Case/File.txt"
    " \u00fcn\u00ef.txt u\u0308n.txt \u65e5\u672c/\u8a9e.txt \U0001f600.txt"
    " \u202etxt.exe zero\u200bwidth \u2025/a.txt \uff0e\uff0e/a.txt"
)
ODD_NAMES = (
    "with space.txt",
    "quote'\"`",
    "new\nline",
    "tab\there",
    "\u00a0",
    LONG,
    "deep/" + "d/" * 60 + "f",
)
LINKS = {
    "link_in": "a.txt",
    "link_dir": "dir",
    "link_sub": "dir/sub",
    "link_dot": ".",
    "link_up": "..",
    "link_abs_in": "{root}/a.txt",
    "link_abs_dir": "{root}/dir",
    "link_mixed": "./dir/../link_dir",
    "link_back": "../outside/back",
    "link_out": "../outside/secret.txt",
    "link_out_abs": "{outside}/secret.txt",
    "link_outdir": "../outside",
    "link_dir_out": "../outside/deep",
    "link_chain_out": "link_chain_2",
    "link_chain_2": "dir/../link_out",
    "link_evil": "../root-evil/e.txt",
    "link_far": "../../../../../../../../../../../etc/passwd",
    "link_root_slash": "/",
    "link_etc": "/etc/passwd",
    "link_etc_dir": "/etc",
    "link_tmp": "{outside}/..",
    "link_dotdot_out": "dir/../../outside/secret.txt",
    "dir/link_out2": "../../outside/secret.txt",
    "dangling": "to-come",
    "dangling_out": "../outside/to-come",
    "loop_a": "loop_b",
    "loop_b": "loop_a",
    "loop_self": "loop_self",
    "loop_dir": "loop_dir/x",
    "link_proc_root": "/proc/self/root",
    "link_proc_environ": "/proc/self/environ",
    "link_proc_fd": "/proc/self/fd",
    "link_fifo": "fifo",
    "link_vault": "vault.db",
    "link_closed": "closed",
    "link_closed_file": "dir/../closed/x",
}


@dataclass(frozen=True)
class Tree:
    """A folder with an allowed root, what lies beside it, and traps between them."""

    top: Path

    @property
    def root(self) -> Path:
        """The allowed folder."""
        return self.top / "root"

    @property
    def outside(self) -> Path:
        """A folder beside it."""
        return self.top / "outside"

    @property
    def closed(self) -> tuple[Path, ...]:
        """What is forbidden inside the root."""
        return (self.root / "vault.db", self.root / "closed")

    def fill(self, text: str) -> str:
        """Put the tree's paths into a row's path."""
        for name in ("root", "outside"):
            text = text.replace("{" + name + "}", str(self.top / name))
        return text.replace("{long}", LONG)

    def build(self) -> None:
        """Make everything."""
        self._file(self.outside / "secret.txt")
        self._file(self.outside / "deep" / "x")
        self._file(self.top / "root-evil" / "e.txt")
        (self.top / "rootx").mkdir()
        for name in (*NAMES.split(" "), *ODD_NAMES):
            self._file(self.root / name)
        for name, target in LINKS.items():
            (self.root / name).symlink_to(self.fill(target))
        (self.outside / "back").symlink_to("../root/a.txt")
        self._chain("chain_", 60)
        os.mkfifo(self.root / "fifo")
        self._socket(self.root)
        (self.root / "hard_in").hardlink_to(self.root / "a.txt")
        (self.root / "hard_out").hardlink_to(self.outside / "deep" / "x")
        (self.root / "hard_vault").hardlink_to(self.root / "vault.db")

    def _file(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"this is {path.name}", encoding="utf-8")

    def _chain(self, name: str, length: int) -> None:
        for number in range(1, length + 1):
            target = f"{name}{number - 1}" if number > 1 else "a.txt"
            (self.root / f"{name}{number}").symlink_to(target)

    @staticmethod
    def _socket(root: Path) -> None:
        before = Path.cwd()
        os.chdir(root)  # the name of a socket may be no longer than 107 bytes
        try:
            with socket.socket(socket.AF_UNIX) as one:
                one.bind("socket")
        finally:
            os.chdir(before)


@dataclass
class Score:
    """The errors of one class."""

    rows: int = 0
    escapes: int = 0
    over_blocks: int = 0
    labels: int = 0
    """Rows whose label is not what the kernel says."""

    @property
    def errors(self) -> int:
        """How many there are of all kinds."""
        return self.escapes + self.over_blocks + self.labels

    def __add__(self, other: Score) -> Score:
        return Score(
            self.rows + other.rows,
            self.escapes + other.escapes,
            self.over_blocks + other.over_blocks,
            self.labels + other.labels,
        )


def kernel_says(tree: Tree, action: str, path: str) -> str:
    """Ask the kernel where a path ends.

    Returns:
        ``allow`` if it ends inside the root at what the action is for, ``refuse`` if
        outside, at something forbidden or at no plain file, ``fail`` if nowhere.
    """
    if not path or "\0" in path:
        return "fail"
    full = path if path.startswith("/") else f"{tree.root}/{path}"
    try:
        ends = _end(full, action)
    except OSError:
        return "fail"
    if ends is None:
        return "fail"
    place, mode = ends
    closed = {os.lstat(path).st_ino for path in tree.closed}
    inside = place == str(tree.root) or place.startswith(f"{tree.root}/")
    if not inside or any(place.startswith(f"{path}/") for path in tree.closed):
        return "refuse"
    if mode is not None and os.lstat(place).st_ino in closed:
        return "refuse"
    if action in ("read", "write") and mode and not stat.S_ISREG(mode):
        return "fail" if stat.S_ISDIR(mode) else "refuse"
    if action == "list" and mode and not stat.S_ISDIR(mode):
        return "fail"
    return "allow"


def _end(full: str, action: str) -> tuple[str, int | None] | None:
    """Return where the kernel's walk ends and what is there, if anything is."""
    try:
        descriptor = os.open(full, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        if action != "write":
            raise
        return _end_of_new(full)
    try:
        place = os.readlink(f"/proc/self/fd/{descriptor}")  # noqa: PTH115 -- its text
        return place, os.fstat(descriptor).st_mode
    finally:
        os.close(descriptor)


def _end_of_new(full: str) -> tuple[str, int | None] | None:
    """Return where a file would come to be: links at the end are followed."""
    folder, _, name = full.rpartition("/")
    found = _end(folder or "/", "list")
    if found is None or not name:
        return None
    new = f"{found[0]}/{name}"
    if Path(new).is_symlink():
        target = os.readlink(new)  # noqa: PTH115 -- its text
        return _end(os.path.join(found[0], target), "write")  # noqa: PTH118 -- its text
    return new, None


def executor_says(tree: Tree, action: str, path: str) -> str:
    """Do it with the file executor.

    Returns:
        ``allow`` or ``refuse``; any error counts as a refusal.
    """
    executor = FileExecutor(make_site(tree.root, forbidden=tree.closed))
    arguments = {"path": path}
    if action == "write":
        arguments["content"] = "written"
    chosen = next(a for a in executor.actions if a.name == f"file_{action}")
    try:
        call = make_call(chosen, arguments)
        verdict = executor.classify(call)
        asyncio.run(executor.execute(call, verdict, FakeExecution()))
    except LetsBeError:
        return "refuse"
    return "allow"


def contents(tree: Tree) -> dict[str, str]:
    """Return what lies outside the root and what is closed inside it."""
    closed = [path for top in tree.closed for path in (top, *top.rglob("*"))]
    beside = [p for p in tree.top.rglob("*") if not p.is_relative_to(tree.root)]
    return {
        str(path): path.read_text(encoding="utf-8")
        for path in (*closed, *beside)
        if path.is_file() and not path.is_symlink()
    }


def score_row(row: Row, tree: Tree) -> Score:
    """Try one row.

    Args:
        row: A line of the set.
        tree: The tree, built.

    Returns:
        What is wrong.
    """
    path = tree.fill(row["path"])
    before, kernel = contents(tree), kernel_says(tree, row["action"], path)
    said = executor_says(tree, row["action"], path)
    unharmed = contents(tree) == before
    expected = row["expected"]
    return Score(
        rows=1,
        escapes=not unharmed or (said == "allow" and expected in ("refuse", "fail")),
        over_blocks=said == "refuse" and expected == "allow",
        labels=expected != "either" and (expected == "allow") != (kernel == "allow"),
    )


def score_rows(rows: Sequence[Row], folder: Path) -> list[Score]:
    """Try rows, each in a tree that no row before it has changed.

    Args:
        rows: The set.
        folder: An empty folder with a real path.

    Returns:
        A score for each row.
    """
    tree = Tree(folder / "tree")
    scores, fresh = [], False
    for row in rows:
        if not fresh:
            shutil.rmtree(tree.top, ignore_errors=True)
            tree.build()
        scores.append(score_row(row, tree))
        fresh = row["action"] != "write"
    return scores


def main(dataset: Path = DATASET) -> int:
    """Print the errors per class and the rows that are wrong.

    Args:
        dataset: The set, one JSON object per line.

    Returns:
        The exit status: 0 without errors, else 1.
    """
    scores: defaultdict[str, Score] = defaultdict(Score)
    wrong = []
    lines = dataset.read_text(encoding="utf-8").splitlines()
    with tempfile.TemporaryDirectory() as folder:
        rows = [json.loads(line) for line in lines]
        results = score_rows(rows, Path(folder).resolve())
    for line, row, score in zip(lines, rows, results, strict=True):
        scores[row["class"]] += score
        if score.errors:
            wrong.append(f"wrong: {line[:200]}\n")
    total = sum(scores.values(), Score())
    line_of = "{:16}{:>6}{:>9}{:>6}{:>8}\n".format
    sys.stdout.write(line_of("class", "rows", "escapes", "over", "labels"))
    for name, score in (*sorted(scores.items()), ("all", total)):
        numbers: Sequence[int] = (score.escapes, score.over_blocks, score.labels)
        sys.stdout.write(line_of(name, score.rows, *numbers))
    sys.stdout.writelines(wrong)
    return 1 if total.errors else 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:])))
