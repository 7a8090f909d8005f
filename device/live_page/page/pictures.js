// The timeline of labels and the traces of the signals, on canvases.

import { prepare } from "./canvas.js";
import { fill } from "./colours.js";

export const SHOWN_S = 10;
export const LEFT = 40;
const FOOT = 18;
// Samples a pixel from which on a column shows its smallest and largest only: nothing that sticks out is lost.
const DENSE = 2;

/** Labels of the last `span` seconds until `now`, newest right; gaps and recoveries on the same axis. */
export function drawTimeline(canvas, run, colours, now, span) {
  const surface = prepare(canvas);
  if (!surface) return;
  const { ctx, width, height } = surface;
  const x = (at) => width - ((now - at) / span) * width;
  const floor = height - FOOT;
  const hop = hopOf(run);
  for (const { from, at, state } of stretches(run.windows, now - span, hop)) {
    ctx.fillStyle = labelFill(ctx, colours, run.about.labels, state);
    ctx.fillRect(x(from), 14, Math.max(1, x(at) - x(from)), floor - 16);
  }
  for (const { at, kind } of run.marks) {
    if (at >= now - span) drawMark(ctx, colours, x(at), floor, kind);
  }
  ctx.strokeStyle = colours.grid;
  line(ctx, 0, floor, width, floor);
  ctx.fillStyle = colours.grey;
  const step = span / (width < 500 ? 2 : 5);
  for (let back = 0; back <= span; back += step) {
    ctx.textAlign = back === 0 ? "right" : back === span ? "left" : "center";
    ctx.fillText(back === 0 ? "now" : `−${back % 60 && span <= 60 ? `${back} s` : `${back / 60} min`}`, x(now - back), height - 4);
  }
}

/** Signals of one sensor from `now - SHOWN_S` on; `of` are the numbers of its channels. */
export function drawTraces(canvas, run, colours, now, { of, unit, name }) {
  const surface = prepare(canvas);
  if (!surface) return;
  const { ctx, width, height } = surface;
  const from = now - SHOWN_S;
  const x = (at) => LEFT + ((at - from) / SHOWN_S) * (width - LEFT);
  const pieces = run.samples.filter((each) => each.until >= from && each.at <= now);
  const [low, high] = range(pieces, of);
  const floor = height - 4;
  const y = (value) => floor - ((value - low) / (high - low)) * (floor - 16);
  ctx.strokeStyle = colours.grid;
  ctx.fillStyle = colours.grey;
  ctx.textAlign = "right";
  for (const value of ticks(low, high)) {
    line(ctx, LEFT, y(value), width, y(value));
    ctx.fillText(`${value}`.replace("-", "−"), LEFT - 6, y(value) + 4);
  }
  ctx.textAlign = "left";
  ctx.fillText(`${name}, ${unit}`, LEFT + 4, 11);
  ctx.save();
  ctx.beginPath();
  ctx.rect(LEFT, 0, width - LEFT, height);
  ctx.clip();
  for (const { at, kind } of run.marks) if (at >= from) drawMark(ctx, colours, x(at), floor, kind);
  ctx.lineWidth = 1.4;
  ctx.lineJoin = "round";
  for (const [index, channel] of of.entries()) {
    ctx.strokeStyle = colours.axes[index % colours.axes.length];
    drawTrace(ctx, pieces, channel, x, y, run.marks);
  }
  ctx.restore();
  ctx.lineWidth = 1;
}

function drawTrace(ctx, pieces, channel, x, y, marks) {
  ctx.beginPath();
  for (const [number, piece] of pieces.entries()) {
    const values = piece.x[channel];
    const step = 1 / piece.rate;
    const torn = number === 0 || piece.first || marks.some(({ at, kind }) => kind === "gap" && Math.abs(at - piece.at) < step);
    const each = Math.max(1, Math.floor(piece.rate / ((x(1) - x(0)) * DENSE)));
    for (let first = 0; first < values.length; first += each) {
      const place = x(piece.at + first * step);
      const few = values.slice(first, first + each);
      const start = first === 0 && torn ? "moveTo" : "lineTo";
      ctx[start](place, y(few[0]));
      if (each > 1) {
        ctx.lineTo(place, y(Math.min(...few)));
        ctx.lineTo(place, y(Math.max(...few)));
      }
    }
  }
  ctx.stroke();
}

/** A gap is a cross, a recovery a triangle: shapes, since colours alone say nothing to some. */
function drawMark(ctx, colours, at, floor, kind) {
  ctx.strokeStyle = ctx.fillStyle = colours.bad;
  ctx.lineWidth = 2;
  ctx.setLineDash([3, 3]);
  line(ctx, at, 12, at, floor);
  ctx.setLineDash([]);
  if (kind === "gap") {
    line(ctx, at - 4, 2, at + 4, 10);
    line(ctx, at - 4, 10, at + 4, 2);
  } else {
    ctx.beginPath();
    ctx.moveTo(at, 2);
    ctx.lineTo(at + 5, 10);
    ctx.lineTo(at - 5, 10);
    ctx.fill();
  }
  ctx.lineWidth = 1;
}

function labelFill(ctx, colours, labels, label) {
  const index = labels.indexOf(label);
  return index < 0 ? colours.edge : fill(ctx, colours, index);
}

/** Windows after `oldest`, of which those of one label that join on are one: seams between them would show. */
function stretches(windows, oldest, hop) {
  const found = [];
  for (const { at, state } of windows) {
    if (at < oldest) continue;
    const before = found.at(-1);
    if (before?.state === state && at - before.at < 1.5 * hop) before.at = at;
    else found.push({ from: at - hop, at, state });
  }
  return found;
}

function hopOf({ windows }) {
  for (let index = windows.length - 1; index > 0; index -= 1) {
    const hop = windows[index].at - windows[index - 1].at;
    if (hop > 0 && hop < 20) return hop;
  }
  return 1;
}

/** Smallest and largest value, with some room. */
function range(pieces, channels) {
  let [low, high] = [Infinity, -Infinity];
  for (const { x } of pieces) {
    for (const channel of channels) {
      for (const value of x[channel]) {
        if (value < low) low = value;
        if (value > high) high = value;
      }
    }
  }
  if (low > high) return [-1, 1];
  const room = Math.max(0.1 * (high - low), 0.05);
  return [low - room, high + room];
}

function ticks(low, high) {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 5, 10].find((each) => each * power >= rough);
  const found = [];
  for (let index = Math.ceil(low / step); index * step <= high; index += 1) found.push(Number((index * step).toPrecision(6)));
  return found;
}

function line(ctx, x1, y1, x2, y2) {
  ctx.beginPath();
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
}
