"""Values that are changed but can be read, or turned back by anybody."""

from __future__ import annotations

import base64
import codecs
import json
import random
import string
import textwrap
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from letsbe.testing import FakeSecrets
from letsbe_redactor_registry.engines import installed_engines
from letsbe_redactor_registry.layer import RegistryLayer
from letsbe_redactor_registry.signs import signs_for

CYRILLIC = str.maketrans("HTcx", "НТсх")  # noqa: RUF001 - that is the point
VALUE = "nxT9-4bQw7/rZk2+Lm8vHc3uRt"


def full_width(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def bold(text: str) -> str:
    bold_letters = {ord(c): 0x1D41A + n for n, c in enumerate(string.ascii_lowercase)}
    bold_letters |= {ord(c): 0x1D400 + n for n, c in enumerate(string.ascii_uppercase)}
    return text.translate(bold_letters)


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


DISGUISES: dict[str, Callable[[str], str]] = {
    "upper case": str.upper,
    "lower case": str.lower,
    "swapped case": str.swapcase,
    "zero-width spaces": "\u200b".join,
    "zero-width joiners": "\u200d".join,
    "soft hyphens": "\u00ad".join,
    "byte order mark": lambda text: text[:9] + "\ufeff" + text[9:],
    "tag characters": lambda text: text[:9] + "\U000e0041" + text[9:],
    "spaces": " ".join,
    "no-break spaces": "\u00a0".join,
    "ideographic spaces": "\u3000".join,
    "wrapped": lambda text: "\n".join(textwrap.wrap(text, 8)),
    "wrapped and indented": lambda text: "\r\n    ".join(textwrap.wrap(text, 8)),
    "dashes": "-".join,
    "full width": full_width,
    "bold": bold,
    "reversed": lambda text: text[::-1],
    "wrapped base64": lambda text: "\n".join(textwrap.wrap(base64_of(text), 10)),
    "spaced base64": lambda text: " ".join(base64_of(text)),
    "hex with spaces": lambda text: text.encode().hex(" "),
    "hex with colons": lambda text: text.encode().hex(":").upper(),
    "hex as Python": lambda text: "".join(f"\\x{b:02x}" for b in text.encode()),
    "hex as C": lambda text: ", ".join(f"0x{b:02X}" for b in text.encode()),
    "escaped": lambda text: "".join(f"\\u{ord(c):04x}" for c in text),
    "HTML references": lambda text: "".join(f"&#x{ord(c):x};" for c in text),
    "decimal references": lambda text: "".join(f"&#{ord(c)};" for c in text),
    "octal escapes": lambda text: "".join(f"\\{ord(c):03o}" for c in text),
    "escapes in braces": lambda text: "".join(f"\\u{{{ord(c):x}}}" for c in text),
    "quoted-printable": lambda text: "".join(f"={b:02X}" for b in text.encode()),
    "percent twice": lambda text: "".join(f"%25{b:02x}" for b in text.encode()),
    "code points": lambda text: " ".join(f"U+{ord(c):04X}" for c in text),
    "hex of mixed case": lambda text: text.encode().hex().title(),
    "hex in fours": lambda text: text.encode().hex(" ", -2),
    "array of bytes": lambda text: ", ".join(map(str, text.encode())),
    "base32": lambda text: base64.b32encode(text.encode()).decode(),
    "reversed and upper": lambda text: text[::-1].upper(),
    "reversed base64": lambda text: base64_of(text)[::-1],
    "reversed hex": lambda text: text.encode().hex()[::-1],
    "rot13": lambda text: codecs.encode(text, "rot13"),
    "base64 of hex": lambda text: base64_of(text.encode().hex()),
    "hex of base64": lambda text: base64_of(text).encode().hex(),
    "base64 of UTF-16": lambda text: base64.b64encode(
        text.encode("utf-16-le")
    ).decode(),
    "numbered lines": lambda text: "\n".join(
        f"{n:>3}\t{line}" for n, line in enumerate(textwrap.wrap(text, 12), 7)
    ).lstrip(" 7\t"),
    "quoted lines": lambda text: "\n> ".join(textwrap.wrap(text, 12)),
    "lines of HTML": lambda text: "<br>".join(textwrap.wrap(text, 12)),
    "Cyrillic letters": lambda text: text.translate(CYRILLIC),
    "two not seen": "\u200c\u200d".join,
}


@pytest.fixture(scope="module", params=list(installed_engines()))
def layer(request: pytest.FixtureRequest) -> RegistryLayer:
    secrets = FakeSecrets({"token": VALUE, "word": "Production2024", "pin": "904512"})
    return RegistryLayer(secrets, request.param)


@pytest.mark.parametrize("disguise", DISGUISES)
@pytest.mark.parametrize("in_json", [False, True])
@pytest.mark.parametrize("ascii_only", [False, True])
def test_disguised_values_are_found(
    layer: RegistryLayer, disguise: str, in_json: bool, ascii_only: bool
) -> None:
    hidden = DISGUISES[disguise](VALUE)
    before, after = "é — before: <", "> after"
    text = before + hidden + after
    if in_json:
        text = json.dumps(text, ensure_ascii=ascii_only)
        hidden = json.dumps(hidden, ensure_ascii=ascii_only)[1:-1]
    data, inner = text.encode(), hidden.encode()
    findings = layer.find(data)
    assert {finding.name for finding in findings} == {"token"}
    marked = bytearray(data)
    for finding in findings:
        marked[finding.start : finding.end] = b"*" * (finding.end - finding.start)
    begin = data.index(inner)
    assert marked[:begin] == data[:begin]
    assert marked[begin + len(inner) :] == data[begin + len(inner) :]
    left = bytes(marked).replace(b"*", b"")[begin : len(data) - len(inner)]
    # What stands around the first and last letter may stay, and base64's last ones.
    assert len(marked[begin : begin + len(inner)].replace(b"*", b"")) <= 14, left


HARMLESS = [
    "Production 2024",
    "production-2024 went well",
    "PRODUCTION2024",
    "90 45 12",
    "nxT9 is a name, 4bQw7 another",
    "the rain in spain " * 20,
    "",
    "\x00",
    "\u200b\u200b\u3000\uff21\uff22\uff23\u2460\u2461 \ufdfa",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_ordinary_text_is_left_alone(layer: RegistryLayer, text: str) -> None:
    assert layer.find(text.encode()) == []


@pytest.mark.parametrize("disguise", ["upper case", "zero-width spaces", "wrapped"])
def test_a_short_value_of_both_cases_is_found(disguise: str) -> None:
    short = "qZkWfBvLmHsYp4"
    layer = RegistryLayer(FakeSecrets({"token": short}), "pyahocorasick")
    text = f"it is {DISGUISES[disguise](short)} now".encode()

    (found,) = layer.find(text)

    assert text[found.start : found.end] == DISGUISES[disguise](short).encode()


@given(st.text(), st.text(), st.sampled_from(sorted(DISGUISES)), st.randoms())
def test_any_random_value_in_any_disguise(
    before: str, after: str, disguise: str, chance: random.Random
) -> None:
    letters = string.ascii_letters + string.digits
    value = "".join(chance.choices(letters, k=chance.randint(20, 60)))
    before = before.encode("utf-8", "ignore").decode() + " "
    after = " " + after.encode("utf-8", "ignore").decode()
    layer = RegistryLayer(FakeSecrets({"token": value}), "pyahocorasick")
    data = (before + DISGUISES[disguise](value) + after).encode()
    findings = layer.find(data)
    assert findings
    # Nothing outside of the value's place, and whole characters.
    start, end = len(before.encode()), len(data) - len(after.encode())
    for finding in findings:
        assert start <= finding.start < finding.end <= end
        data[: finding.start].decode()
        data[finding.start : finding.end].decode()


@given(st.binary())
def test_any_bytes_are_taken(data: bytes) -> None:
    layer = RegistryLayer(FakeSecrets({"token": VALUE}), "pyahocorasick")
    assert layer.find(data) == []
    text = data + b"\n" + VALUE.swapcase().encode() + b"\n" + data
    assert layer.find(text)


def test_offsets_far_into_a_long_text(layer: RegistryLayer) -> None:
    padding = "some — ordinary words, and more\n" * 3000
    data = f"{padding}{VALUE.swapcase()}{padding}".encode()
    start = len(padding.encode())
    assert [f[:2] for f in layer.find(data)] == [(start, start + len(VALUE))]


def test_what_is_found_does_not_depend_on_what_stands_elsewhere(
    layer: RegistryLayer,
) -> None:
    # In disguise, but with no sign of it that is looked for; a sign near it adds none.
    quiet = f"{VALUE[:9]} {VALUE[9:11]} {VALUE[11:13]} {VALUE[13:15]}"
    sign = " \\x41\\x42\\x43 n x T 9 4 b Q w 7 r Z k 2 "
    alone = [f[2:] for f in layer.find(quiet.encode())]
    beside = [f[2:] for f in layer.find(f"{quiet}{sign}{quiet}".encode())]
    assert alone * 2 == beside


def test_engines_find_the_same_in_disguise() -> None:
    chance = random.Random(11)
    letters = string.ascii_letters + string.digits + "-_/+"
    values = [
        "".join(chance.choices(letters, k=chance.randint(8, 60))) for _ in "x" * 80
    ]
    secrets = FakeSecrets({f"s{n}": value for n, value in enumerate(values)})
    pieces = []
    for _ in range(600):
        hidden = DISGUISES[chance.choice(list(DISGUISES))](chance.choice(values))
        cut = chance.choice([len(hidden), len(hidden), len(hidden) * 2 // 3])
        pieces.append(hidden[:cut])
    for text in (" ".join(pieces), json.dumps(pieces)):
        found = [
            sorted(RegistryLayer(secrets, engine).find(text.encode()))
            for engine in installed_engines()
        ]
        assert len(found[0]) > 300
        assert all(other == found[0] for other in found)


@given(
    st.binary(max_size=80), st.binary(max_size=80), st.sampled_from(sorted(DISGUISES))
)
@settings(deadline=None)  # the first look compiles them
def test_signs_of_every_engine_agree(
    before: bytes, after: bytes, disguise: str
) -> None:
    text = before + DISGUISES[disguise](VALUE).encode() + after
    seen = {engine: signs_for(engine).seen(text) for engine in installed_engines()}
    # Hyperscan may see more, never less.
    assert seen.get("hyperscan", True) or not any(seen.values())


@pytest.mark.parametrize(
    "text",
    [
        "Сервер не отвечает, проверьте настройки и ключ доступа.",
        "请检查服务器的配置文件，然后重新连接数据库。",  # noqa: RUF001 - it is Chinese
        "Où ça ? L'été, là où il a été : à côté d'où on l'a vu.",
        "Tôi là một kỹ sư và tôi ở Hà Nội, đã lâu tôi có về Huế ở đó.",
        "👩\u200d💻 ❤️ 👍🏽 🏳️\u200d🌈 1️⃣ ok ⚠️ it is",
    ],
)
@pytest.mark.parametrize("ascii_only", [False, True])
def test_other_alphabets_and_emoji_are_no_signs(text: str, ascii_only: bool) -> None:
    data = json.dumps({"text": text * 9}, ensure_ascii=ascii_only).encode()
    for engine in installed_engines():
        assert not signs_for(engine).seen(data), engine


@pytest.mark.parametrize("between", ["\u200b", "\ufe0f", "\u200c\u200d", "\U000e0041"])
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_a_letter_between_is_seen_in_escapes(between: str, depth: int) -> None:
    text = f"it is 👍🏽 kV7p{between}Q2xW"
    for _ in range(depth):
        text = json.dumps(text)
    for engine in installed_engines():
        assert signs_for(engine).seen(text.encode()), engine


@pytest.mark.parametrize(
    "sign",
    [
        b" a 7 c 9 e f 3 h i", b"\\\\x4e\\\\x4f\\\\x50", b"0x4e 0x4f 0x50",
        b"&#x4e;&#x4f;&#x50;",
        b"\\n7aB3xx\\n9zz", b"\n7aB3xx\n9zz", b"%4E%4F%50", b"U+004E U+004F U+0050",
    ],
)  # fmt: skip
@pytest.mark.parametrize("ends", [b"", b"\\nwhat was said here\\n" * 40])
def test_signs_are_seen_in_the_chunk_where_they_stand(sign: bytes, ends: bytes) -> None:
    size = 4096
    prose = (b"it is to be said at an end of it, that " * 30 + ends) * 9
    words = b" as it is to go on so we do in an ok way "
    for place in (0, 5000, 3 * size - len(words) - 3):
        text = prose[:place] + words + sign + b" " + prose[place:]
        number = (place + len(words)) // size
        for engine in installed_engines():
            chunks = signs_for(engine).chunks(text, size)
            assert number in chunks, engine
            assert chunks <= {number - 1, number, number + 1}, engine


@pytest.mark.parametrize("engine", installed_engines())
def test_a_broken_value_is_found_between_long_stretches_without_breaks(
    engine: str,
) -> None:
    layer = RegistryLayer(FakeSecrets({"key": VALUE}), engine)
    blank = b"z" * 90_000
    broken = VALUE[:11].encode() + b"\\n" + VALUE[11:].encode()
    for before, after in ((blank, blank), (b"", blank), (blank, b"")):
        text = before + b" " + broken + b" " + after
        found = sorted(layer.find(text))
        assert [(f.start, f.end) for f in found] == [
            (len(before) + 1, len(before) + 1 + len(broken))
        ]
