import math

import pytest
from hypothesis import example, given, strategies as st

from deseptr.contract import DataError
from deseptr.device.recorder import Activity, check_name, read_protocol, session_steps, settled

PROTOCOL = """
prepare_s = 4
rest_s = 2
repeats = 2
[[activity]]
label = " walking "
seconds = 60
instruction = "Walk \\n about."
[[activity]]
label = "sitting"
seconds = 30.5
prepare_s = 0
repeats = 2
"""


def test_protocol(tmp_path):
    path = tmp_path / "session.toml"
    path.write_text(PROTOCOL)
    steps = read_protocol(path)
    walking = [("prepare", "walking", 4), ("activity", "walking", 60), ("rest", "walking", 2)]
    sitting = [("activity", "sitting", 30.5), ("rest", "sitting", 2)]
    once = [*walking, *sitting, *sitting]
    assert [(step.kind, step.label, step.seconds) for step in steps] == [*once, *once][:-1]
    assert steps[0].instruction == steps[1].instruction == "Walk about."


def test_one_activity_without_end():
    steps = session_steps((Activity("walking", math.inf, prepare_s=0, rest_s=5),))
    assert [(step.kind, step.seconds) for step in steps] == [("activity", math.inf)]


@pytest.mark.parametrize(("prepare_s", "expected"), [(0, [3, 9]), (0.5, [3, 9]), (5, [5, 9])])
def test_first_countdown_is_long_enough_for_the_rate(prepare_s, expected):
    steps = settled(session_steps((Activity("walking", 9, prepare_s=prepare_s),)))
    assert [step.seconds for step in steps] == expected
    assert [step.kind for step in steps] == ["prepare", "activity"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", ": activity: found none, expected at least one table"),
        ("activity = 3", ": activity: found 3, expected at least one table"),
        ("activity = [1]", r": activity: found \[1\], expected at least one table"),
        ("[[activity]]\nseconds = 3", ", activity 1: label: found none"),
        ("[[activity]]\nlabel = 'a'", ", activity 1: seconds: found none"),
        ("[[activity]]\nlabel = 3\nseconds = 3", ", activity 1: label: found 3, expected a text"),
        ("[[activity]]\nlabel = ' '\nseconds = 3", "expected a name of printable characters"),
        ("[[activity]]\nlabel = 'a'\nseconds = 0", ", activity 1: seconds: found 0, expected positive seconds"),
        ("[[activity]]\nlabel = 'a'\nseconds = inf", "found seconds: the number inf, beyond"),
        ("[[activity]]\nlabel = 'a'\nseconds = true", "seconds: found True, expected positive seconds"),
        ("[[activity]]\nlabel = 'a'\nseconds = 1\nrest_s = -1", "rest_s: found -1, expected no negative seconds"),
        ("[[activity]]\nlabel = 'a'\nseconds = 1\nrepeats = 0", "repeats: found 0, expected a whole number"),
        ("[[activity]]\nlabel = 'a'\nseconds = 1\npause = 0", "activity 1: pause: found an unknown key, expected some"),
        ("rest = 1\n[[activity]]\nlabel = 'a'\nseconds = 1", "toml: rest: found an unknown key"),
        ("[[activity]\n", "expected a protocol in TOML"),
        ("\udcff", "expected a protocol in TOML"),
    ],
)
def test_bad_protocols_are_one_line(tmp_path, content, message):
    path = tmp_path / "session.toml"
    path.write_text(content, errors="surrogateescape")
    with pytest.raises(DataError, match=message) as caught:
        read_protocol(path)
    assert "session.toml" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_no_such_protocol(tmp_path):
    with pytest.raises(DataError, match="found No such file or directory"):
        read_protocol(tmp_path / "none.toml")


@given(st.text())
@example("0" * 200)
@example("0" * 201)
def test_a_name_that_is_empty_unprintable_or_long_is_refused(name):
    wanted = name.strip()
    if wanted and wanted.isprintable() and len(wanted) <= 200:
        assert check_name("--label", name) == wanted
    else:
        with pytest.raises(DataError, match=r"; choose another name$"):
            check_name("--label", name)
