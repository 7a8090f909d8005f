// Exact smallest and largest values of any stretch of samples, in a time that hardly depends on its length.

const FACTOR = 16;

export class Pyramid {
  #levels;

  /** @param values samples of one channel */
  constructor(values) {
    this.#levels = [{ low: values, high: values }];
    while (this.#levels.at(-1).low.length >= FACTOR) this.#levels.push(coarser(this.#levels.at(-1)));
  }

  get length() {
    return this.#levels[0].low.length;
  }

  value(sample) {
    return this.#levels[0].low[sample];
  }

  /** [smallest, largest] of the samples from `from` up to, but without, `to`. */
  range(from, to) {
    let low = Infinity;
    let high = -Infinity;
    for (const level of this.#levels) {
      const take = (index) => {
        if (level.low[index] < low) low = level.low[index];
        if (level.high[index] > high) high = level.high[index];
      };
      while (from < to && from % FACTOR) take(from++);
      while (from < to && to % FACTOR) take(--to);
      if (from >= to) break;
      from /= FACTOR;
      to /= FACTOR;
    }
    return [low, high];
  }
}

/** Blocks of the next level; a last one that is not whole is left out, since `range` never asks for it. */
function coarser({ low, high }) {
  const count = Math.floor(low.length / FACTOR);
  const next = { low: new Float32Array(count), high: new Float32Array(count) };
  for (let block = 0; block < count; block++) {
    let least = Infinity;
    let most = -Infinity;
    for (let index = block * FACTOR; index < (block + 1) * FACTOR; index++) {
      if (low[index] < least) least = low[index];
      if (high[index] > most) most = high[index];
    }
    next.low[block] = least;
    next.high[block] = most;
  }
  return next;
}
