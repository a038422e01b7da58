"""Where a path ends decides, however it is spelled; nothing outside is told."""

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from letsbe.errors import LetsBeError, PathRefused, ToolFailed
from letsbe.policy.files import Confinement, _linked, write_file


class Ground:
    """A root with everything in it that could lead out, and what lies around."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "root"
        self.second = folder / "second"
        self.outside = folder / "outside"
        for path in (self.root / "sub" / "deep", self.second, self.outside):
            path.mkdir(parents=True)
        self.closed = self.root / "closed"
        self.closed.mkdir()
        for path in (
            self.root / "file",
            self.root / "sub" / "inner",
            self.root / "sub" / "deep" / "end",
            self.second / "other",
            self.closed / "own",
        ):
            path.write_text(f"inside {path.name}")
        (self.outside / "prey").write_text("OUTSIDE")
        links = {
            "in": "sub",
            "in-file": "sub/inner",
            "in-absolute": str(self.root / "sub"),
            "in-second": str(self.second / "other"),
            "chain": "in/deep",
            "up-and-back": "../root/sub",
            "around": f"{self.outside}/../root/file",
            "out": "../outside",
            "out-file": "../outside/prey",
            "out-absolute": str(self.outside / "prey"),
            "out-chain": "out",
            "etc": "/etc",
            "slash": "/",
            "proc-root": "/proc/self/root",
            "proc-fd": "/proc/self/fd/0",
            "dangling": "sub/none",
            "dangling-out": "../outside/none",
            "loop": "loop",
            "loop-a": "loop-b",
            "loop-b": "loop-a",
            "to-closed": "closed",
            "to-closed-file": "closed/own",
            "slashed": "sub/",
            "file-slashed": "file/",
        }
        for name, target in links.items():
            (self.root / name).symlink_to(target)
        os.link(self.closed / "own", self.root / "hard")
        os.mkfifo(self.root / "fifo")
        self.socket = socket.socket(socket.AF_UNIX)
        here = Path.cwd()
        os.chdir(self.root)  # the name of a socket may not be long
        self.socket.bind("socket")
        os.chdir(here)

    def confinement(self, *, hard_links: bool = True) -> Confinement:
        roots = (self.root, self.second)
        return Confinement(roots, (self.closed,), hard_links=hard_links)

    def read(self, path: str) -> str:
        with self.confinement().find(path) as place:
            file = place.open_file()
        with os.fdopen(file) as stream:
            return stream.read()


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    made = Ground(tmp_path_factory.mktemp("ground"))
    yield made
    made.socket.close()


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("file", "inside file"),
        ("./file", "inside file"),
        (".//file", "inside file"),
        ("sub/../file", "inside file"),
        ("sub/deep/../../file", "inside file"),
        ("../root/file", "inside file"),
        ("../outside/../root/file", "inside file"),
        ("{root}/file", "inside file"),
        ("//{root}//file", "inside file"),
        ("{second}/other", "inside other"),
        ("../second/other", "inside other"),
        ("in/inner", "inside inner"),
        ("in/deep/../inner", "inside inner"),
        ("in/../file", "inside file"),
        ("chain/../inner", "inside inner"),  # by text it would be root/inner
        ("in-file", "inside inner"),
        ("in-absolute/inner", "inside inner"),
        ("in-second", "inside other"),
        ("up-and-back/inner", "inside inner"),
        ("around", "inside file"),
        ("slashed/inner", "inside inner"),
        ("slash/{root}/file", "inside file"),
        ("sub/" * 1 + "../sub/" * 300 + "inner", "inside inner"),
        ("./" * 2000 + "file", "inside file"),
    ],
)
def test_ends_inside(ground: Ground, path: str, content: str) -> None:
    text = path.format(root=ground.root, second=ground.second)
    assert ground.read(text) == content


@pytest.mark.parametrize(
    "path",
    [
        "",
        "file\0",
        "file\0/../../outside/prey",
        "\udcff",
        "x" * 256,
        "é" * 128,
        "a/" * 2048,
        "..",
        "../",
        "../outside/prey",
        "sub/../../outside/prey",
        "../root-not/file",
        "/",
        "/etc/passwd",
        "/etc/none-such",
        "/none-such/file",
        "../none-such",
        "out/prey",
        "out/none",
        "out-file",
        "out-absolute",
        "out-chain/prey",
        "etc/passwd",
        "etc/none-such",
        "slash/etc/passwd",
        "proc-root/etc/passwd",
        "proc-root/{root}/file",
        "proc-fd",
        "/proc/self/cwd/x",
        "/proc/self/environ",
        "dangling-out",
        "loop",
        "loop-a/x",
        "closed",
        "closed/own",
        "closed/none",
        "closed/../closed/own",
        "to-closed/own",
        "to-closed-file",
        "in/../closed/own",
        "fifo",
        "socket",
        "/dev/null",
        "/dev/stdin",
        "in/../../outside/prey",
        "chain/../../../outside/prey",
    ],
)
def test_refused(ground: Ground, path: str) -> None:
    with pytest.raises(PathRefused) as caught:
        ground.read(path.format(root=ground.root))
    assert "OUTSIDE" not in str(caught.value)


@pytest.mark.parametrize("missing", ["prey", "none", "prey/x", "none/x", "../nowhere"])
def test_outside_is_not_told_what_exists(ground: Ground, missing: str) -> None:
    path = f"../outside/{missing}"
    with pytest.raises(PathRefused) as caught:
        ground.read(path)
    assert str(caught.value).replace(path, "P").startswith("P is outside the allowed")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("none", "does not exist"),
        ("none/../file", "does not exist"),
        ("dangling", "does not exist"),
        ("sub", "is a folder"),
        (".", "is a folder"),
        ("file/", "not a folder"),
        ("file/.", "not a folder"),
        ("file/..", "not a folder"),
        ("file/x", "not a folder"),
        ("file-slashed", "not a folder"),
        ("in-file/", "not a folder"),
    ],
)
def test_what_the_kernel_refuses_inside(ground: Ground, path: str, words: str) -> None:
    with pytest.raises(ToolFailed, match=words):
        ground.read(path)


_WORDS = """
.. . sub deep file inner in chain root second other outside prey out slash up-and-back
slashed around in-second file-slashed loop none dangling
"""
_NAMES = st.sampled_from(["", *_WORDS.split()])


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(_NAMES, min_size=1, max_size=8), absolute=st.booleans())
def test_agrees_with_the_kernel(
    ground: Ground, names: list[str], absolute: bool
) -> None:
    path = "/".join(names) or "."
    path = f"{ground.root}/{path}" if absolute else path.lstrip("/") or "."
    try:
        whole = path if absolute else f"{ground.root}/{path}"
        with open(whole) as stream:  # noqa: PTH123 -- pathlib takes `.` and slashes out
            kernel: str | None = stream.read()
    except OSError:
        kernel = None
    try:
        ours: str | None = ground.read(path)
    except LetsBeError:
        ours = None
    assert ours == (None if kernel == "OUTSIDE" else kernel)


def test_a_forbidden_file_is_known_by_any_name(ground: Ground) -> None:
    confined = Confinement((ground.root,), (ground.closed / "own",))
    with pytest.raises(PathRefused, match="closed to agents"):
        confined.find("hard")


def test_hard_links_can_be_refused(ground: Ground, tmp_path: Path) -> None:
    (ground.root / "sub" / "one").write_text("x")
    os.link(ground.root / "sub" / "one", tmp_path / "two")
    with ground.confinement().find("sub/one") as place:
        os.close(place.open_file())
    with pytest.raises(PathRefused, match="more than one name"):
        ground.confinement(hard_links=False).find("sub/one")


def test_a_second_name_of_a_file_in_a_forbidden_folder(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "state" / "deep").mkdir(parents=True)
    (tmp_path / "state" / "deep" / "key").write_text("key")
    os.link(tmp_path / "state" / "deep" / "key", tmp_path / "root" / "name")
    (tmp_path / "root" / "one").write_text("x")
    os.link(tmp_path / "root" / "one", tmp_path / "root" / "two")
    confined = Confinement((tmp_path / "root",), (tmp_path / "state",))
    with pytest.raises(PathRefused, match="closed to agents"):
        confined.find("name")
    confined.find("two").close()
    closed = confined.closed()
    listed = {path.name: path for path in (tmp_path / "root").iterdir()}
    assert closed(listed["name"].stat(), str(listed["name"]))
    assert not closed(listed["two"].stat(), str(listed["two"]))


def test_too_many_forbidden_files_to_look_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "root").mkdir()
    (tmp_path / "state").mkdir()
    for name in "abc":
        (tmp_path / "state" / name).touch()
    (tmp_path / "root" / "one").write_text("x")
    os.link(tmp_path / "root" / "one", tmp_path / "root" / "two")
    confined = Confinement((tmp_path / "root",), (tmp_path / "state",))
    monkeypatch.setattr(_linked, "MOST", 2)
    with pytest.raises(PathRefused, match="closed to agents"):
        confined.find("two")
    (tmp_path / "root" / "three").touch()
    confined.find("three").close()


def test_a_forbidden_name_is_kept_free(tmp_path: Path) -> None:
    confined = Confinement((tmp_path,), (tmp_path / "state" / "vault.key",))
    with pytest.raises(PathRefused, match="closed to agents"):
        confined.find("state/vault.key")
    with pytest.raises(PathRefused, match="closed to agents"):
        confined.find("state/sub/../vault.key".replace("sub/../", "./"))


def test_a_root_may_be_a_link_and_a_root_inside_a_root_adds_nothing(
    tmp_path: Path,
) -> None:
    (tmp_path / "real" / "nested").mkdir(parents=True)
    (tmp_path / "real" / "nested" / "f").write_text("f")
    (tmp_path / "link").symlink_to("real")
    confined = Confinement((tmp_path / "link" / "nested", tmp_path / "link"))
    with confined.find("f") as place:
        assert place.path == str(tmp_path.resolve() / "real" / "nested" / "f")
    # Whoever may write in the outer root may swap the inner one; it must not matter.
    (tmp_path / "real" / "nested").rename(tmp_path / "real" / "was")
    (tmp_path / "real" / "nested").symlink_to("/etc")
    with pytest.raises(PathRefused):
        confined.find("passwd")


def test_a_root_replaced_by_a_link_allows_nothing(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    confined = Confinement((tmp_path / "root",))
    (tmp_path / "root").rmdir()
    with pytest.raises(PathRefused, match="none of the allowed folders"):
        confined.find("passwd")
    (tmp_path / "root").symlink_to("/etc")
    with pytest.raises(PathRefused):
        confined.find("passwd")


def test_without_roots_nothing_is_allowed(tmp_path: Path) -> None:
    with pytest.raises(PathRefused, match="set `roots`"):
        Confinement(()).find("x")
    with pytest.raises(PathRefused):
        Confinement(()).find(str(tmp_path))


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_descriptors_are_given_back(ground: Ground) -> None:
    before = open_descriptors()
    for path in (
        "file",
        "none",
        "../outside/prey",
        "closed/own",
        "fifo",
        "loop",
        "a/b",
    ):
        with contextlib.suppress(LetsBeError):
            ground.read(path)
    assert open_descriptors() == before


def test_write_makes_folders_only_when_told(tmp_path: Path) -> None:
    confined = Confinement((tmp_path,))
    with confined.find("a/b/c.txt") as place:
        assert (place.missing, place.status) == (2, None)
        place.make_folders()
        assert write_file(place, b"deep").created
    assert (tmp_path / "a" / "b" / "c.txt").read_bytes() == b"deep"
