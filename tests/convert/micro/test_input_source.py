"""The encoder of views in the firmware's source, compiled and compared with numpy."""

import re
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from deseptr.contract import ConversionError, InputViews
from deseptr.contract.view_encoding import step_sizes
from deseptr.contract.views import asinh_thresholds
from deseptr.convert.micro.source import Arena, run_micro, write_firmware
from deseptr.data import Dataset, Recording, cut_windows
from deseptr.tflite import load_engine

needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="no g++ to compile the source with")
ARENA = Arena(30_000)
FLAGS = ("-std=c++17", "-Wall", "-Wextra", "-Werror", "-pedantic", "-fsanitize=undefined", "-fno-sanitize-recover")

MAIN = """
#include "model.h"

#include <cstdio>
#include <cstring>
#include <vector>

using namespace deseptr;

int main(int, char** arguments) {
  std::vector<float> samples;
  float value;
  while (std::fread(&value, sizeof(value), 1, stdin) == 1) samples.push_back(value);
  const int count = static_cast<int>(samples.size()) / kChannels;
  std::int8_t input[kWindowLength * kViews];
  if (!std::strcmp(arguments[1], "window")) {
    EncodeWindow(samples.data(), input);
    std::fwrite(input, sizeof(input), 1, stdout);
    return 0;
  }
  const bool whole_windows = !std::strcmp(arguments[1], "stream");
  static ViewEncoder encoder;
  static std::int8_t rows[kWindowLength * kViews];
  std::int8_t row[kViews];
  int filled = 0;
  for (int i = 0; i < count; ++i) {
    const float* sample = samples.data() + i * kChannels;
    if (std::isnan(sample[0])) {  // a gap
      encoder.Reset();
      filled = 0;
    } else if (!whole_windows) {
      encoder.Encode(sample, row);
      std::fwrite(row, sizeof(row), 1, stdout);
    } else {
      USAGE
    }
  }
}
"""


def usage(header: str) -> str:
    """What the header's comment tells firmware to do with each sample of a stream."""
    comment = header[header.index("encoder.Encode(sample") : header.index("#ifndef")]
    code = re.sub(r"^//", "", comment, flags=re.MULTILINE)
    return code.replace("interpreter.input(0)->data.int8", "input").replace(
        "interpreter.Invoke();", "std::fwrite(input, sizeof(input), 1, stdout);"
    )


@pytest.fixture(scope="module", params=[31, 7])
def firmware(request, tmp_path_factory, viewed_model, viewed_contract):
    """A contract, and a program that runs its encoder in one of the modes ``row``, ``stream`` and ``window``."""
    folder = tmp_path_factory.mktemp("firmware")
    contract = replace(viewed_contract, views=InputViews(request.param, asinh_thresholds(request.param)))
    header, source = write_firmware(folder, viewed_model.read_bytes(), contract, ARENA)
    main = folder / "main.cc"
    main.write_text(f"#include <cmath>\n{MAIN.replace('USAGE', usage(header.read_text()))}")
    subprocess.run(["g++", *FLAGS, main, source, "-o", folder / "main"], check=True)

    def run(mode, samples):
        sent = np.ascontiguousarray(samples, np.float32).tobytes()
        done = subprocess.run([folder / "main", mode], input=sent, capture_output=True, check=True)
        return np.frombuffer(done.stdout, np.int8).reshape(-1, contract.graph_channels)

    return contract, run


def random_samples(contract, count):
    rng = np.random.default_rng(0)
    scale = 10.0 ** rng.uniform(-4, 1, (count, 1))
    walk = np.cumsum(rng.normal(0, 0.01, (count, 6)), axis=0)
    return ((walk + rng.normal(size=(count, 6)) * scale) * contract.input_range).astype(np.float32)


def adversarial_samples(contract):
    """Halves of a step, the ends of 16 bits and beyond, and deviations at each threshold and one beside it."""
    history, step = contract.history, step_sizes(contract.input_range)
    halves = np.arange(-300, 300)[:, None] + np.array([0.5, 0.5, 0.49999, 0.50001, 0, -0.5])
    ends = np.array([-32768.5, -32768, -32767.5, -32767, -1, -0.0, 1, 32766.5, 32767, 32767.5, 1e6, -1e6, 3e30, -3e30])
    borders = np.concatenate([np.arange(-129, 130)[:, None] * 256 - 128 + np.arange(-1, 2)]).reshape(-1)
    rows = [halves, np.repeat(ends, 2)[:, None].repeat(6, 1), borders[:, None].repeat(6, 1)]
    for threshold in contract.views.thresholds:
        # After equal samples a step of s deviates by s·history; the earliest one makes up the difference.
        size, rest = divmod(threshold, history)
        for extra in (rest - 1, rest, rest + 1):
            block = np.zeros((history + 1, 6))
            block[-1] = min(size, 32767)
            block[0] = -extra
            rows += [block, -block]
    values = (np.concatenate(rows) * step).astype(np.float32)
    return np.concatenate([values, np.full((2, 6), np.inf, np.float32), np.full((2, 6), -np.inf, np.float32)])


@needs_compiler
@pytest.mark.parametrize("make", [lambda contract: random_samples(contract, 10_000), adversarial_samples])
def test_each_sample_is_encoded_as_by_numpy(firmware, make):
    contract, run = firmware
    samples = make(contract)
    before = np.repeat(samples[:1], contract.history, axis=0)
    expected = contract.views.encode(np.concatenate([before, samples]), contract.input_range)
    assert len(np.unique(expected[:, 6:])) > 200
    assert np.array_equal(run("row", samples), expected)


def test_adversarial_samples_meet_every_threshold(viewed_contract):
    contract = replace(viewed_contract, views=InputViews(31))
    samples = adversarial_samples(contract)
    steps = np.clip(np.rint(samples / step_sizes(contract.input_range)), -32768, 32767).astype(np.int64)
    sums = np.lib.stride_tricks.sliding_window_view(steps, 32, axis=0).sum(-1)
    deviations = set(np.abs(32 * steps[31:] - sums).ravel().tolist())
    reached = [threshold for threshold in contract.views.thresholds if threshold <= 31 * 32767]
    assert len(reached) == 126
    for threshold in reached:
        assert {threshold - 1, threshold, threshold + 1} <= deviations


@needs_compiler
def test_a_window_is_encoded_as_by_numpy(firmware):
    contract, run = firmware
    windows = random_samples(contract, 20 * contract.input_length).reshape(20, contract.input_length, 6)
    for window in windows:
        assert np.array_equal(run("window", window), contract.views.encode(window, contract.input_range))


@needs_compiler
def test_a_stream_gives_the_windows_of_training(firmware):
    """As the header's comment has it, with a gap in the midst."""
    contract, run = firmware
    parts = [random_samples(contract, count) for count in (200, 20, 131)]
    gap = np.full((1, 6), np.nan, np.float32)
    made = run("stream", np.concatenate([parts[0], gap, parts[1], gap, parts[2]]))
    recordings = tuple(Recording(part, 50.0, "1", np.zeros(len(part), np.int16)) for part in parts)
    offline = cut_windows(
        Dataset(recordings, ("any",)),
        window_length=contract.window_length,
        hop_length=contract.hop_length,
        rate_hz=50.0,
        history=contract.history,
    )
    expected = contract.views.encode(offline.signals, contract.input_range)
    assert np.array_equal(made, expected.reshape(-1, 12))


def test_a_graph_without_views_has_no_encoder(int8_model, tiny_contract, tmp_path):
    for path in write_firmware(tmp_path, int8_model.read_bytes(), tiny_contract, ARENA):
        text = path.read_text()
        assert "QuantizeWindow" in text
        assert "Views" not in text
        assert "Encode" not in text


@pytest.mark.parametrize("scale", [(1 / 100, 0), (1 / 127.5, -1)])
def test_another_scale_is_refused(make_model, viewed_contract, scale, tmp_path):
    path = make_model(contract=viewed_contract, scale=scale)
    with pytest.raises(ConversionError, match=f"found scale {scale[0]:g} and zero point {scale[1]}, expected scale"):
        write_firmware(tmp_path / "never", path.read_bytes(), viewed_contract, ARENA)


@pytest.mark.skipif(sys.platform != "linux", reason="tflite-micro has wheels for Linux alone")
def test_micro_and_engine_agree_on_encoded_windows(viewed_model, viewed_contract):
    pytest.importorskip("tflite_micro")
    windows = random_samples(viewed_contract, 8 * viewed_contract.input_length)
    windows = windows.reshape(8, viewed_contract.input_length, 6)
    outputs = run_micro(viewed_model.read_bytes(), viewed_contract.views.encode(windows, viewed_contract.input_range))
    engine = load_engine(viewed_model, kernels="reference")
    logits = np.array([engine.invoke(window).copy() for window in windows])
    assert np.array_equal((outputs.astype(np.float32) - 3) / 32, logits)
