import json
import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from click.testing import CliRunner

from deseptr.cli.common.mounting import AUTO as AUTO_MOUNTING
from deseptr.cli.device.group import device
from deseptr.contract import (
    DataError,
    DriftHistogram,
    DriftReference,
    EmbeddingReference,
    KnownWindows,
    ModelError,
    Mounting,
    SensorError,
    SetupError,
    softmax,
)
from deseptr.data import Dataset, Recording, load_dataset, load_sample, save_npz
from deseptr.device import MountingCorrection, UnhealthyError, default_model
from deseptr.device.mounting.watch import AUTO as WATCH_AUTO
from deseptr.evaluate.model_file import write_contract
from deseptr.tflite import load_engine, read_tflite

WALK = "synthetic:subjects=2,seconds=10"


def invoke(*arguments):
    result = CliRunner().invoke(device, [str(argument) for argument in arguments])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


KEYS = ["t", "label", "confidence", "probabilities", "latency_us", "state", "recording", "sample", "truth"]


def test_run_as_json_is_one_object_an_event(int8_model, contract):
    result = invoke("run", "--model", int8_model, "--simulate", WALK, "--subject", "2", "--json")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    windows = [line for line in lines if "label" in line]
    changes = [line for line in lines if "change" in line]
    assert len(windows) > 20
    assert changes
    assert len(windows) + len(changes) + 1 == len(lines)
    assert lines[-1]["drift"]["windows"] == len(windows)
    for line in windows:
        assert list(line) == KEYS
        assert tuple(line["probabilities"]) == contract.labels
        assert line["sample"] % contract.hop_length == 0
    assert f"{len(windows)} windows; 0 gaps; read to label p50" in result.stderr


def test_states_follow_the_changes_and_begin_anew_with_each_recording(int8_model):
    played = ["--simulate", "synthetic:subjects=3,seconds=4", "--json", "--no-drift"]
    result = invoke("run", "--model", int8_model, *played)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    recordings = sorted({line["recording"] for line in lines})
    assert len(recordings) > 2
    for recording in recordings:
        state, windows = None, [line for line in lines if line["recording"] == recording]
        for line, following in zip(windows, [*windows[1:], {}], strict=True):
            if "change" in line:
                assert line["change"]["previous"] == state
                state = line["change"]["label"]
            elif "change" in following:
                assert line["state"] == following["change"]["label"]
            else:
                assert line["state"] == state


def test_decision_options_are_obeyed(int8_model):
    simulated = ["run", "--model", int8_model, "--simulate", WALK, "--json"]
    rules = ["--smoothing", "none", "--margin", 0, "--dwell", 0]
    lines = [json.loads(line) for line in invoke(*simulated, *rules, "--threshold", 0).stdout.splitlines()]
    assert all(line["state"] == line["label"] for line in lines if "state" in line)
    lines = [json.loads(line) for line in invoke(*simulated, *rules, "--threshold", 1).stdout.splitlines()]
    assert {line["state"] for line in lines if "state" in line} == {"unknown"}


def test_hop_gives_windows_as_often_as_wanted(int8_model):
    simulated = ["run", "--model", int8_model, "--simulate", WALK, "--json", "--hop", 0.1]
    lines = [json.loads(line) for line in invoke(*simulated).stdout.splitlines() if '"state"' in line]
    times = [line["t"] for line in lines if line["recording"] == 0]
    assert {round(later - t, 3) for t, later in pairwise(times)} == {0.1}
    with pytest.raises(SetupError, match="hop: found 60 s"):
        invoke("run", "--model", int8_model, "--simulate", WALK, "--hop", 60)


def test_implausible_samples_have_no_label_until_they_end(int8_model, tmp_path):
    signals = np.zeros((1500, 6), np.float32)
    signals[750:] = load_sample().recordings[0].signals[:750]
    recording = Recording(signals, 50.0, "1", np.zeros(1500, np.int16))
    path = tmp_path / "a.npz"
    save_npz(Dataset((recording,), ("walking",)), path)
    run = ("run", "--model", int8_model, "--threshold", 0, "--simulate", path)
    lines = [json.loads(line) for line in invoke(*run, "--json").stdout.splitlines()]
    windows = [line for line in lines if "probabilities" in line]
    refused = [line for line in windows if "unknown" in line]
    # Windows of 0.64 s are judged over 2.5 s.
    assert 2.5 < refused[0]["t"] < 5
    assert 15 < refused[-1]["t"] < 17
    assert {(line["label"], line["state"]) for line in refused} == {("unknown", "unknown")}
    assert {line["unknown"] for line in refused if line["t"] < 15} == {"implausible: stuck"}
    begun, ended = (line["implausible"] for line in lines if "implausible" in line)
    assert (begun["finding"], begun["count"], begun["ended"]) == ("stuck", 1, False)
    assert ended["ended"]
    reasons = [line["change"].get("reason") for line in lines if "change" in line]
    assert "implausible: stuck" in reasons
    result = invoke(*run)
    stuck = sum(line["unknown"] == "implausible: stuck" for line in refused)
    assert f"without a label: {stuck} implausible: stuck" in result.stdout
    off = invoke(*run, "--json", "--no-plausibility")
    assert "implausible" not in off.stdout


def test_windows_that_the_model_does_not_know_have_no_label(int8_model, tmp_path):
    file = read_tflite(int8_model)
    far = KnownWindows.of([0.1] * 9, np.full((1, 9), 100.0), limit=1.0, share=0.99)
    model = write_contract(file, tmp_path / "known.tflite", replace(file.contract, known_windows=far))
    play = ("--simulate", "synthetic", "--seconds", 12, "--json")
    options = ("run", "--model", model, "--threshold", 0, "--no-plausibility", *play)
    told = invoke(*options)
    windows = [json.loads(line) for line in told.stdout.splitlines() if "latency_us" in line]
    assert len(windows) > 3
    assert {each["unknown"] for each in windows} == {"unfamiliar"}
    assert {each["state"] for each in windows} == {"unknown"}
    assert min(each["score"] for each in windows) > 1
    (change,) = [json.loads(line)["change"] for line in told.stdout.splitlines() if '"change"' in line]
    assert change["reason"] == "unfamiliar"
    assert change["score"] == windows[0]["score"]
    assert f"without a label: {len(windows)} unfamiliar" in told.stderr
    without = invoke(*options, "--no-unknown")
    assert not any(key in without.stdout for key in ('"score"', '"unknown"', "unfamiliar"))


def test_windows_are_measured_for_drift_only_if_it_is_counted(tmp_path):
    file = read_tflite(default_model())
    classes, width = len(file.contract.labels), file.contract.embedding_width
    embedding = EmbeddingReference.of([1.0] * width, np.zeros((classes, width)), [list(range(1, 10))] * classes)
    confidence, distance = (DriftHistogram(((10,) * bins,) * classes, (1.0,) * 3) for bins in (12, 10))
    drift = DriftReference(9, 120 * classes, 1.28, 9.8, confidence, distance, None, embedding)
    model = write_contract(file, tmp_path / "drift.tflite", replace(file.contract, drift=drift))
    for options, expected in (((), True), (("--no-drift",), False)):
        said = invoke("run", "--model", model, "--simulate", "synthetic", "--seconds", 6, "--json", *options)
        windows = [json.loads(line) for line in said.stdout.splitlines() if "latency_us" in line]
        assert len(windows) > 1
        assert {"distance" in each for each in windows} == {expected}


def test_a_turned_sensor_is_corrected_and_said_so(int8_model, tmp_path):
    sample = load_sample()
    turned = MountingCorrection(Mounting.named("z90").inverse(), sample.channels)
    recording = replace(sample.recordings[0], signals=turned(sample.recordings[0].signals))
    save_npz(replace(sample, recordings=(recording,)), tmp_path / "turned.npz")
    save_npz(replace(sample, recordings=sample.recordings[:1]), tmp_path / "plain.npz")

    def windows(path, *options):
        run = invoke("run", "--model", int8_model, "--simulate", tmp_path / path, "--seconds", 10, "--json", *options)
        lines = [json.loads(line) for line in run.stdout.splitlines()]
        return lines, [line["probabilities"] for line in lines if "probabilities" in line]

    lines, corrected = windows("turned.npz", "--mounting", "z90")
    _, plain = windows("plain.npz")
    said = {"applied": "z90", "found": None, "meaning": "the sensor is turned by 90° about z, as was said"}
    assert lines[0]["mounting"] == said
    assert corrected == plain != windows("turned.npz")[1]


def test_a_mounting_is_estimated_only_if_the_model_knows_that_of_its_training(int8_model, tmp_path):
    file = read_tflite(int8_model)
    plain = write_contract(file, tmp_path / "plain.tflite", replace(file.contract, mounting=None))
    with pytest.raises(SetupError, match="--mounting auto: found a model that does not know how the sensor was worn"):
        invoke("run", "--model", plain, "--simulate", WALK, "--mounting", "auto")


def test_the_word_for_an_estimate_is_the_same_in_the_library():
    assert AUTO_MOUNTING == WATCH_AUTO


def test_another_mounting_is_refused_in_one_line(int8_model):
    result = invoke("run", "--model", int8_model, "--simulate", WALK, "--mounting", "x45")
    assert result.exit_code == 2
    assert "'x45' is none of turns such as x90, z180 or x90+z180, or none" in result.output


def test_run_as_text_ends_with_a_summary(int8_model):
    result = invoke("run", "--model", int8_model, "--simulate", WALK, "--seconds", "5")
    *lines, summary = result.stdout.splitlines()
    assert lines[0].split()[:4] == ["0.62", "s", "#0", "▸"]
    windows = sum("█" in line for line in lines)
    assert summary.startswith(f"{windows} windows")
    assert f"{windows} windows, mean confidence" in lines[-1]
    assert summary.endswith("simulated bus")
    assert result.stderr.splitlines()[-1] == f"next: deseptr firmware flash USER@HOST --model {int8_model}"


def test_a_service_and_json_get_no_next_step(int8_model, monkeypatch, tmp_path):
    walk = ["run", "--model", int8_model, "--simulate", WALK, "--seconds", "3"]
    assert "next:" not in invoke(*walk, "--json").stderr
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    assert "next:" not in invoke(*walk).stderr


def test_simulate_without_a_value_is_the_synthetic_wearer_for_a_model_of_other_activities(int8_model):
    result = invoke("run", "--simulate", "--model", int8_model, "--seconds", "1", "--json")
    windows = [json.loads(line) for line in result.stdout.splitlines() if '"probabilities"' in line]
    synthetic = load_dataset("synthetic").recordings[0]
    assert windows[0]["truth"] == load_dataset("synthetic").label_names[synthetic.labels[0]] != "standing"


def test_simulate_without_a_value_and_a_model_is_right_about_the_recorded_wearer():
    result = invoke("run", "--simulate", "--json")
    windows = [json.loads(line) for line in result.stdout.splitlines() if '"probabilities"' in line]
    assert {each["truth"] for each in windows} == set(load_sample().label_names)
    assert sum(each["label"] == each["truth"] for each in windows) >= 0.9 * len(windows)


def test_subject_needs_simulate(int8_model):
    result = invoke("run", "--model", int8_model, "--subject", "2")
    assert result.exit_code == 2
    assert "--subject goes with --simulate" in result.output


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["run", "--model", "MODEL", "--bus", "4095"], SensorError, "/dev/i2c-4095: found no such bus (ENOENT)"),
        (["run", "--model", "MODEL", "--simulate", "nothing.npz"], DataError, "nothing.npz: found no such file"),
        (["run", "--model", "MODEL", "--simulate", WALK, "--subject", "9"], DataError, "subject 9: found no such"),
        (["run", "--model", "MODEL", "--simulate", WALK, "--sensor", "bno055"], SetupError, "--sensor: found bno055"),
        (["run", "--model", "missing.tflite", "--simulate"], ModelError, "missing.tflite: found No such file"),
        (["run", "--simulate", "--csv", "missing/run.csv"], SetupError, "missing/run.csv: found No such file"),
        (["run", "--simulate", "--mqtt", "me:secret@host"], SetupError, "--mqtt: found a user in the address"),
        (["run", "--simulate", "--config", "missing.toml"], SetupError, "--config missing.toml: found No such file"),
        (["profile", "missing.tflite"], ModelError, "missing.tflite: found No such file"),
        (["profile", "MODEL", "--bus", "4095"], SensorError, "/dev/i2c-4095: found no such bus (ENOENT)"),
    ],
)
def test_bad_input_is_one_line(int8_model, arguments, error, message):
    arguments = [int8_model if argument == "MODEL" else argument for argument in arguments]
    with pytest.raises(error) as caught:
        invoke(*arguments)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


ACC_ALONE = ["adxl345", "lis3dh"]


@pytest.mark.parametrize("sensor", ACC_ALONE)
def test_a_model_of_acceleration_alone_sees_the_recording_through_the_chip(acc_model, sensor):
    result = invoke("run", "--model", acc_model, "--simulate", WALK, "--sensor", sensor, "--json")
    windows = [line for line in map(json.loads, result.stdout.splitlines()) if "label" in line]
    assert result.exit_code == 0
    assert "0 gaps" in result.stderr
    assert len(windows) > 40
    engine, recordings = load_engine(acc_model), load_dataset(WALK).recordings
    for line in windows:
        seen = recordings[line["recording"]].signals[line["sample"] :][: engine.contract.window_length, :3]
        if len(seen) == engine.contract.window_length:
            direct = softmax(engine.invoke(seen), np.float32)
            assert list(line["probabilities"].values()) == pytest.approx(direct, abs=0.05)


@pytest.mark.parametrize("sensor", ACC_ALONE)
def test_a_wearer_who_is_still_has_a_label_though_coarse_counts_do_not_change(acc_model, sensor, tmp_path):
    noise = np.random.default_rng(0).normal([0.1, 0.05, 9.8], 0.02, (500, 3))
    rows = [f"{at / 50},{','.join(f'{value:.4f}' for value in row)}" for at, row in enumerate(noise)]
    still = tmp_path / "still.csv"
    still.write_text("\n".join(["t,acc_x,acc_y,acc_z", *rows]) + "\n")
    result = invoke("run", "--model", acc_model, "--simulate", still, "--sensor", sensor, "--json")
    assert '"latency_us"' in result.stdout
    assert "implausible" not in result.output


@pytest.mark.parametrize("sensor", ACC_ALONE)
def test_a_six_channel_model_is_refused_with_both_lists(int8_model, sensor):
    with pytest.raises(
        SensorError,
        match=f"{sensor}: found channels acc_x acc_y acc_z, expected acc_x acc_y acc_z gyro_x gyro_y gyro_z; use",
    ):
        invoke("run", "--model", int8_model, "--simulate", WALK, "--sensor", sensor)


def test_profile_as_json(int8_model):
    result = invoke("profile", int8_model, "--simulate", WALK, "--windows", "30", "--json")
    made = json.loads(result.stdout)
    assert made["stages"]["end_to_end"]["count"] == 30
    assert made["sensor"]["simulated"] is True


def test_profile_without_a_bus_says_that_it_simulates(int8_model, monkeypatch):
    monkeypatch.setattr("deseptr.device.bus_exists", lambda number: False)
    result = invoke("profile", int8_model, "--windows", "5", "--json")
    assert "no /dev/i2c-1: profiling with a simulated sensor on a synthetic wearer" in result.stderr
    assert json.loads(result.stdout)["machine"]["simulated_bus"] is True


def test_profile_as_text(int8_model):
    text = invoke("profile", int8_model, "--simulate", WALK, "--windows", "30").stdout
    for part in ("end_to_end", "p99", "30 windows", "█", "simulated bus: `read` is the time for simulating"):
        assert part in text


@pytest.mark.parametrize("command", ["run", "profile"])
def test_help_has_examples_and_needs_no_numpy(command):
    code = (
        "import sys\nfrom deseptr.cli.device.group import device\n"
        f"try: device(['{command}', '--help'])\n"
        "finally: assert not {'numpy', 'rich', 'ai_edge_litert'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"deseptr device {command}" in done.stdout


@pytest.mark.parametrize(("options", "drawn"), [((), True), (("--plain",), False)])
def test_on_a_terminal_the_screen_is_drawn_unless_plain_lines_are_wanted(int8_model, options, drawn):
    command = [sys.executable, "-m", "deseptr.cli", "device", "run", "--model", str(int8_model), "--simulate", WALK]
    terminal, end = os.openpty()
    with subprocess.Popen(
        [*command, "--seconds", "2", *options], stdout=end, stderr=subprocess.PIPE, env=os.environ | {"TERM": "xterm"}
    ) as process:
        os.close(end)
        shown = b""
        # A terminal whose other end is closed gives EIO.
        with suppress(OSError):
            while part := os.read(terminal, 4096):
                shown += part
        os.close(terminal)
        assert process.wait(timeout=60) == 0, process.stderr.read()
    assert (b"\x1b[?25l" in shown, b"recoveries" in shown) == (drawn, drawn)
    assert b"0 gaps" in shown


def test_closed_pipe_ends_it_quietly(int8_model):
    command = [sys.executable, "-m", "deseptr.cli", "device", "run", "--model", str(int8_model), "--simulate", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout.readline().startswith(b"{")
    process.stdout.close()
    # Click's own code for it is 1, the shell's 141.
    assert process.wait(timeout=30) in (1, 141)
    assert process.stderr.read() == b""
    process.stderr.close()


def test_interrupt_ends_with_the_summary(int8_model, monkeypatch):
    def interrupted(*arguments, **options):
        yield from ()
        raise KeyboardInterrupt

    monkeypatch.setattr("deseptr.firmware_harness.simulator.session_replay", interrupted)
    result = invoke("run", "--model", int8_model, "--simulate", WALK)
    assert result.exit_code == 0
    assert "0 windows; 0 gaps" in result.stdout


def test_scenario_has_a_source_of_its_own(int8_model):
    result = invoke("run", "--model", int8_model, "--scenario", "loose-wire", "--simulate", WALK)
    assert result.exit_code == 2
    assert "--scenario has a source of its own" in result.output


def test_a_run_whose_sensor_is_lost_sums_up_what_it_had(int8_model):
    arguments = ["run", "--model", str(int8_model), "--scenario", "unplugged-for-good", "--json"]
    result = CliRunner().invoke(device, arguments)
    assert isinstance(result.exception, UnhealthyError)
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert lines[-1]["drift"]["windows"] == sum("probabilities" in line for line in lines) > 0
    without = CliRunner().invoke(device, [*arguments, "--no-drift"])
    assert '"drift"' not in without.stdout
