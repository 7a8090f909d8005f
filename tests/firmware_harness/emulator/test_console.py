import json

import pytest

from deseptr.firmware_harness.emulator.console import parse_console
from deseptr.firmware_harness.emulator.guest import MARK


def lines(*facts: dict[str, object]) -> str:
    return "".join(MARK + json.dumps(fact) + "\r\n" for fact in facts)


WHOLE = (
    lines({"software": {"numpy": "2.4.6"}}, {"clock": {"executed": 200, "counted": 201}}, {"loading": 0})
    + "INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\r\n"
    + lines({"counting": 1}, {"model": 0, "instructions": [10, 12, 11]}, {"done": True})
    + "[    3.94] reboot: Power down\r\n"
)


def test_a_complete_console():
    console = parse_console(WHOLE)
    assert console.counts == {0: [10, 12, 11]}
    assert console.software == {"numpy": "2.4.6"}
    assert console.clock_ratio == pytest.approx(1.005)
    assert (console.loading, console.error, console.done, console.garbled) == (None, None, True, 0)
    assert console.last == "[    3.94] reboot: Power down"


def test_console_cut_anywhere_is_incomplete():
    end = WHOLE.index("}", WHOLE.index("done")) + 1
    for length in range(end):
        console = parse_console(WHOLE[:length])
        assert not console.done
        assert console.counts in ({}, {0: [10, 12, 11]})
        assert console.garbled <= 1


def test_a_machine_that_stops_while_it_loads_names_the_model():
    console = parse_console(lines({"loading": 0}, {"loading": 1}) + "Kernel panic - not syncing: killed init\n\n")
    assert console.loading == 1
    assert console.last == "Kernel panic - not syncing: killed init"


def test_text_before_the_mark_does_not_hide_it():
    assert parse_console("no line end" + lines({"done": True})).done


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[1]",
        "null",
        "7",
        '{"model": 0}',
        '{"model": "x", "instructions": [1]}',
        '{"model": 0, "instructions": []}',
        '{"model": 0, "instructions": [1, "2"]}',
        '{"model": 0, "instructions": [0]}',
        '{"model": 0, "instructions": [true]}',
        f'{{"model": 0, "instructions": [{10**400}]}}',
        "[" * 200_000,
        '{"model": 0, "instructions": 5}',
        '{"clock": {"executed": 0, "counted": 1}}',
        '{"software": []}',
        '{"else": 1}',
        '{"loading": null}',
        "\ufffd\ufffd",
    ],
)
def test_unreadable_lines_are_counted_and_ignored(line: str):
    console = parse_console(f"{MARK}{line}\n{WHOLE}")
    assert console.garbled == 1
    assert console.counts == {0: [10, 12, 11]}
    assert console.done
