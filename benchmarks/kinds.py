"""Requests full of one kind of text each, so that no kind is a cliff for redaction.

Made from the standard library's source or by chance from a seed; none has a secret.
"""

from __future__ import annotations

import base64
import json
import random
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

Draw = Callable[[random.Random], str]

FILE = 16_000
_SYLLABLES = {
    "German": "ver ge schlüs sel über tra gung än der ung lich keit Straß zwi schen ö",
    "French": "ré gle ment é tait où ça dé ploie être à l'in stal la tion ne fonc tion",
    "Vietnamese": "máy chủ đã được cấu hình lại và tôi không thể kết nối một tệp là ở",
    "Russian": "пе ре да ча об ни е сер вер на строй ка о шиб ка до ступ ключ и в",  # noqa: RUF001 - it is Russian
    "Chinese": "服务器 配置 错误 请求 的 文件 我们 需要 更新 数据库 连接 密钥 是 在",
    "Japanese": "サーバー の 設定 を 変更 して ください エラー が 出ました 接続",
}
_SPACE = {"Chinese": "", "Japanese": ""}
_EMOJI = (
    *("😀", "🎉", "👍🏽", "❤️", "👩\u200d💻", "🚀", "✅", "⚠️", "🇩🇪", "1️⃣", "™️"),
    *("½", "²", "→", "“great”", "…", "it\u2019s", "ok"),
)
_WORDS = ("the", "server", "said", "it", "was", "done", "and", "we", "went", "on", "to")


def kinds(size: int, chance: random.Random) -> Iterator[tuple[str, bytes]]:
    """Yield the kinds of text, each as a chat request.

    Args:
        size: About how many bytes each request has.
        chance: Makes the text.
    """
    yield "source code", code_chat(size, chance)
    drawn: dict[str, Draw] = {
        "numbered source code": _numbered,
        "minified code": _minified,
        "diffs": _diff,
        "numbers": _numbers,
        "tables": _table,
        "logs": _log,
        "lock files": _lock_file,
        "base64 files": _base64_file,
        "hex dumps": _hex_dump,
        "emoji": _emoji,
        **{language: partial(_language, language) for language in _SYLLABLES},
    }
    for name, draw in drawn.items():
        yield name, _request(draw, size, chance, as_ascii=False)
    for name in ("Russian", "Chinese", "emoji"):
        yield f"{name}, escaped", _request(drawn[name], size, chance, as_ascii=True)


def code_chat(size: int, chance: random.Random) -> bytes:
    """A request as an agent that programs sends it: the standard library's source."""
    return _request(_source, size, chance, as_ascii=True)


def _request(draw: Draw, size: int, chance: random.Random, *, as_ascii: bool) -> bytes:
    messages: list[dict[str, str]] = []
    length = 0
    while length < size:
        content = draw(chance)
        messages.append({"role": "tool", "content": content})
        length += len(json.dumps(content, ensure_ascii=as_ascii).encode())
    body = {"model": "m", "messages": messages}
    return json.dumps(body, ensure_ascii=as_ascii).encode()


def _source(chance: random.Random) -> str:
    files = sorted(Path(json.__file__).parent.parent.glob("*.py"))
    return chance.choice(files).read_text("utf-8")[:FILE]


def _numbered(chance: random.Random) -> str:
    lines = enumerate(_source(chance).splitlines(), start=1)
    return "\n".join(f"{number:>6}\t{line}" for number, line in lines)


def _minified(chance: random.Random) -> str:
    """Source with names of one or two letters and no space that it can do without."""
    short = partial(chance.choices, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL_$", k=1)
    code = re.sub(r"#.*|\n\s*", ";", _source(chance))
    code = re.sub(r"[A-Za-z_]{4,}", lambda _: "".join(short()), code)
    return re.sub(r"\s*([^\w\s])\s*", r"\1", code)


def _diff(chance: random.Random) -> str:
    lines = _source(chance).splitlines()
    head = (
        f"diff --git a/x.py b/x.py\nindex {chance.getrandbits(28):07x}..0000000 100644"
    )
    return "\n".join((head, *(chance.choice("  +-") + line for line in lines)))


def _numbers(chance: random.Random) -> str:
    rows = (
        [f"{chance.gauss(0, 9):.2f}", chance.randrange(9), chance.randrange(10**5)]
        + [chance.randrange(100) for _ in range(9)]
        for _ in range(300)
    )
    return "\n".join(",".join(map(str, row)) for row in rows)


def _table(chance: random.Random) -> str:
    cells = ("x", "-", "ok", "no", "1", "2a", "v3", "yes", "n/a", "")
    rows = (chance.choices(cells, k=12) for _ in range(200))
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _log(chance: random.Random) -> str:
    lines = (
        f"2026-11-0{chance.randrange(1, 9)}T1{chance.randrange(9)}:25:07.123Z INFO "
        f"[worker-{chance.randrange(16)}] 10.0.{chance.randrange(99)}.7 "
        f'"GET /api/v1/items/{chance.randrange(9999)}" 200 {chance.randrange(99)}ms '
        f"{' '.join(chance.choices(_WORDS, k=6))}"
        for _ in range(120)
    )
    return "\n".join(lines)


def _lock_file(chance: random.Random) -> str:
    packages = {}
    for _ in range(40):
        name = "-".join(chance.choices(_WORDS, k=3))
        digest = base64.b64encode(chance.randbytes(64)).decode()
        packages[f"node_modules/{name}"] = {
            "version": f"{chance.randrange(9)}.{chance.randrange(20)}.1",
            "resolved": f"https://registry.npmjs.org/{name}/-/{name}-1.0.1.tgz",
            "integrity": f"sha512-{digest}",
            "license": "MIT",
        }
    return json.dumps({"name": "app", "packages": packages}, indent=2)


def _base64_file(chance: random.Random) -> str:
    return base64.encodebytes(chance.randbytes(FILE * 3 // 4)).decode()


def _hex_dump(chance: random.Random) -> str:
    data = bytes(chance.choices(range(256), k=FILE // 4))
    lines = []
    for start in range(0, len(data), 16):
        row = data[start : start + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{start:08x}  {row[:8].hex(' ')}  {row[8:].hex(' ')}  |{text}|")
    return "\n".join(lines)


def _emoji(chance: random.Random) -> str:
    return " ".join(chance.choices((*_EMOJI, *_WORDS), k=400))


def _language(name: str, chance: random.Random) -> str:
    syllables = _SYLLABLES[name].split()
    lengths = chance.choices(range(1, 5), weights=(1, 4, 4, 1), k=300)
    words = ("".join(chance.choices(syllables, k=length)) for length in lengths)
    return _SPACE.get(name, " ").join(words)
