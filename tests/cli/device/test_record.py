import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from click.testing import CliRunner

from deseptr.cli.device.group import device
from deseptr.contract import DataError, SensorError, SetupError
from deseptr.data import Dataset, Recording, load_dataset, save_npz

WEARER = "synthetic:subjects=2,seconds=10"
PROTOCOL = """
prepare_s = 3
rest_s = 1
[[activity]]
label = "walking"
seconds = 12
instruction = "Walk [about]."
[[activity]]
label = "sitting"
seconds = 6
repeats = 2
"""
LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
from deseptr.cli.main import main
main(sys.argv[1:])
"""


def invoke(*arguments):
    result = CliRunner().invoke(device, ["record", *map(str, arguments)])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def spawn(*arguments, program=("-m", "deseptr.cli"), **options):
    command = [sys.executable, *program, "device", "record", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


@pytest.fixture(scope="module")
def long_walk(tmp_path_factory):
    signals = np.random.default_rng(1).normal(0, 2, (150_000, 6)).astype(np.float32)
    path = tmp_path_factory.mktemp("data") / "walk.npz"
    save_npz(Dataset((Recording(signals, 50.0, "1", np.zeros(len(signals), np.int16)),), ("walking",)), path)
    return path


def info(folder):
    command = [sys.executable, "-m", "deseptr.cli", "data", "info", str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_one_activity(tmp_path):
    result = invoke("--subject", "1", "--label", "walking", "--seconds", "5", "--simulate", WEARER, "-o", tmp_path)
    assert result.exit_code == 0
    assert re.fullmatch(rf"{tmp_path}/1_walking_1\.csv: 250 samples, 5\.0 s at \d\d\.\d\d Hz\n", result.stdout)
    assert result.stderr.splitlines() == [
        "1/2 get ready: walking, 3 s",
        "2/2 now: walking, 5 s",
        "1 take, 250 samples, 0 gaps",
    ]
    (recording,) = load_dataset(tmp_path).recordings
    assert (recording.subject, len(recording)) == ("1", 250)
    again = invoke("--subject", "1", "--label", "walking", "--seconds", "5", "--simulate", WEARER, "-o", tmp_path)
    assert "1_walking_2.csv" in again.stdout
    assert len(load_dataset(tmp_path).recordings) == 2


def test_a_protocol_is_a_dataset_that_converts(tmp_path):
    protocol = tmp_path / "session.toml"
    protocol.write_text(PROTOCOL)
    folder = tmp_path / "takes"
    for subject in ("1", "2"):
        result = invoke("--subject", subject, "--protocol", protocol, "--simulate", WEARER, "-o", folder)
        assert [line.partition(":")[0] for line in result.stdout.splitlines()] == [
            str(folder / f"{subject}_{name}.csv") for name in ("walking_1", "sitting_1", "sitting_2")
        ]
        assert "get ready: walking – Walk [about]., 3 s" in result.stderr
    dataset = load_dataset(folder)
    assert (dataset.subjects, dataset.label_names) == (("1", "2"), ("sitting", "walking"))
    assert [len(r) for r in dataset.recordings] == pytest.approx([300, 300, 600] * 2, abs=2)
    save_npz(dataset, tmp_path / "takes.npz")
    assert load_dataset(tmp_path / "takes.npz").samples == dataset.samples


def test_an_activity_that_the_data_do_not_have(tmp_path):
    arguments = ("--subject", "1", "--label", "juggling", "--seconds", "3", "--simulate", WEARER)
    result = invoke(*arguments, "-o", tmp_path)
    assert "note: synthetic has no label juggling: its first recording is played instead" in result.stderr
    assert load_dataset(tmp_path).label_names == ("juggling",)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--subject", "1"], "give either --label or --protocol"),
        (["--subject", "1", "--label", "x", "--protocol", "p"], "give either --label or --protocol"),
        (["--subject", "1", "--protocol", "p", "--seconds", "3"], "--seconds goes with --label"),
        (["--label", "x"], "Missing option '--subject'"),
        (["--subject", "1", "--label", "x", "--seconds", "0"], "Invalid value for '--seconds'"),
    ],
)
def test_wrong_usage(arguments, message):
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert message in result.output


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["--subject", " ", "--label", "x", "--simulate", WEARER], DataError, "--subject: found ' '"),
        (["--subject", "1", "--label", "a\nb", "--simulate", WEARER], DataError, "--label: found 'a"),
        (["--subject", "1", "--protocol", "none.toml", "--simulate"], DataError, "none.toml: found No such file"),
        (["--subject", "1", "--label", "x", "--simulate", "none.csv"], DataError, "none.csv: found no such file"),
        (["--subject", "1", "--label", "x", "--bus", "4095"], SensorError, "/dev/i2c-4095: found no such bus"),
        (["--subject", "1", "--label", "x", "--simulate", WEARER, "-o", "/dev/null"], SetupError, "/dev/null: found"),
        (["--subject", "1", "--label", "x", "--simulate", WEARER, "--acc-range", "99"], SensorError, "at least 99 g"),
    ],
)
def test_bad_input_is_one_line(arguments, error, message):
    with pytest.raises(error) as caught:
        invoke(*arguments)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_full_disk_is_one_line_and_the_recording_stays_readable(tmp_path):
    arguments = ("--subject", "1", "--label", "walking", "--seconds", "60", "--simulate", WEARER, "-o", tmp_path)
    process = spawn(*arguments, program=("-c", LIMITED))
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 2
    (line,) = (line for line in errors.splitlines() if line.startswith("deseptr: "))
    found = re.search(r"found File too large, .* the (\d+) samples of this take so far are kept", line)
    assert (tmp_path / "1_walking_1.csv").stat().st_size == 40_000
    (recording,) = load_dataset(tmp_path).recordings
    assert len(recording) >= int(found[1]) > 100
    assert f"{tmp_path}/1_walking_1.csv: ended early" in errors


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_stopped_half_way_it_is_readable(tmp_path, long_walk, number):
    arguments = ("--subject", "1", "--label", "walking", "--simulate", long_walk)
    process = spawn(*arguments, "--seconds", "3000", "-o", tmp_path)
    path = tmp_path / "1_walking_1.csv"
    while not (path.exists() and path.stat().st_size > 60_000):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.005)
    os.kill(process.pid, number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == (130 if number == signal.SIGINT else -number)
    if number == signal.SIGINT:
        assert "1_walking_1.csv: ended early" in errors
        assert errors.endswith("deseptr: interrupted\n")
    assert path.stat().st_size < 16_000_000
    assert "1 recording of 1 subject at" in info(tmp_path)
    (recording,) = load_dataset(tmp_path).recordings
    assert len(recording) > 400


def test_without_seconds_the_interrupt_is_the_end(tmp_path, long_walk):
    arguments = ("--subject", "1", "--label", "walking", "--simulate", long_walk)
    process = spawn(*arguments, "-o", tmp_path)
    path = tmp_path / "1_walking_1.csv"
    while not (path.exists() and path.stat().st_size > 60_000):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "1_walking_1.csv: ended early" in errors
