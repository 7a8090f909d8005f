"""The part of the firmware's source that makes the graph's input of samples in SI units."""

from __future__ import annotations

from string import Template

import numpy as np

from deseptr.contract import INPUT_STEPS, ConversionError, ModelContract
from deseptr.contract.view_encoding import step_sizes

_ROW = 12


def c_float(value: float) -> str:
    """A literal that a C++ compiler reads as the same float."""
    return f"{np.format_float_positional(np.float32(value), trim='0')}f"


def window_input(contract: ModelContract, scale: np.float32, zero_point: int) -> dict[str, str]:
    """Values of the templates for a graph that takes the window itself.

    Args:
        contract: one without views.
        scale: of the graph's input.
        zero_point: of the graph's input.
    """
    # In float32, as the engine of `deseptr device` multiplies them.
    scales = np.array(contract.input_range, np.float32) * scale
    values = {"scales": ", ".join(map(c_float, scales)), "zero_point": str(zero_point)}
    return {name: template.substitute(values) for name, template in _WINDOW.items()}


def view_input(contract: ModelContract, scale: np.float32, zero_point: int) -> dict[str, str]:
    """Values of the templates for a graph that takes views of the samples.

    Args:
        contract: one with views.
        scale: of the graph's input.
        zero_point: of the graph's input.

    Raises:
        ConversionError: if these are not those of views.
    """
    assert contract.views is not None
    if zero_point or abs(scale * INPUT_STEPS - 1) > 1e-5:
        raise ConversionError(
            "graph's input",
            found=f"scale {scale:g} and zero point {zero_point}",
            expected=f"scale {1 / INPUT_STEPS:g} and zero point 0, those of views",
            next_step="convert its checkpoint again with `deseptr convert RUN`",
        )
    numbers = [str(threshold) for threshold in contract.views.thresholds]
    rows = (", ".join(numbers[start : start + _ROW]) for start in range(0, len(numbers), _ROW))
    values = {
        "history": str(contract.history),
        "steps": ", ".join(map(c_float, step_sizes(contract.input_range))),
        "levels": str(len(numbers)),
        "thresholds": ",\n    ".join(rows),
    }
    return {name: template.substitute(values) for name, template in _VIEWS.items()}


_WINDOW = {
    "usage": Template("""\
//   deseptr::QuantizeWindow(window, interpreter.input(0)->data.int8);
//   interpreter.Invoke();  // then interpreter.output(deseptr::kLogitsOutput)->data.int8[kClasses]"""),
    "input_constants": Template("""\
// int8 = value / kInputScales[channel], rounded half to even, + kInputZeroPoint, saturated; the value in its unit.
extern const float kInputScales[kChannels];
constexpr int kInputZeroPoint = $zero_point;"""),
    "input_functions": Template("""\
// Quantize a sample of kChannels values.
void QuantizeSample(const float* sample, std::int8_t* row);

// Quantize a window, kWindowLength * kChannels values.
void QuantizeWindow(const float* window, std::int8_t* input);"""),
    "includes": Template("#include <cmath>"),
    "input_values": Template("const float kInputScales[kChannels] = {$scales};"),
    "input_code": Template("""\
void QuantizeSample(const float* sample, std::int8_t* row) {
  for (int i = 0; i < kChannels; ++i) {
    // nearbyint rounds half to even unless the program has set another mode.
    const float value = std::nearbyint(sample[i] / kInputScales[i]) + kInputZeroPoint;
    row[i] = static_cast<std::int8_t>(std::fmin(std::fmax(value, -128.0f), 127.0f));
  }
}

void QuantizeWindow(const float* window, std::int8_t* input) {
  for (int i = 0; i < kWindowLength * kChannels; i += kChannels) QuantizeSample(window + i, input + i);
}"""),
}

_VIEWS = {
    "usage": Template("""\
//   deseptr::EncodeWindow(samples, interpreter.input(0)->data.int8);
//   interpreter.Invoke();  // then interpreter.output(deseptr::kLogitsOutput)->data.int8[kClasses]
//
// The graph takes two int8 views of each channel. Of a stream they are best encoded once, as each sample comes:
//
//   static deseptr::ViewEncoder encoder;  // encoder.Reset() after every gap, and begin with 0 rows again
//   static std::int8_t rows[deseptr::kWindowLength * deseptr::kViews];
//   encoder.Encode(sample, rows + filled * deseptr::kViews);
//   if (++filled == deseptr::kWindowLength) {
//     // The interpreter may use its input's memory for something else: copy it, and keep the rows.
//     std::memcpy(interpreter.input(0)->data.int8, rows, sizeof(rows));
//     interpreter.Invoke();
//     filled -= deseptr::kHopLength;
//     std::memmove(rows, rows + deseptr::kHopLength * deseptr::kViews, filled * deseptr::kViews);
//   }"""),
    "input_constants": Template("""\
// The views need the kHistory samples before a window. At the start and after a gap, the first sample is repeated.
constexpr int kHistory = $history;
constexpr int kViews = 2 * kChannels;

// A sample counts in steps of kInputSteps[channel], rounded half to even and saturated to 16 bits. Its coarse view is
// the upper eight bits, rounded. Its fine view is the number of kThresholds that are reached by kHistory + 1 times its
// difference from the mean of itself and the samples before it, with the sign of that. In a row the coarse views of
// all channels come first.
extern const float kInputSteps[kChannels];
constexpr int kLevels = $levels;
extern const std::int32_t kThresholds[kLevels];"""),
    "input_functions": Template("""\
// Encodes the samples of a stream one by one.
class ViewEncoder {
 public:
  // Begin anew: the next sample is the first.
  void Reset() { begun_ = false; }

  // Encode a sample of kChannels values, each in its unit, to a row of kViews.
  void Encode(const float* sample, std::int8_t* row);

 private:
  std::int16_t last_[kHistory + 1][kChannels] = {};
  std::int32_t sums_[kChannels] = {};
  int oldest_ = 0;
  bool begun_ = false;
};

// Encode a window, (kHistory + kWindowLength) * kChannels values, to kWindowLength rows.
void EncodeWindow(const float* samples, std::int8_t* input);"""),
    "includes": Template("#include <algorithm>\n#include <cmath>"),
    "input_values": Template("""\
const float kInputSteps[kChannels] = {$steps};
const std::int32_t kThresholds[kLevels] = {
    $thresholds};"""),
    "input_code": Template("""\
void ViewEncoder::Encode(const float* sample, std::int8_t* row) {
  for (int channel = 0; channel < kChannels; ++channel) {
    // nearbyint rounds half to even unless the program has set another mode.
    const float rounded = std::nearbyint(sample[channel] / kInputSteps[channel]);
    const std::int32_t own = static_cast<std::int32_t>(std::fmin(std::fmax(rounded, -32768.0f), 32767.0f));
    if (!begun_) {
      for (auto& earlier : last_) earlier[channel] = static_cast<std::int16_t>(own);
      sums_[channel] = (kHistory + 1) * own;
    }
    sums_[channel] += own - last_[oldest_][channel];
    last_[oldest_][channel] = static_cast<std::int16_t>(own);
    const std::int32_t deviation = (kHistory + 1) * own - sums_[channel];
    const std::int32_t size = deviation < 0 ? -deviation : deviation;
    const int level = static_cast<int>(std::upper_bound(kThresholds, kThresholds + kLevels, size) - kThresholds);
    // Shifted by 32768 so that the division rounds down.
    const std::int32_t coarse = (own + 128 + 32768) / 256 - 128;
    row[channel] = static_cast<std::int8_t>(coarse < 127 ? coarse : 127);
    row[kChannels + channel] = static_cast<std::int8_t>(deviation < 0 ? -level : level);
  }
  begun_ = true;
  oldest_ = (oldest_ + 1) % (kHistory + 1);
}

void EncodeWindow(const float* samples, std::int8_t* input) {
  ViewEncoder encoder;
  for (int i = 0; i < kHistory + kWindowLength; ++i) {
    // Rows of the history are written where the window's first row comes later.
    encoder.Encode(samples + i * kChannels, input + (i < kHistory ? 0 : i - kHistory) * kViews);
  }
}"""),
}
