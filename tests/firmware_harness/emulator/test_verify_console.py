import json

from deseptr.firmware_harness.emulator.process import Finished
from deseptr.firmware_harness.emulator.verify_console import json_lines, parse_said
from deseptr.firmware_harness.emulator.verify_guest import MARK


def line(**facts):
    return f"{MARK}{json.dumps(facts)}\n"


START = (
    line(linux="6.1.0", python="3.11") + line(adapter="still", number=0) + line(step="doctor", code=0, out="x", err="")
)


def finished(output, errors="", *, timed_out=False):
    return Finished(0, output, errors, timed_out=timed_out)


def test_a_whole_console_is_read_among_the_kernels_lines():
    said = parse_said(finished("[    1.0] Booting\n[    2.0] usb: new device " + START + line(done=True)))
    assert said.steps == {"doctor": {"step": "doctor", "code": 0, "out": "x", "err": ""}}
    assert (said.adapters, said.linux, said.ended) == ({"still": 0}, "6.1.0", "")


def test_every_way_not_to_come_to_the_end_is_told():
    assert parse_said(finished(START)).ended == "its console broke off"
    assert parse_said(finished(START, timed_out=True)).ended == "it was still running when its time was over"
    assert parse_said(finished("", errors="qemu: no such CPU\n")).ended == "qemu: no such CPU"
    assert parse_said(finished(START + line(error="OSError: usbcore: not loaded"))).ended.startswith("OSError: usbcore")


def test_a_torn_line_costs_itself_alone():
    torn = line(step="run", code=0, out="", err="")[:-9] + "\n" + MARK + "7\n"
    assert set(parse_said(finished(torn + START)).steps) == {"doctor"}


def test_json_lines_are_those_with_objects():
    assert json_lines({"out": '{"a": 1}\nno\n3\n\n{"b": 2}\n'}) == [{"a": 1}, {"b": 2}]
