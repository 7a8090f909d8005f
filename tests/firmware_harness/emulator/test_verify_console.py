import json

import pytest

from deseptr.firmware_harness.emulator.process import Finished
from deseptr.firmware_harness.emulator.verify_console import json_lines, parse_report
from deseptr.firmware_harness.emulator.verify_guest import MARK


def line(**facts):
    return f"{MARK}{json.dumps(facts)}\n"


START = (
    line(linux="6.1.0", python="3.11") + line(adapter="still", number=0) + line(step="doctor", code=0, out="x", err="")
)


def finished(output, errors="", *, timed_out=False):
    return Finished(0, output, errors, timed_out=timed_out)


def test_reports_are_found_among_the_kernels_lines():
    report = parse_report(finished("[    1.0] Booting\n[    2.0] usb: new device " + START + line(done=True)))
    assert report.steps == {"doctor": {"step": "doctor", "code": 0, "out": "x", "err": ""}}
    assert (report.adapters, report.linux, report.ended) == ({"still": 0}, "6.1.0", "")


def test_every_reason_for_an_early_end_is_reported():
    assert parse_report(finished(START)).ended == "an incomplete console"
    assert parse_report(finished(START, timed_out=True)).ended == "the machine was still running at the timeout"
    assert parse_report(finished("", errors="qemu: no such CPU\n")).ended == "qemu: no such CPU"
    assert parse_report(finished(START + line(error="OSError: usbcore: not loaded"))).ended.startswith(
        "OSError: usbcore"
    )


def test_an_unreadable_line_does_not_affect_the_others():
    torn = line(step="run", code=0, out="", err="")[:-9] + "\n" + MARK + "7\n"
    assert set(parse_report(finished(torn + START)).steps) == {"doctor"}


def test_json_lines_are_those_with_objects():
    assert json_lines({"out": '{"a": 1}\nno\n3\n\n{"b": 2}\n'}) == [{"a": 1}, {"b": 2}]


@pytest.mark.parametrize(
    "facts",
    [
        '{"step": ["doctor"]}',
        '{"step": 0.5, "code": 0}',
        '{"adapter": "walking"}',
        '{"adapter": {}, "number": 1}',
        '{"adapter": "walking", "number": null}',
        '{"linux": 6}',
        "[" * 200_000,
    ],
)
def test_a_report_of_another_form_is_ignored(facts: str):
    report = parse_report(finished(START + MARK + facts + "\n" + line(done=True)))
    assert (list(report.steps), report.adapters, report.linux) == (["doctor"], {"still": 0}, "6.1.0")


def test_a_reason_that_is_no_text_is_shown():
    assert parse_report(finished(START + line(error=[1]))).ended == "[1]"
