// The picture of the spectrogram: a strip for each channel, a row for each bin, time on the axis of the signals.

import { prepare } from "./canvas.js";
import { LEFT, SHOWN_S } from "./pictures.js";

const BETWEEN = 3;
// Longer than what the page keeps.
const PAINTED_S = 40;
const NEGATIVE = "#d55e00";

/** Paints each frame once, and copies what is seen. */
export class Heat {
  constructor(frames, rate) {
    this.frames = frames;
    this.bins = frames.parts[0].rows.length;
    const columns = Math.ceil((PAINTED_S * rate) / frames.step);
    this.painted = Object.assign(document.createElement("canvas"), { width: columns, height: frames.channels * this.bins });
    this.key = "";
  }

  /** Draw the frames of a part, from `now - SHOWN_S` on; `names` are those of the channels. */
  draw(canvas, part, names, colours, now) {
    const surface = prepare(canvas);
    if (!surface) return;
    const { ctx, width, height } = surface;
    this.#paint(part, colours);
    const from = now - SHOWN_S;
    const x = (at) => LEFT + ((at - from) / SHOWN_S) * (width - LEFT);
    const strip = height / names.length;
    ctx.fillStyle = colours.grey;
    ctx.textAlign = "left";
    for (const [channel, name] of names.entries()) ctx.fillText(name, 0, (channel + 0.5) * strip + 3);
    ctx.save();
    ctx.beginPath();
    ctx.rect(LEFT, 0, width - LEFT, height);
    ctx.clip();
    ctx.imageSmoothingEnabled = false;
    for (const run of this.#runs(from, now)) {
      const { at, width: wide, number } = run[0];
      for (let channel = 0; channel < names.length; channel += 1) {
        ctx.drawImage(
          this.painted,
          number % this.painted.width,
          channel * this.bins,
          run.length,
          this.bins,
          x(at - wide / 2),
          channel * strip,
          x(at + (run.length - 0.5) * wide) - x(at - wide / 2),
          strip - BETWEEN,
        );
      }
    }
    ctx.restore();
  }

  /** Frames that are seen, in runs without a gap and side by side in the painted picture. */
  #runs(from, now) {
    const runs = [];
    for (const frame of this.frames.list) {
      if (frame.at + frame.width < from || frame.at - frame.width > now) continue;
      if (!runs.length || frame.first || frame.number % this.painted.width === 0) runs.push([]);
      runs.at(-1).push(frame);
    }
    return runs;
  }

  #paint(part, colours) {
    const key = [part, colours.paper].join();
    if (key !== this.key) Object.assign(this, { key, next: 0, ramps: ramps(colours) });
    const ctx = this.painted.getContext("2d");
    for (const { number, values } of this.frames.list) {
      if (number < this.next) continue;
      const column = ctx.createImageData(1, this.painted.height);
      for (const [index, value] of values[part].entries()) {
        const bin = index % this.bins;
        const row = index - bin + this.bins - 1 - bin;
        column.data.set(shade(bin ? this.ramps.rest : this.ramps.mean[Number(value < 0)], value), 4 * row);
      }
      ctx.putImageData(column, number % this.painted.width, 0);
      this.next = number + 1;
    }
  }
}

/** Lightness grows, or in the dark falls, from nothing to the largest value: it can be read without colours. */
function ramps({ paper, accent, ink }) {
  const [least, middle, most, negative] = [paper, accent, ink, NEGATIVE].map(parts);
  return { rest: [least, middle, most], mean: [[least, middle], [least, negative]] };
}

/** Colour of a value from -1 to 1; the square root shows what is small. */
function shade(ramp, value) {
  const place = Math.sqrt(Math.min(1, Math.abs(value))) * (ramp.length - 1);
  const index = Math.min(Math.floor(place), ramp.length - 2);
  const share = place - index;
  return [0, 1, 2].map((part) => ramp[index][part] + share * (ramp[index + 1][part] - ramp[index][part])).concat(255);
}

function parts(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}
