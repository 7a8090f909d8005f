// Pictures on the two canvases: signals with their labels, and the whole recording in a strip.

import { fill, inkOn } from "./colours.js";
import { clock, decimalsOf, niceStep, timeStep } from "./format.js";

export const BAND = 26;
const AXIS = 22;
const GAP = 8;
const STRIP = 12;
// Samples a column from which on only their smallest and largest are drawn.
const DENSE = 4;

/** The parts of a canvas of the signals, in CSS pixels. */
export function layout(width, height, panels) {
  const left = width < 500 ? 34 : 46;
  const inner = height - BAND - AXIS - GAP * panels;
  return {
    left,
    width: width - left - 6,
    panels: Array.from({ length: panels }, (_, index) => ({
      top: BAND + GAP + index * (inner / panels + GAP),
      height: inner / panels,
    })),
    axis: height - AXIS,
    height,
  };
}

/** From where to where the grips of a selection's edges reach, in pixels from the top. */
export function grip({ axis }) {
  const middle = (BAND + axis) / 2;
  return [middle - 26, middle + 26];
}

/** Signals, labels, selection and caret. */
export function drawSignals(surface, scene) {
  const { ctx } = surface;
  const { view, editor, colours, place } = scene;
  ctx.save();
  ctx.translate(place.left, 0);
  drawTimes(ctx, scene);
  ctx.save();
  ctx.beginPath();
  ctx.rect(0, 0, place.width, place.axis);
  ctx.clip();
  for (const [index, each] of editor.list.entries()) {
    if (each.stop > view.from && each.start < view.to) drawSegment(ctx, scene, each, index === editor.selected);
  }
  ctx.restore();
  for (const [index, panel] of scene.panels.entries()) drawPanel(surface, scene, panel, place.panels[index]);
  ctx.beginPath();
  ctx.rect(-2, 0, place.width + 4, place.axis);
  ctx.clip();
  drawSelection(ctx, scene);
  line(ctx, view.x(editor.caret), 0, view.x(editor.caret), place.axis, colours.ink, [3, 3]);
  ctx.restore();
}

/** The whole recording, its labels, and what of it is shown. */
export function drawOverview(surface, scene) {
  const { ctx, height } = surface;
  const { view, editor, colours, place, panels, pyramids } = scene;
  ctx.save();
  ctx.translate(place.left, 0);
  const whole = { from: 0, span: editor.samples, width: place.width };
  ctx.strokeStyle = colours.grey;
  const area = { top: 2, height: height - STRIP - 6 };
  for (const channel of panels[0].channels) {
    drawTrace(surface, pyramids[channel], whole, area, panels[0].scale, place.width);
  }
  const scale = place.width / editor.samples;
  for (const { start, stop, name } of editor.list) {
    ctx.fillStyle = fill(ctx, colours, editor.names.index(name));
    ctx.fillRect(start * scale, height - STRIP, Math.max((stop - start) * scale, 1), STRIP);
  }
  const [x, wide] = [view.from * scale, Math.max(view.span * scale, 3)];
  ctx.fillStyle = colours.accent;
  ctx.globalAlpha = 0.14;
  ctx.fillRect(x, 0, wide, height);
  ctx.globalAlpha = 1;
  ctx.strokeStyle = colours.accent;
  ctx.lineWidth = 1.5;
  ctx.strokeRect(x + 0.75, 0.75, Math.max(wide - 1.5, 1), height - 1.5);
  ctx.restore();
}

/** The smallest and largest value of some channels between two samples, with room around. */
export function scaleOf(pyramids, channels, from, to) {
  const ranges = channels.map((channel) => pyramids[channel].range(from, to));
  const low = Math.min(...ranges.map(([least]) => least));
  const high = Math.max(...ranges.map(([, most]) => most));
  const room = 0.06 * (high - low) || 1;
  return { low: low - room, high: high + room };
}

function drawTimes(ctx, { view, editor, colours, place }) {
  const seconds = view.span / editor.rate;
  const step = timeStep(seconds, Math.max(2, Math.floor(place.width / 76)));
  const decimals = decimalsOf(step);
  ctx.fillStyle = colours.grey;
  ctx.textAlign = "center";
  ctx.textBaseline = "top";
  for (let tick = Math.ceil(view.from / editor.rate / step); tick * step <= view.to / editor.rate; tick++) {
    const x = view.x(tick * step * editor.rate);
    line(ctx, x, BAND, x, place.axis + 4, colours.grid);
    if (x > 16 && x < place.width - 16) ctx.fillText(clock(tick * step, decimals), x, place.axis + 6);
  }
}

function drawSegment(ctx, { view, editor, colours, place }, { start, stop, name }, selected) {
  const [x, wide] = [view.x(start), view.x(stop) - view.x(start)];
  const index = editor.names.index(name);
  ctx.fillStyle = fill(ctx, colours, index);
  ctx.globalAlpha = 0.16;
  ctx.fillRect(x, BAND, wide, place.axis - BAND);
  ctx.globalAlpha = 1;
  ctx.fillRect(x, 2, Math.max(wide, 1), BAND - 4);
  for (const edge of [x, x + wide]) line(ctx, edge, 2, edge, place.axis, colours.paper);
  line(ctx, x, BAND, x, place.axis, colours.labels[index % colours.labels.length]);
  if (selected) {
    ctx.strokeStyle = colours.ink;
    ctx.lineWidth = 2;
    ctx.strokeRect(x + 1, 3, Math.max(wide - 2, 1), BAND - 6);
  }
  const shown = Math.max(x, 0);
  const room = Math.min(x + wide, place.width) - shown - 10;
  const text = fitted(ctx, name, room);
  if (!text) return;
  ctx.fillStyle = inkOn(colours.labels[index % colours.labels.length]);
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  ctx.fillText(text, shown + 5, BAND / 2 + 0.5);
}

function drawPanel(surface, scene, panel, area) {
  const { ctx } = surface;
  const { view, colours, place, pyramids } = scene;
  const y = (value) => area.top + ((panel.scale.high - value) / (panel.scale.high - panel.scale.low)) * area.height;
  ctx.textAlign = "right";
  ctx.textBaseline = "middle";
  const step = niceStep(panel.scale.high - panel.scale.low, 3);
  for (let tick = Math.ceil(panel.scale.low / step); tick * step < panel.scale.high; tick++) {
    const at = y(tick * step);
    line(ctx, 0, at, place.width, at, tick === 0 ? colours.grey : colours.grid);
    ctx.fillStyle = colours.grey;
    ctx.fillText(Number((tick * step).toPrecision(6)), -5, at);
  }
  ctx.save();
  ctx.beginPath();
  ctx.rect(0, area.top, place.width, area.height);
  ctx.clip();
  for (const [axis, channel] of panel.channels.entries()) {
    ctx.strokeStyle = colours.axes[axis % colours.axes.length];
    // Where one axis lies over another, both are seen.
    ctx.globalAlpha = 0.85;
    drawTrace(surface, pyramids[channel], view, area, panel.scale, place.width);
  }
  ctx.restore();
  drawLegend(ctx, scene, panel, area);
}

function drawLegend(ctx, { colours }, panel, area) {
  ctx.textAlign = "left";
  ctx.textBaseline = "top";
  const widths = panel.axes.map((axis) => ctx.measureText(axis).width);
  const title = ctx.measureText(panel.title).width;
  const whole = title + widths.reduce((sum, wide) => sum + wide + 24, 0) + 10;
  ctx.fillStyle = colours.paper;
  ctx.globalAlpha = 0.8;
  ctx.fillRect(4, area.top + 2, whole, 18);
  ctx.globalAlpha = 1;
  ctx.fillStyle = colours.ink;
  ctx.fillText(panel.title, 9, area.top + 5);
  let x = 9 + title;
  for (const [axis, name] of panel.axes.entries()) {
    line(ctx, x + 8, area.top + 11, x + 18, area.top + 11, colours.axes[axis % colours.axes.length], [], 3);
    ctx.fillStyle = colours.ink;
    ctx.fillText(name, x + 21, area.top + 5);
    x += widths[axis] + 24;
  }
}

/**
 * One channel. With many samples a pixel, each column of the screen has a line from the smallest to the largest value in
 * it, so that no peak is lost at any zoom.
 */
function drawTrace({ ctx, ratio }, pyramid, view, area, scale, width) {
  const y = (value) => area.top + ((scale.high - value) / (scale.high - scale.low)) * area.height;
  const columns = Math.round(width * ratio);
  const each = view.span / columns;
  ctx.beginPath();
  if (each <= DENSE) {
    ctx.lineWidth = 1.3;
    ctx.lineJoin = "round";
    const first = Math.max(0, Math.floor(view.from - 1));
    const last = Math.min(pyramid.length - 1, Math.ceil(view.from + view.span));
    // A sample stands for the time up to the next one: labels begin and end between samples.
    const x = (sample) => ((sample + 0.5 - view.from) / view.span) * width;
    for (let sample = first; sample <= last; sample++) ctx.lineTo(x(sample), y(pyramid.value(sample)));
    if (each * ratio < 0.12) {
      ctx.fillStyle = ctx.strokeStyle;
      for (let sample = first; sample <= last; sample++) ctx.fillRect(x(sample) - 2, y(pyramid.value(sample)) - 2, 4, 4);
    }
  } else {
    ctx.lineWidth = 1 / ratio;
    for (let column = 0; column < columns; column++) {
      // From the sample before, so that a line without a break joins the columns.
      const from = Math.max(0, Math.floor(view.from + column * each) - 1);
      const to = Math.min(pyramid.length, Math.floor(view.from + (column + 1) * each));
      if (from >= to) continue;
      const [low, high] = pyramid.range(from, to);
      const x = (column + 0.5) / ratio;
      ctx.moveTo(x, y(low) + 0.5 / ratio);
      ctx.lineTo(x, y(high) - 0.5 / ratio);
    }
  }
  ctx.stroke();
}

function drawSelection(ctx, { view, editor, colours, place }) {
  if (!editor.selection) return;
  const [x, to] = [view.x(editor.selection.start), view.x(editor.selection.stop)];
  ctx.fillStyle = colours.accent;
  ctx.globalAlpha = 0.16;
  ctx.fillRect(x, BAND, to - x, place.axis - BAND);
  ctx.globalAlpha = 1;
  const [least, most] = grip(place);
  for (const edge of [x, to]) {
    line(ctx, edge, 0, edge, place.axis, colours.accent, [], 2);
    ctx.beginPath();
    ctx.roundRect(edge - 4, least + 6, 8, most - least - 12, 4);
    ctx.fillStyle = colours.accent;
    ctx.fill();
    line(ctx, edge, least + 14, edge, most - 14, colours.paper, [], 1.5);
  }
}

function line(ctx, x1, y1, x2, y2, colour, dashes = [], width = 1) {
  ctx.beginPath();
  ctx.setLineDash(dashes);
  ctx.strokeStyle = colour;
  ctx.lineWidth = width;
  ctx.moveTo(x1, y1);
  ctx.lineTo(x2, y2);
  ctx.stroke();
  ctx.setLineDash([]);
}

/** As much of a text as fits, with an ellipsis; empty if that is not a letter. */
function fitted(ctx, text, room) {
  if (ctx.measureText(text).width <= room) return text;
  const letters = [...text];
  while (letters.length > 1) {
    letters.pop();
    const shorter = `${letters.join("")}…`;
    if (ctx.measureText(shorter).width <= room) return shorter;
  }
  return "";
}
