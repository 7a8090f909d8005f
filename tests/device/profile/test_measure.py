from dataclasses import replace
from itertools import count

import pytest

from deseptr.contract import SensorError, SetupError
from deseptr.device import BoardState, Extra, SystemClock, Throttled, describe_machine, profile_model
from deseptr.firmware_harness.simulator import ConstantSource, simulated_session
from deseptr.tflite import load_engine

STANDING = [0.0, 9.8, 0.0, 0.0, 0.0, 0.0]


def endless():
    return [simulated_session(ConstantSource(STANDING))]


def emulated(value):
    return lambda: describe_machine() | {"emulated": value}


def test_profile_has_the_agreed_keys(int8_model):
    engine = load_engine(int8_model)
    progress = []
    profile = profile_model(engine, endless, windows=12, progress=progress.append)
    made = profile.to_dict()
    assert {"emulated", "caveats", "stages", "jitter", "deadlines", "cpu", "memory", "board", "machine"} <= made.keys()
    assert list(made["stages"]) == ["read", "resample", "window", "invoke", "decide", "end_to_end", "sensor_to_label"]
    for figures in made["stages"].values():
        assert figures["count"] == 12
        assert 0 <= figures["p50_us"] <= figures["p95_us"] <= figures["p99_us"] <= figures["max_us"]
    assert made["stages"]["sensor_to_label"]["p50_us"] > made["stages"]["end_to_end"]["p50_us"] > 0
    assert made["machine"]["engine"] == engine.name
    assert made["machine"]["simulated_bus"] is True
    assert made["deadlines"] == {"hop_ms": 320.0, "windows": 12, "missed": 0, "share": 0.0}
    assert made["cpu"]["per_hour_s"] > 0
    assert made["cpu"]["wearer_s"] == pytest.approx(11 * 16 / 50, rel=0.01)
    assert made["memory"]["peak_rss_bytes"] >= made["memory"]["rss_bytes"] > 0
    assert any(caveat.startswith("simulated bus") for caveat in made["caveats"])
    assert progress == list(range(1, 13))


def test_in_virtual_time_wake_ups_have_no_jitter(int8_model):
    assert profile_model(load_engine(int8_model), endless, windows=3).to_dict()["jitter"]["wakeups"] is None


def test_in_real_time_they_have(int8_model):
    def sessions():
        return [simulated_session(ConstantSource(STANDING), clock=SystemClock())]

    made = profile_model(load_engine(int8_model), sessions, windows=1).to_dict()
    assert made["jitter"]["wakeups"]["count"] > 0
    assert made["jitter"]["wakeups"]["max_us"] > 0
    assert not any(caveat.startswith("virtual time") for caveat in made["caveats"])


def test_under_emulation_every_figure_says_so(int8_model):
    extras = {"threads": Extra("threads", lambda: [{"threads": 1, "p50_us": 3.0}]), "start": Extra("-", lambda: None)}
    profile = profile_model(
        load_engine(int8_model),
        endless,
        windows=3,
        extras=extras,
        machine=emulated(True),
    )
    made = profile.to_dict()
    assert made["emulated"] is True
    assert made["caveats"][0].startswith("emulated processor")
    figures = [*made["stages"].values(), made["jitter"]["labels"], made["deadlines"], made["cpu"], *made["threads"]]
    assert all(each["emulated"] is True for each in figures)
    assert made["start"] is None


def test_without_emulation_nothing_says_so(int8_model):
    made = profile_model(load_engine(int8_model), endless, windows=3, machine=emulated(False)).to_dict()
    assert made["emulated"] is False
    assert "emulated" not in made["stages"]["invoke"]


def test_extras_are_measured_between_the_two_board_states(int8_model):
    calls = []
    boards = iter([BoardState(temperature_c=40.0), BoardState(temperature_c=61.0, throttled=Throttled(0x40004))])

    def board():
        calls.append("board")
        return next(boards)

    extras = {"ops": Extra("operations", lambda: calls.append("ops") or {"invoke_us": 1.0})}
    profile = profile_model(load_engine(int8_model), endless, windows=2, extras=extras, stage=calls.append, board=board)
    assert calls == ["board", "operations", "ops", "board"]
    made = profile.to_dict()
    assert made["ops"] == {"invoke_us": 1.0}
    assert made["board"]["before"]["temperature_c"] == 40.0
    assert "the board was held back while this was measured: throttled" in made["caveats"]


def test_an_extra_that_fails_loses_nothing(int8_model):
    def fail():
        raise SensorError("meter", found="no answer", expected="one", next_step="look at it")

    made = profile_model(
        load_engine(int8_model), endless, windows=2, extras={"energy": Extra("measuring power", fail)}
    ).to_dict()
    assert made["energy"] is None
    assert made["caveats"][-1] == "measuring power failed: meter: found no answer, expected one; look at it"
    assert made["stages"]["invoke"]["count"] == 2


def test_profile_goes_on_to_further_sessions(int8_model):
    made = count()

    def short():
        next(made)
        session = simulated_session(ConstantSource(STANDING))
        return [replace(session, ended=lambda: session.clock.now_ns() > 1_500_000_000)]

    assert profile_model(load_engine(int8_model), short, windows=9).profiler.count == 9
    assert next(made) >= 3


def test_sessions_without_a_window(int8_model):
    def empty():
        return [replace(simulated_session(ConstantSource(STANDING)), ended=lambda: True)]

    with pytest.raises(SetupError, match=r"found no window, expected recordings of at least 0\.64 s"):
        profile_model(load_engine(int8_model), empty)
