"""The difference that a write makes, told before it is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from letsbe.plugin import LetsBeError, PathClass, Preview, Tier, Verdict
from letsbe.testing import make_call, make_site
from letsbe_executor_file import differences
from letsbe_executor_file.executor import ACTIONS, FileExecutor

BY_NAME = {action.name: action for action in ACTIONS}
SECRET = b"canary-0c1f7e55"


def redact(data: bytes) -> bytes:
    return data.replace(SECRET, b"SECRET_REF(token)")


@pytest.fixture
def executor(tmp_path: Path) -> FileExecutor:
    return FileExecutor(make_site(tmp_path))


def judged(executor: FileExecutor, tool: str, **arguments: Any) -> Verdict:
    return executor.classify(make_call(BY_NAME[tool], arguments))


def previewed(executor: FileExecutor, **arguments: Any) -> Preview:
    call = make_call(BY_NAME["file_write"], arguments)
    told = executor.preview(call, executor.classify(call), redact)
    assert told is not None
    return told


def test_a_difference_is_shown_and_nothing_is_written(
    executor: FileExecutor, tmp_path: Path
) -> None:
    (tmp_path / "a.ini").write_text("a=1\nb=2\n")
    told = previewed(executor, path="a.ini", content="a=1\nb=3\n")
    assert told.difference is not None
    assert told.difference.splitlines()[2:] == [
        "@@ -1,2 +1,2 @@",
        " a=1",
        "-b=2",
        "+b=3",
    ]
    assert told.detail["lines_added"] == told.detail["lines_removed"] == 1
    assert (tmp_path / "a.ini").read_text() == "a=1\nb=2\n"


def test_a_new_file_and_an_append(executor: FileExecutor, tmp_path: Path) -> None:
    new = previewed(executor, path="new.txt", content="one\ntwo")
    assert "creates" in new.summary
    assert str(new.difference).endswith("+one\n+two\n")
    (tmp_path / "log").write_text("first\n")
    more = previewed(executor, path="log", content="second\n", mode="append")
    assert "appends to" in more.summary
    assert (more.detail["lines_added"], more.detail["lines_removed"]) == (1, 0)
    assert not (tmp_path / "new.txt").exists()


def test_equal_content_has_no_difference(
    executor: FileExecutor, tmp_path: Path
) -> None:
    (tmp_path / "a").write_text("same\n")
    assert previewed(executor, path="a", content="same\n").difference is None


def test_secrets_are_taken_out_before_lines_are_cut(
    executor: FileExecutor, tmp_path: Path
) -> None:
    (tmp_path / "a.ini").write_bytes(b"key=" + SECRET + b"\n")
    told = previewed(executor, path="a.ini", content="key=SECRET_REF(other)\n")
    assert "-key=SECRET_REF(token)\n+key=SECRET_REF(other)\n" in str(told.difference)
    assert SECRET.decode() not in repr(told)


def test_the_lines_of_secret_files_are_not_shown(
    executor: FileExecutor, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text("PASSWORD=hunter2\n")
    told = previewed(executor, path=".env", content="PASSWORD=other\n")
    assert told.difference is None
    assert "not shown" in told.left_out[0]
    assert "hunter2" not in repr(told)


@pytest.mark.parametrize(
    ("old", "content", "note"),
    [
        (b"\xff\xfe\x00", "text", "not text"),
        (b"x" * (differences.MOST_BYTES + 1), "text", "bytes"),
        (b"x", "y" * (differences.MOST_BYTES + 1), "bytes"),
        (b"x\n" * (differences.MOST_LINES + 1), "text", "lines"),
    ],
)
def test_what_cannot_be_compared_is_said(
    executor: FileExecutor, tmp_path: Path, old: bytes, content: str, note: str
) -> None:
    (tmp_path / "a").write_bytes(old)
    told = previewed(executor, path="a", content=content)
    assert told.difference is None
    assert note in told.left_out[0]
    assert told.detail["bytes_now"] == len(old)


def test_a_long_difference_is_cut_and_says_so(
    executor: FileExecutor, tmp_path: Path
) -> None:
    (tmp_path / "a").write_text("x\n" * 1000)
    told = previewed(executor, path="a", content="y\n" * 1000)
    assert len(str(told.difference).splitlines()) == differences.SHOWN_LINES
    assert "more lines" in told.left_out[0]
    assert told.detail["lines_added"] == 1000


def test_base64_and_reads_have_no_difference(executor: FileExecutor) -> None:
    told = previewed(executor, path="a", content="aGFsbG8=", encoding="base64")
    assert told.difference is None
    call = make_call(BY_NAME["file_list"], {})
    assert executor.preview(call, executor.classify(call), redact) is None


def test_a_path_outside_is_refused(executor: FileExecutor) -> None:
    call = make_call(BY_NAME["file_write"], {"path": "/etc/passwd", "content": ""})
    with pytest.raises(LetsBeError):
        executor.preview(call, Verdict(Tier.RED, "x", "x"), redact)


def test_the_class_of_a_write_has_its_mode_and_path_class(
    executor: FileExecutor,
) -> None:
    assert judged(executor, "file_list").steps == ()
    (step,) = judged(executor, "file_write", path="a", content="").steps or ()
    assert (step.does, set(step.flags)) == ("file_write", {"overwrite"})
    assert step.paths is PathClass.WORKSPACE
    (secret,) = judged(executor, "file_read", path=".env").steps or ()
    assert secret.paths is PathClass.SECRET
    assert judged(executor, "file_read", path=".env").paths == {".env": "secret"}
