"""The profile command over a tiny model, and what it shows of figures made up."""

import json
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, strategies as st
from rich.console import Console
from self_contained import check_page

from deseptr.cli.device.profile import profile
from deseptr.cli.device.profile_view import histogram_lines, show_profile
from deseptr.contract import SensorError, SetupError
from deseptr.device import BoardState, Power, Profiler, Throttled, WindowTimes, default_model
from deseptr.device.profile.measure import Profile
from deseptr.device.profile.usage import Memory, WearMeter
from deseptr.report.html.plain_figures import plain_bars, plain_histogram, plain_stack
from deseptr.report.profile_page import profile_page

SWEEP = ("threads", "p50_us", "p95_us", "p99_us", "speedup", "oversubscribed")
MODEL = str(default_model())


@pytest.fixture
def content():
    """The JSON of a profile with every part in it."""
    rng = np.random.default_rng(0)
    profiler = Profiler()
    for invoke in rng.gamma(9, 20_000, 100).astype(int).tolist():
        profiler.record(
            WindowTimes(
                1000, 200, 300, invoke, 400, invoke + 1900, invoke + 90_000_000, deadline_missed=invoke > 400_000
            )
        )
    wear = WearMeter(iter([0.0, 0.5]).__next__)
    wear.label(0.0)
    wear.label(60.0)
    made = Profile(
        profiler,
        {
            "emulated": False, "cpu": "Cortex-A76", "board": "Raspberry Pi 5", "platform": "Linux", "python": "3.11",
            "numpy": "2.4", "engine": "litert <1>", "threads": 1, "model": "tiny", "load_average": 0.0, "processors": 4,
        },
        {"name": "mpu6050", "bus": "/dev/i2c-1", "simulated": False},
        1.28,
        wear,
        Memory(40 << 20, 50 << 20),
        BoardState(temperature_c=41.0, clock_hz=(1_500_000_000,) * 4, throttled=Throttled(0), governor="performance"),
        BoardState(
            temperature_c=52.5, clock_hz=(2_400_000_000,) * 4, throttled=Throttled(0x10001), governor="performance",
            power=Power(3.2, "power chip", "5 V"),
        ),
        real_time=True,
        extras={
            "start": {
                "repeats": 3, "interpreter_ms": 20.0, "import_ms": 100.0, "load_ms": 30.0, "first_inference_ms": 1.0,
                "import_rss_bytes": 30 << 20, "loaded_rss_bytes": 40 << 20, "peak_rss_bytes": 41 << 20,
            },
            "threads": [
                dict(zip(SWEEP, (1, 200.0, 220.0, 300.0, 1.0, False), strict=True)),
                dict(zip(SWEEP, (8, 400.0, 820.0, 1300.0, 0.5, True), strict=True)),
            ],
            "ops": {
                "nodes": [
                    {"op": "CONV_2D", "layer": "a<b;c", "own_us": 30.0, "cumulative_us": 30.0, "difference_us": 30.0},
                    {"op": "ADD", "layer": "d", "own_us": None, "cumulative_us": None, "difference_us": None},
                ],
                "rounds": 60, "runtime": "litert", "kernels": "default", "share_by_op": {"CONV_2D": 1.0, "ADD": 0.0},
            },
            "energy": {
                "idle_w": 2.5, "busy_w": 3.25, "inferences_per_s": 5000.0, "mj_per_inference": 0.15, "mj_error": 0.01,
                "readings": 25, "source": "power chip", "leaves_out": "what is on 5 V",
            },
        },
    )  # fmt: skip
    return json.loads(json.dumps(made.to_dict()))


def terminal(content, width=200):
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    show_profile(content, console)
    return console.export_text()


def test_terminal_has_every_part_and_the_caveats_first(content):
    text = terminal(content)
    assert text.startswith("! the board was held back while this was measured: under-voltage")
    for part in (
        "latency of a window, 100 windows",
        "sensor_to_label",
        "labels later than the next hop: ",
        "processor time of an hour of wear: 30.00 s",
        "memory of this process: 40.0 MiB held, 50.0 MiB at most",
        "cold start, median of 3: 151 ms: Python 20.0, imports 100.0, model 30.0, first inference 1.0",
        "power: 2.500 W at rest, 3.250 W at 5000 inferences a second",
        "energy of an inference: 0.150 ± 0.010 mJ above rest",
        "leaves out what is on 5 V",
        "1500 MHz",
        "2400 MHz",
        "52.5 °C",
        "8 (more than cores)",
        "CONV_2D",
    ):
        assert part in text


def test_page_has_every_part_and_no_link(content):
    page = profile_page(content, "m<1>.tflite")
    assert page.index("The board was held back") < page.index("p50 µs")
    for part in (
        "Threads",
        "Operations",
        "under-voltage",
        "litert &lt;1&gt;",
        "m&lt;1&gt;.tflite",
        "52.5 °C",
        "a&lt;b",
    ):
        assert part in page
    assert page.count("<svg") == 6
    for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        ElementTree.fromstring(svg)
    assert "<script" not in page
    check_page(page)


def emulated(content):
    content["emulated"] = True
    content["caveats"] = ["emulated processor: these durations are the emulator's", *content["caveats"]]
    return content


@pytest.mark.parametrize("show", [terminal, lambda content: profile_page(content, "m.tflite")])
def test_under_emulation_nothing_is_called_a_latency(content, show):
    text = show(emulated(content))
    assert "emulated" in text.lower()
    # The word is only there where it is denied.
    assert not re.search(r"latenc(y|ies)", re.sub(r"no[ -]latenc(y|ies)", "", text))
    assert not re.search(r"(?:p50|p99|max) µs(?! emulated)", text)


@pytest.mark.parametrize("show", [terminal, lambda content: profile_page(content, "m.tflite")])
def test_parts_that_were_not_measured_are_left_out(content, show):
    content |= dict.fromkeys(("start", "threads", "ops", "energy"))
    content["jitter"]["wakeups"] = content["cpu"]["per_hour_s"] = None
    nothing = dict.fromkeys(("model", "temperature_c", "max_clock_hz", "governor", "throttled", "power"))
    content["board"] = {"before": nothing | {"clock_hz": []}, "after": nothing | {"clock_hz": []}}
    text = show(content)
    assert "sensor_to_label" in text
    for part in ("cold start", "threads  ", "Threads", "perations", "governor", "wakes up", "hour of wear", "energy"):
        assert part not in text


def test_a_page_without_caveats_states_that(content):
    page = profile_page(content | {"caveats": []}, "m")
    assert "A real sensor in real time, on a board that was not held back." in page


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=24), st.integers(0, 50))
def test_histogram_lines_have_a_bar_for_each_bin_that_is_not_empty(counts, above):
    lines = histogram_lines({"edges_us": list(range(len(counts) + 1)), "counts": counts, "above": above})
    assert len(lines) == sum(count > 0 for count in counts) + (above > 0)
    assert all("█" in line or "beyond" in line for line in lines)


@given(
    st.lists(st.integers(0, 1000), min_size=1, max_size=30),
    st.floats(0, 1e6),
    st.floats(0.001, 1e6),
    st.dictionaries(st.text("<&p5", min_size=1), st.floats(0, 1e7), max_size=3),
)
def test_pictures_are_svg_whatever_the_figures(counts, low, width, marks):
    edges = np.linspace(low, low + width, len(counts) + 1).tolist()
    bars = [(f"<{number}>", float(count), "&") for number, count in enumerate(counts)]
    stack = {"p50": {"a&b": float(counts[0]), "c": 0.0}, "p99": {"a&b": 0.0, "c": float(counts[-1])}}
    for svg in (plain_histogram(edges, counts, marks, "<µs>"), plain_bars(bars), plain_stack(stack, "µs")):
        root = ElementTree.fromstring(svg)
        for each in root.iter("{http://www.w3.org/2000/svg}rect"):
            assert float(each.get("width")) >= 0
            assert float(each.get("x")) + float(each.get("width")) <= 641


def invoke(*arguments):
    return CliRunner().invoke(profile, [MODEL, "--simulate", "synthetic", *arguments], catch_exceptions=False)


def test_files_are_written_beside_what_is_shown(tmp_path):
    page, figures = tmp_path / "p.html", tmp_path / "p.json"
    result = invoke("--windows", "10", "--cold-starts", "0", "--threads-sweep", "--html", str(page), "-o", str(figures))
    assert result.exit_code == 0
    made = json.loads(figures.read_text())
    assert made["stages"]["invoke"]["count"] == 10
    assert [each["threads"] for each in made["threads"]] == [1, 2, 4]
    assert made["start"] is None
    assert page.read_text().startswith("<!doctype html>")
    assert "simulated bus" in result.stdout


@pytest.mark.parametrize(("option", "content"), [("-o", b'{"mine": 1}'), ("--html", b"<html>mine"), ("--html", b"PK")])
def test_files_of_something_else_are_refused_before_the_sensor_is_touched(tmp_path, option, content):
    (tmp_path / "file").write_bytes(content)
    arguments = [MODEL, "--bus", "4095", "--windows", "1", option, str(tmp_path / "file")]
    with pytest.raises(SetupError, match=rf"file: found something else.*; choose another {option}$"):
        CliRunner().invoke(profile, arguments, catch_exceptions=False)
    assert (tmp_path / "file").read_bytes() == content


def test_own_files_are_replaced(tmp_path):
    files = [tmp_path / "profile.html", tmp_path / "profile.json"]
    for windows in ("2", "3"):
        invoke("--windows", windows, "--cold-starts", "0", "--html", str(files[0]), "-o", str(files[1]))
    assert json.loads(files[1].read_text())["stages"]["invoke"]["count"] == 3


def test_operations_and_start_as_json():
    result = invoke("--windows", "3", "--cold-starts", "1", "--ops", "--json")
    made = json.loads(result.stdout)
    assert made["ops"]["nodes"]
    assert made["start"]["repeats"] == 1
    assert made["model"] == MODEL


def test_a_missing_meter_is_one_line():
    with pytest.raises(SensorError, match=r"/dev/i2c-4095: found no such bus"):
        invoke("--bus", "4095", "--ina219", "0x40")


@pytest.mark.parametrize(
    ("address", "message"), [("0x68", "0x68 is not between 0x40 and 0x4f"), ("x", "is not an address")]
)
def test_an_address_that_no_ina219_has(address, message):
    result = invoke("--ina219", address)
    assert result.exit_code == 2
    assert message in result.stderr
