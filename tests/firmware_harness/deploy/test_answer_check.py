"""Lines of a board: each is of the expected form, or refused in a few words."""

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from deseptr.firmware_harness.deploy.answer_check import UnfitAnswerError, check, parse_line
from deseptr.firmware_harness.deploy.answers import ANSWERS

FACTS: dict[str, Any] = {
    "machine": "aarch64",
    "kernel_machine": "aarch64",
    "python": [3, 13, 5],
    "executable": "/usr/bin/python3",
    "glibc": "2.41",
    "os": "Debian GNU/Linux 13 (trixie)",
    "board": None,
    "i2c": [{"bus": 1, "usable": True}],
    "free_bytes": 10 << 30,
    "prefix_problem": None,
    "systemd": True,
    "root": False,
    "sudo": True,
    "home": "/home/pi",
    "openblas": False,
    "ssh_keygen": True,
}
INSTALLED: dict[str, Any] = {
    "prefix": "/opt/deseptr",
    "current": "1.0-1",
    "releases": ["1.0-1"],
    "good": ["1.0-1"],
    "trial": None,
    "bad": {"2.0-2": "device doctor: no chip answers"},
}
VALID: dict[str, dict[str, Any]] = {
    "probe": {**FACTS, **INSTALLED},
    "offset": {"offset": 0},
    "receive": {},
    "install": {
        "release": "1.0-1",
        "manifest_build": 1,
        "seen": {"doctor": 0, "windows": 3, "label": "walking"},
        "removed": [],
    },
    "roll_back": {"left": "2.0-2", "release": "1.0-1"},
    "status": {
        **INSTALLED,
        "board": FACTS,
        "service": "active",
        "service_kind": "system",
        "state": {"temperature_c": 51.6, "throttled": 0},
        "says": "walking",
        "signed_only": False,
        "interrupted": False,
    },
    "logs": {"text": "a line\n"},
    "uninstall": {"removed": ["1.0-1"]},
    "measure": {"release": "1.0-1", "board": FACTS, "results": {"profile": {"mean_us": 1.5}}},
}
# May be absent or null in an answer of the same form.
OPTIONAL = {"doctor", "board", "os", "glibc", "current", "trial", "service_kind", "label", "prefix_problem"}
OPTIONAL |= {"state", "says"}

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None), max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
messages = st.dictionaries(st.sampled_from(["say", "result", "refused", "other"]), values, max_size=2)


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(found for key, part in inner for found in paths(part, (*path, key)))]


def changed(value: Any, path: tuple[Any, ...], fresh: Any) -> Any:
    if not path:
        return fresh
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(value[path[0]], path[1:], fresh)
    return copy


def assert_clear(error: UnfitAnswerError) -> None:
    assert error.found
    assert error.expected
    assert len(error.found) < 500


@pytest.mark.parametrize("op", ANSWERS)
def test_valid_answers_pass(op: str):
    result = parse_line(json.dumps({"result": VALID[op]}).encode())["result"]
    check(result, ANSWERS[op], "")
    assert result == VALID[op]


@given(st.binary(max_size=200) | messages.map(lambda message: json.dumps(message).encode()))
def test_any_line_is_a_message_or_refused(line: bytes):
    try:
        message = parse_line(line)
    except UnfitAnswerError as error:
        assert_clear(error)
    else:
        ((kind, value),) = message.items()
        assert kind == "result" or isinstance(value, str if kind == "say" else dict)


@given(st.sampled_from(sorted(ANSWERS)), st.data())
def test_any_change_of_a_type_is_refused_by_its_path(op: str, data: st.DataObject):
    path = data.draw(st.sampled_from(paths(VALID[op])))
    fresh = data.draw(values)
    try:
        check(changed(VALID[op], path, fresh), ANSWERS[op], "")
    except UnfitAnswerError as error:
        assert_clear(error)
        return
    # Accepted: of the same type, or one that may be null, or a figure of no fixed form.
    before = VALID[op]
    for key in path:
        before = before[key]
    number = isinstance(before, float) and isinstance(fresh, int)
    same = type(fresh) is type(before) or number or fresh is None or before is None
    assert same or "results" in path, (path, fresh)


@pytest.mark.parametrize("op", sorted(ANSWERS))
def test_every_missing_field_and_null_is_refused(op: str):
    for field in VALID[op].keys() - OPTIONAL - ({"board"} if op == "probe" else set()):
        rest = {name: value for name, value in VALID[op].items() if name != field}
        with pytest.raises(UnfitAnswerError, match=f"no {field}"):
            check(rest, ANSWERS[op], "")
        with pytest.raises(UnfitAnswerError, match="null"):
            check({**rest, field: None}, ANSWERS[op], "")


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (b'{"result": ' * 5000 + b"1" + b"}" * 5000, "nested too deeply"),
        (b"[" * 200_000, "nested too deeply|\\[\\["),
        (b"[" * 30 + b"]" * 30, "nested too deeply"),
        (b'{"result": 1e999}', "inf"),
        (b'{"result": NaN}', "NaN"),
        (b'{"result": ' + b"9" * 5000 + b"}", "99999"),
        (b'{"result": -9223372036854775809}', "-9223372036854775809"),
        (b'{"say": "\\ud800"}', "ud800"),
        (b'{"say": null}', "null"),
        (b'{"say": "a", "result": 1}', "say"),
        (b'{"refused": {"thing": "x"}}', "no refused.found"),
        (b'{"refused": {"thing": "x", "found": 1, "expected": "", "next_step": ""}}', "1"),
        (b"\xff\xfe", "xff"),
        (b"null", "null"),
        (b"", "''"),
        (json.dumps({"result": list(range(10_001))}).encode(), "10001 entries"),
        (json.dumps({"say": "x" * ((1 << 20) + 1)}).encode(), "text of 1048577 characters"),
    ],
)
def test_each_broken_line_is_described(line: bytes, found: str):
    with pytest.raises(UnfitAnswerError, match=found) as caught:
        parse_line(line)
    assert_clear(caught.value)


@pytest.mark.parametrize("glibc", ["2.x", "2", "; rm", "2.41\n"])
def test_version_of_glibc_is_two_numbers(glibc: str):
    with pytest.raises(UnfitAnswerError, match="as glibc"):
        check({**VALID["probe"], "glibc": glibc}, ANSWERS["probe"], "")
