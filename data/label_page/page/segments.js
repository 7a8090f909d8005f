// Segments of one recording: a list of {start, stop, name} in order of time, without overlap; `stop` is excluded.
// Lists are never changed: every function returns a new one.

export const segment = (start, stop, name) => Object.freeze({ start, stop, name });

/** The list with samples `start` to `stop` named `name`, or without a label if it is null. */
export function paint(list, start, stop, name) {
  const painted = [];
  for (const each of list) {
    if (each.stop <= start || each.start >= stop) {
      painted.push(each);
      continue;
    }
    if (each.start < start) painted.push(segment(each.start, start, each.name));
    if (each.stop > stop) painted.push(segment(stop, each.stop, each.name));
  }
  if (name !== null && start < stop) painted.push(segment(start, stop, name));
  return painted.sort((one, other) => one.start - other.start);
}

/** The list with the segment around sample `at` cut in two there; the same list if there is none. */
export function split(list, at) {
  const index = indexAt(list, at);
  if (index < 0 || list[index].start === at) return list;
  const { start, stop, name } = list[index];
  return list.toSpliced(index, 1, segment(start, at, name), segment(at, stop, name));
}

/**
 * The list with one edge of a segment moved as far as its neighbours let it. Where a neighbour touches that edge, the
 * neighbour's edge moves along.
 */
export function moveEdge(list, index, side, to, samples) {
  const own = list[index];
  const step = side === "start" ? -1 : 1;
  const other = list[index + step];
  const touching = other && (side === "start" ? other.stop === own.start : other.start === own.stop);
  if (side === "start") {
    const least = touching ? other.start + 1 : (other?.stop ?? 0);
    const at = clamp(to, least, own.stop - 1);
    const moved = [segment(at, own.stop, own.name)];
    return touching
      ? list.toSpliced(index - 1, 2, segment(other.start, at, other.name), ...moved)
      : list.toSpliced(index, 1, ...moved);
  }
  const most = touching ? other.stop - 1 : (other?.start ?? samples);
  const at = clamp(to, own.start + 1, most);
  const moved = [segment(own.start, at, own.name)];
  return touching
    ? list.toSpliced(index, 2, ...moved, segment(at, other.stop, other.name))
    : list.toSpliced(index, 1, ...moved);
}

/** Index of the segment that holds a sample; -1 if it has no label. */
export function indexAt(list, sample) {
  const index = lastFrom(list, sample);
  return index >= 0 && sample < list[index].stop ? index : -1;
}

/** Index of the segment that is exactly this range; -1 if none is. */
export function indexOf(list, range) {
  const index = range ? lastFrom(list, range.start) : -1;
  return index >= 0 && list[index].start === range.start && list[index].stop === range.stop ? index : -1;
}

/** The nearest edge within `reach` samples of a place, as {index, side, at}; null if none is. */
export function edgeNear(list, place, reach) {
  let best = null;
  const first = Math.max(0, lastFrom(list, place - reach) - 1);
  for (let index = first; index < list.length && list[index].start <= place + reach; index++) {
    for (const side of ["start", "stop"]) {
      const at = list[index][side];
      const away = Math.abs(at - place);
      if (away <= reach && (best === null || away < Math.abs(best.at - place))) best = { index, side, at };
    }
  }
  return best;
}

/** The sample next to a place, or the edge of a segment or of the recording within `reach` of it. */
export function snap(list, place, reach, samples) {
  const edge = edgeNear(list, place, reach);
  if (edge) return edge.at;
  if (place <= reach) return 0;
  if (place >= samples - reach) return samples;
  return clamp(Math.round(place), 0, samples);
}

/** The nearest edge before (`step` -1) or after (1) a sample, or the recording's end there. */
export function nextEdge(list, sample, step, samples) {
  const edges = list.flatMap(({ start, stop }) => [start, stop]);
  if (step > 0) return edges.find((edge) => edge > sample) ?? samples;
  return edges.findLast((edge) => edge < sample) ?? 0;
}

/** The rows of a file again as a list: [[start, stop, index of the name], …]. */
export const fromRows = (rows, names) => rows.map(([start, stop, label]) => segment(start, stop, names[label]));

/** What `fromRows` reads. */
export const toRows = (list, names) => list.map(({ start, stop, name }) => [start, stop, names.indexOf(name)]);

const clamp = (value, least, most) => Math.min(Math.max(value, least), most);

/** Index of the last segment that starts at or before a sample; -1 if none does. */
function lastFrom(list, sample) {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle].start <= sample) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
