// The spectrogram as the model sees it: the kernels of its graph, on the samples that the page gets.

const KEPT_S = 20;
// Steps of an input over its range: of a contract's views, and of a plain int8 input.
const FINE_STEPS = 32640;
const STEPS = 127.5;

export class Frames {
  /** `spectrogram` and `channels` are those of the run's `about`. */
  constructor({ spectrogram, channels }) {
    Object.assign(this, spectrogram);
    this.channels = channels.length;
    this.parts = this.parts.map(prepared(this.saturation));
    /** Each has its number, the time `at` of its middle and its `width`, seconds, and whether it is the first after a gap;
        and for each part the bins of all channels, -1 to 1. */
    this.list = [];
    this.count = 0;
    this.#begin(-1);
  }

  #begin(number) {
    this.next = number;
    this.taken = 0;
    this.torn = true;
    this.inputs = Array.from({ length: this.channels * (this.views ? 2 : 1) }, () => []);
    this.steps = Array.from({ length: this.channels }, () => null);
  }

  /** Compute the frames that the samples of a message complete. */
  take({ at, rate, n, x }) {
    if (n !== this.next) this.#begin(n);
    for (let index = 0; index < x[0].length; index += 1) {
      for (let channel = 0; channel < this.channels; channel += 1) this.#push(channel, x[channel][index]);
      this.next += 1;
      this.taken += 1;
      if (this.taken >= this.length && (this.next - this.length) % this.step === 0) {
        this.#frame(at + (index + 1 - this.length / 2) / rate, this.step / rate);
      }
    }
    while (this.list.length && this.list[0].at < this.list.at(-1).at - KEPT_S) this.list.shift();
  }

  #push(channel, value) {
    const encoded = this.views ? this.#views(channel, value) : [plain(value, this.range[channel])];
    for (const [view, input] of encoded.entries()) {
      const kept = this.inputs[view * this.channels + channel];
      kept.push(input);
      if (kept.length > this.length) kept.shift();
    }
  }

  /** The coarse and the fine view of a sample; the first sample of a stretch stands for those before it. */
  #views(channel, value) {
    const size = Math.fround(this.range[channel] / FINE_STEPS);
    const step = Math.max(-32768, Math.min(32767, roundHalfEven(Math.fround(Math.fround(value) / size))));
    const total = this.views.history + 1;
    this.steps[channel] ??= { last: new Array(total).fill(step), sum: total * step };
    const { last } = this.steps[channel];
    last.push(step);
    this.steps[channel].sum += step - last.shift();
    const deviation = total * step - this.steps[channel].sum;
    const level = reached(this.views.thresholds, Math.abs(deviation));
    return [Math.min((step + 128) >> 8, 127) / STEPS, (Math.sign(deviation) * level) / STEPS];
  }

  #frame(at, width) {
    const values = this.parts.map((part) => this.#bins(part));
    this.list.push({ number: this.count, at, width, first: this.torn, values });
    this.count += 1;
    this.torn = false;
  }

  #bins({ view, projections, rows }) {
    const found = new Float32Array(this.channels * rows.length);
    for (let channel = 0; channel < this.channels; channel += 1) {
      const frame = this.inputs[view * this.channels + channel];
      const rectified = projections.map((kernel) => {
        let sum = 0;
        for (let index = 0; index < kernel.length; index += 1) sum += kernel[index] * frame[index];
        return Math.max(0, Math.min(this.saturation, sum));
      });
      for (const [bin, row] of rows.entries()) {
        let sum = 0;
        for (const [projection, weight] of row) sum += weight * rectified[projection];
        found[channel * rows.length + bin] = sum;
      }
    }
    return found;
  }
}

/** A part whose sums have only what is not zero, over the largest value that a bin can have. */
function prepared(saturation) {
  return ({ name, view, projections, sums }) => {
    const rows = sums.map((row) => {
      const largest = (saturation * row.reduce((sum, weight) => sum + Math.abs(weight), 0)) / 2 || 1;
      return row.flatMap((weight, index) => (weight ? [[index, weight / largest]] : []));
    });
    return { name, view, projections: projections.map((kernel) => Float32Array.from(kernel)), rows };
  };
}

function plain(value, range) {
  const step = roundHalfEven(Math.fround(Math.fround(value) / Math.fround(range / STEPS)));
  return Math.max(-128, Math.min(127, step)) / STEPS;
}

function roundHalfEven(value) {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** How many of the increasing thresholds a value reaches. */
function reached(thresholds, value) {
  let [low, high] = [0, thresholds.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (thresholds[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
