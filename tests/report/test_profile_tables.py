"""The tables of a profile, cell by cell, from figures written here by hand."""

from typing import Any

import pytest

from deseptr.report.profile_page import profile_page
from deseptr.report.profile_tables import (
    board_table,
    facts_rows,
    layer_name,
    machine_rows,
    ops_table,
    stages_table,
    threads_table,
    unit,
)


def state(**changes: Any) -> dict[str, Any]:
    return {"temperature_c": None, "clock_hz": [], "governor": None, "throttled": None, "power": None, **changes}


def spread(p50: float, **changes: float) -> dict[str, float]:
    return {"p50_us": p50, "p95_us": 2 * p50, "p99_us": 3 * p50, "max_us": 4 * p50, **changes}


@pytest.fixture
def content() -> dict[str, Any]:
    names = ("read", "resample", "window", "invoke", "decide", "end_to_end", "sensor_to_label")
    return {
        "emulated": False,
        "caveats": ["the sensor was simulated"],
        "stages": {name: spread(100.25 * number) for number, name in enumerate(names, 1)},
        "histogram": {
            "end_to_end": {"edges_us": [0.0, 100.0, 200.0], "counts": [7, 3], "above": 2},
            "sensor_to_label": {"edges_us": [], "counts": [], "above": 0},
        },
        "deadlines": {"missed": 3, "windows": 200, "share": 0.015, "hop_ms": 1280.0},
        "jitter": {"wakeups": spread(12.5), "labels": spread(1000.0)},
        "cpu": {"per_hour_s": 30.125, "simulation_included": True},
        "memory": {"rss_bytes": 40 << 20, "peak_rss_bytes": 3 << 19},
        "start": {
            "repeats": 3,
            "interpreter_ms": 20.25,
            "import_ms": 100.0,
            "load_ms": 30.5,
            "first_inference_ms": 1.0,
            "import_rss_bytes": 30 << 20,
            "loaded_rss_bytes": 40 << 20,
            "peak_rss_bytes": 41 << 20,
        },
        "energy": {
            "idle_w": 2.5,
            "busy_w": 3.25,
            "inferences_per_s": 4999.6,
            "mj_per_inference": 0.15,
            "mj_error": 0.0125,
            "readings": 25,
            "source": "power chip",
            "leaves_out": "what is on 5 V",
        },
        "threads": [
            {"threads": 1, **spread(1200.0), "speedup": 1.0, "oversubscribed": False},
            {"threads": 8, **spread(400.0), "speedup": 3.0, "oversubscribed": True},
        ],
        "ops": {
            "nodes": [
                {"op": "ADD", "layer": "a;b", "own_us": None, "cumulative_us": None},
                {"op": "CONV_2D", "layer": "c" * 50, "own_us": 1030.0, "cumulative_us": 1030.04},
            ],
            "rounds": 60,
            "runtime": "litert",
            "kernels": "default",
            "share_by_op": {"CONV_2D": 1.0, "ADD": 0.0},
        },
        "board": {
            "before": state(
                temperature_c=41.0,
                clock_hz=[1_500_000_000, 1_500_000_000, 600_000_000],
                governor="performance",
                throttled={"now": [], "since_boot": ["hot", "slow"]},
            ),
            "after": state(temperature_c=52.54, power={"watts": 3.2, "source": "power chip"}),
        },
        "machine": {
            "cpu": "Cortex-A76",
            "board": None,
            "platform": "Linux",
            "engine": "litert 2",
            "threads": 1,
            "model": "tiny",
            "python": "3.11",
            "numpy": "2.4",
        },
        "sensor": {"name": "mpu6050", "bus": "/dev/i2c-1", "simulated": True},
    }


def test_stages(content: dict[str, Any]):
    head, rows = stages_table(content)
    assert head == ["stage", "what", "p50 µs", "p95 µs", "p99 µs", "max µs"]
    assert rows[0] == ["read", "drain of the FIFO", "100.2", "200.5", "300.8", "401.0"]
    assert rows[6] == ["sensor_to_label", "sample to label", "701.8", "1,403.5", "2,105.2", "2,807.0"]


def test_facts(content: dict[str, Any]):
    assert facts_rows(content) == [
        ["labels later than the next hop", "3 of 200 (1.5%); a hop is 1280 ms"],
        ["poll wakes up late by", "p50 12.5, p99 37.5, max 50.0 µs"],
        ["interval between labels is off by", "p50 1,000.0, p99 3,000.0, max 4,000.0 µs"],
        ["processor time of an hour of wear", "30.12 s, the simulated sensor's included"],
        ["memory of this process", "40.0 MiB held, 1.5 MiB at most"],
        [
            "cold start, median of 3",
            "152 ms: Python 20.2, imports 100.0, model 30.5, first inference 1.0",
        ],
        ["memory of a fresh process", "30.0 MiB after imports, 40.0 MiB with the model, 41.0 MiB at most"],
        ["power", "2.500 W at rest, 3.250 W at 5000 inferences a second"],
        ["energy of an inference", "0.150 ± 0.013 mJ above rest, 25 readings of each"],
        ["measured by", "power chip; leaves out what is on 5 V"],
    ]


def test_facts_that_were_not_measured_are_left_out(content: dict[str, Any]):
    content["jitter"]["wakeups"] = content["cpu"]["per_hour_s"] = content["start"] = content["energy"] = None
    assert [name for name, _ in facts_rows(content)] == [
        "labels later than the next hop",
        "interval between labels is off by",
        "memory of this process",
    ]


def test_emulated_times_are_called_so(content: dict[str, Any]):
    content |= {"emulated": True}
    content["cpu"]["simulation_included"] = False
    facts = dict(map(tuple, facts_rows(content)))
    assert facts["processor time of an hour of wear"] == "30.12 s emulated"
    assert facts["cold start, median of 3"].startswith("152 ms emulated: ")
    assert unit(content) == "µs emulated"
    assert machine_rows(content)[0] == ["processor", "Cortex-A76 (EMULATED)"]


def test_threads(content: dict[str, Any]):
    assert threads_table(content) == (
        ["threads", "p50 µs", "p95 µs", "p99 µs", "speedup"],
        [
            ["1", "1,200.0", "2,400.0", "3,600.0", "1.00"],
            ["8 (more than cores)", "400.0", "800.0", "1,200.0", "3.00"],
        ],
    )
    assert threads_table({**content, "threads": None})[1] == []


def test_operations(content: dict[str, Any]):
    assert ops_table(content) == (
        ["#", "operation", "layer", "own µs", "up to it µs"],
        [["0", "ADD", "a", "–", "–"], ["1", "CONV_2D", "c" * 40, "1,030.0", "1,030.0"]],
    )
    assert ops_table({**content, "ops": None})[1] == []
    assert layer_name({"layer": "conv/relu;conv/bias"}, 4) == "relu"


def test_board_has_what_is_known_of_it(content: dict[str, Any]):
    assert board_table(content) == (
        ["board", "before", "after"],
        [
            ["temperature", "41.0 °C", "52.5 °C"],
            ["clock", "1500, 600 MHz", ""],
            ["governor", "performance", ""],
            ["held back now", "no", ""],
            ["held back since boot", "hot, slow", ""],
            ["power", "", "3.20 W (power chip)"],
        ],
    )
    assert board_table({"board": {"before": state(), "after": state()}})[1] == []


def test_machine(content: dict[str, Any]):
    assert machine_rows(content) == [
        ["processor", "Cortex-A76"],
        ["system", "Linux"],
        ["engine", "litert 2, 1 thread(s)"],
        ["model", "tiny"],
        ["sensor", "mpu6050 on /dev/i2c-1, simulated"],
        ["Python, numpy", "3.11, 2.4"],
    ]


def test_page(content: dict[str, Any]):
    page = profile_page(content, "tiny.tflite")
    assert "<h1>deseptr: profile of tiny.tflite</h1>" in page
    assert '<p class="note">200 windows, on the machine named below and no other.</p>' in page
    assert "<ul><li>The sensor was simulated.</li>" in page
    assert (
        "<figcaption>Windows by time from start of the read to the label; "
        "2 windows lie beyond, the last at 2,406 µs "
        '<a class="csv" download="windows-by-time-from-start-of-the-read-to-the-label-2-window.csv" '
        'href="data:text/csv;charset=utf-8,%22from,%20%C2%B5s%22,%22to,%20%C2%B5s%22,windows%0D%0A'
        '0.0,100.0,7%0D%0A100.0,200.0,3%0D%0A"'
    ) in page
    assert "last sample to the label" not in page
    # The slowest first, with their names cut to 28 letters; not timed counts as nothing.
    longest = page[page.index("<figcaption>Share of the time of each kind of operation") :]
    assert longest.index(f">CONV_2D {'c' * 28}<") < longest.index(">ADD a<")
    assert longest.count(">1,030.0<") == 3
    assert ">0.0<" in longest
    for picture in (">1 thread<", ">1,200.0<", ">100.0%<", ">p50 602 →<"):
        assert picture in page


def test_page_of_an_emulated_run_without_caveats_or_parts(content: dict[str, Any]):
    content |= {"emulated": True, "caveats": [], "threads": None, "ops": None}
    content["board"] = {"before": state(), "after": state()}
    content["histogram"]["end_to_end"]["above"] = 0
    page = profile_page(content, "tiny.tflite")
    assert "200 windows, EMULATED: no latencies of a device." in page
    headings = [part.partition("</h2>")[0] for part in page.split("<h2>")[1:]]
    assert headings == ["Stages", "From sensor to label", "Cost", "Measured on"]
    assert "<figcaption>Windows by time from start of the read to the label <a" in page


def test_page_names_the_twenty_slowest_operations(content: dict[str, Any]):
    nodes = [{"op": "ADD", "layer": f"n{i}", "own_us": float(i), "cumulative_us": None} for i in range(1, 23)]
    content["ops"]["nodes"] = nodes
    page = profile_page(content, "m")
    bars = page[: page.index("<figcaption>The operations that take longest")]
    assert ">ADD n3<" in bars
    assert ">ADD n2<" not in bars
