"""Changes of valid inputs: of bytes, of texts, of values in JSON, TOML and CSV, and of the members of zip archives."""

from __future__ import annotations

import io
import json
import random
import re
import struct
import zipfile
from collections.abc import Callable
from typing import Any

Mutator = Callable[[random.Random, bytes], bytes]

# What parsers of numbers, names and lists trip over.
TEXTS = (
    *(
        "",
        " ",
        "0",
        "-1",
        "1e308",
        "1e-320",
        "nan",
        "inf",
        "-inf",
        "1e999",
        "9" * 400,
        "0x10",
        "1_000",
        "٣",
        "½",
        "1,5",
    ),
    *(
        "true",
        "null",
        "None",
        "[]",
        "{}",
        "\x00",
        "\x1b]0;title\x07",
        "\x1b[2J",
        "\u202e",
        "\ud800",
        "é" * 5000,
        "a" * 100_000,
    ),
    *(
        "1-1000000000",
        "5-1",
        ",,,",
        "1,1,1",
        "a=b",
        "..",
        "/",
        "/dev/null",
        "-",
        "--",
        "%s%n",
        "{0}",
        "../../etc",
        "\r\n",
        "\t",
    ),
    *(str(2**31), str(2**63), str(-(2**63) - 1), str(2**1024), "1" * 5000, "0.1" * 9, "synthetic:subjects=1000000000"),
)
_TOML_VALUES = (
    *("nan", "inf", "-inf", "1e308", "-1", "0", "9223372036854775807", "9" * 30, '""', '"\\u001b]0;x\\u0007"', "true"),
    *("[]", "[[[[[]]]]]", "[1, 2]", "{}", "{a = {b = {c = 1}}}", '"' + "a" * 50_000 + '"', "1979-05-27", '["a"]'),
    *("[" * 1000, "[" * 3000 + "]" * 3000, "[" * 200 + "]" * 200),
)
_JSON_VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 2**63, 10**400, 1e308, float("nan"), float("inf"), "", "\x1b]0;x\x07", "a" * 50_000, [], {}),
    "<script>alert(1)</script>",
    *([[[[]]]], {"a": {"b": 1}}, [None], ["a", 1], "1", 0.5, [1e308], [-1], [10**30]),
)
_INTS = (0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def of_bytes(rng: random.Random, content: bytes) -> bytes:
    """A few random changes of bytes: flips, numbers, pieces cut out, doubled, or moved."""
    made = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 4, 16))):
        at = rng.randrange(len(made) + 1)
        length = rng.choice((1, 2, 4, 16, 256, 4096))
        kind = rng.randrange(7)
        if kind == 0 and at < len(made):
            made[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            made[at : at + length] = rng.randbytes(min(length, 64))
        elif kind == 2:
            made[at : at + 4] = struct.pack(rng.choice("<>") + "I", rng.choice(_INTS))
        elif kind == 3:
            del made[at : at + length]
        elif kind == 4:
            made[at:at] = made[at : at + length] * rng.choice((1, 1, 50))
        elif kind == 5:
            del made[at:]
        else:
            made[at:at] = rng.choice(TEXTS).encode("utf-8", "surrogatepass")[:2000]
    return bytes(made)


def of_text(rng: random.Random, content: bytes) -> bytes:
    """A text of the list, or one put into the valid one in place of a word or number."""
    text = content.decode("utf-8", "replace")
    words = list(re.finditer(r"[\w.+-]+", text))
    value = rng.choice(TEXTS)
    if not words or rng.random() < 0.3:
        return value.encode("utf-8", "surrogatepass")
    word = rng.choice(words)
    return (text[: word.start()] + value + text[word.end() :]).encode("utf-8", "surrogatepass")


def of_json(rng: random.Random, content: bytes) -> bytes:
    """One value replaced, removed or repeated under another key; sometimes nested too deeply, or changed as bytes."""
    if rng.random() < 0.2:
        return of_bytes(rng, content)
    if rng.random() < 0.03:
        return b"[" * rng.choice((500, 20_000, 200_000))
    tree = json.loads(content)
    holders = list(_holders(tree))
    if holders:
        holder, key = rng.choice(holders)
        kind = rng.randrange(5)
        if kind == 0 and isinstance(holder, dict):
            del holder[key]
        elif kind == 1 and isinstance(holder, dict):
            holder[rng.choice(("", "a" * 5000, "\x1b[2J", f"{key} ", "format"))] = holder[key]
        elif kind == 2 and isinstance(holder, list):
            holder[key:key] = [holder[key]] * rng.choice((1, 1000))
        else:
            holder[key] = rng.choice(_JSON_VALUES)
    return json.dumps(tree).encode()


def parsed(content: bytes) -> Any:
    """The JSON in an input of a target that takes values; None of an input that is none."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _holders(tree: Any) -> Any:
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield tree, key
        yield from _holders(value)


def of_toml(rng: random.Random, content: bytes) -> bytes:
    """A line's value replaced, a line dropped, doubled or moved; sometimes changed as bytes."""
    if rng.random() < 0.2:
        return of_bytes(rng, content)
    lines = content.decode().splitlines()
    at = rng.randrange(len(lines))
    kind = rng.randrange(6)
    if kind == 0:
        del lines[at]
    elif kind == 1:
        lines[at:at] = [lines[at]]
    elif kind == 2:
        lines.insert(rng.randrange(len(lines) + 1), lines.pop(at))
    else:
        key, equals, _ = lines[at].partition("=")
        lines[at] = f"{key}{equals or '='} {rng.choice(_TOML_VALUES)}"
    return "\n".join(lines).encode()


def of_csv(rng: random.Random, content: bytes) -> bytes:
    """A cell, a line or the header changed; sometimes changed as bytes."""
    if rng.random() < 0.2:
        return of_bytes(rng, content)
    lines = content.decode().splitlines()
    at = rng.choice((0, rng.randrange(len(lines))))
    cells = lines[at].split(",")
    kind = rng.randrange(6)
    if kind == 0:
        cells.pop(rng.randrange(len(cells)))
    elif kind == 1:
        cells.append(rng.choice(TEXTS))
    elif kind == 2:
        lines[at:at] = [lines[at]] * rng.choice((1, 3))
    elif kind == 3:
        lines[at] = rng.choice(TEXTS)
    if kind in (0, 1) or kind >= 4:
        if kind >= 4:
            cells[rng.randrange(len(cells))] = rng.choice(TEXTS)
        lines[at] = ",".join(cells)
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def of_members(of_member: Mutator) -> Mutator:
    """A member of a zip archive changed, dropped, renamed or made a bomb; sometimes the archive's own bytes."""

    def mutate(rng: random.Random, content: bytes) -> bytes:
        if rng.random() < 0.25:
            return of_bytes(rng, content)
        members = _members(content)
        name = rng.choice(sorted(members))
        kind = rng.randrange(8)
        if kind == 0:
            del members[name]
        elif kind == 1:
            members[rng.choice(("", "../x", "a" * 300, name + "\x1b[2J"))] = members.pop(name)
        elif kind == 2:
            members[name] = b"\0" * rng.choice((10**6, 2 * 10**7))
        elif name.endswith(".npy"):
            members[name] = _npy(rng, members[name])
        else:
            members[name] = of_member(rng, members[name])
        return _zipped(members, rng)

    return mutate


def _npy(rng: random.Random, content: bytes) -> bytes:
    """The header's shape, type or order changed, or the array's values."""
    if rng.random() < 0.3:
        return of_bytes(rng, content)
    end = content.index(b"\n") + 1
    header, body = content[:end].decode("latin1"), content[end:]
    choices = (
        (r"\([^)]*\)", ("(1000000000000,)", "(-1,)", "(0,)", "()", "(2, 3, 4)", "(9999999, 9999999)", "(1,)*9")),
        (
            r"'descr': '[^']*'",
            ("'descr': '|O'", "'descr': '<f8'", "'descr': '<U9'", "'descr': 'M8[s]'", "'descr': '>c16'"),
        ),
        (r"False|True", ("True", "None", "False")),
    )
    pattern, values = rng.choice(choices)
    value = rng.choice(values)
    changed = re.sub(pattern, lambda _: value, header, count=1)
    magic, text = changed[:10], changed[10:].rstrip("\n ")
    if rng.random() < 0.3 and len(body) >= 8:
        body = struct.pack("<d", rng.choice((float("nan"), float("inf"), 1e308))) * (len(body) // 8)
    padded = text.ljust(len(header) - 11)
    length = struct.pack("<H", len(padded) + 1).decode("latin1")
    return (magic[:8] + length + padded + "\n").encode("latin1") + body


def _members(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _zipped(members: dict[str, bytes], rng: random.Random) -> bytes:
    buffer = io.BytesIO()
    method = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2))
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return buffer.getvalue()
