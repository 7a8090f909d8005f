// The stretch of a recording that is shown.

const CLOSEST = 10;

export class View {
  /** @param samples length of the recording */
  constructor(samples, width = 1) {
    this.samples = samples;
    this.width = width;
    this.from = 0;
    this.span = samples;
  }

  get to() {
    return this.from + this.span;
  }

  /** Pixels from the left of a sample's beginning. */
  x(sample) {
    return ((sample - this.from) / this.span) * this.width;
  }

  /** Where a pixel is, in samples, not rounded. */
  place(x) {
    return this.from + (x / this.width) * this.span;
  }

  /** Samples of so many pixels. */
  reach(pixels) {
    return (pixels / this.width) * this.span;
  }

  /** Show `factor` times as much, with what is at pixel `x` staying there. */
  zoom(factor, x = this.width / 2) {
    const held = this.place(x);
    const span = Math.min(Math.max(this.span * factor, Math.min(CLOSEST, this.samples)), this.samples);
    this.#set(held - (x / this.width) * span, span);
  }

  /** Move by a share of what is shown. */
  pan(share) {
    this.#set(this.from + share * this.span, this.span);
  }

  show(from, to) {
    const span = Math.min(Math.max(to - from, Math.min(CLOSEST, this.samples)), this.samples);
    this.#set((from + to - span) / 2, span);
  }

  /** Show a stretch and a little around it. */
  frame({ start, stop }) {
    const margin = 0.1 * (stop - start);
    this.show(start - margin, stop + margin);
  }

  /** Move only as far as it takes to show a stretch, with a margin. */
  reveal(from, to = from) {
    const margin = 0.05 * this.span;
    if (to - from + 2 * margin > this.span) this.frame({ start: from, stop: to });
    else if (from - margin < this.from) this.#set(from - margin, this.span);
    else if (to + margin > this.to) this.#set(to + margin - this.span, this.span);
  }

  #set(from, span) {
    this.span = span;
    this.from = Math.min(Math.max(from, 0), this.samples - span);
  }
}
