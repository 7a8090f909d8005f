// The page of a run: keeps what comes, and redraws what is seen.

import { theme } from "./colours.js";
import { Heat } from "./heat.js";
import { follow } from "./link.js";
import { drawTimeline, drawTraces } from "./pictures.js";
import { Run } from "./run.js";
import { ask } from "./ask.js";
import { tellPersonal } from "./personal.js";
import { offer, say, tellRecording } from "./recording.js";
import { clock, figures, note } from "./words.js";

const SENSORS = { acc: ["acceleration", "m/s²"], gyro: ["rotation", "rad/s"], mag: ["magnetic field", "µT"] };
const AXES = ["x", "y", "z"];
// Signals come in pieces: the picture runs on between them, and waits at the newest sample.
const FARTHEST_BEHIND_S = 3;
// Height of a channel's strip of the spectrogram, pixels.
const STRIP = 36;

const run = new Run();
const get = (id) => document.getElementById(id);
const calm = matchMedia("(prefers-reduced-motion: reduce)");
let colours = null;
let groups = [];
let heat = null;
let shown = { at: 0, wall: 0 };
let held = null;
let stale = true;

follow(
  (message) => {
    run.take(message);
    if (message.kind === "beginning") build();
    if (message.kind === "labels") buildLabels();
    stale = true;
  },
  (state) => {
    get("link").className = state === "on" ? "on" : "off";
    get("linked").textContent = { on: "Live", off: "Reconnecting…", full: "Too many viewers; trying again…" }[state];
    get("trouble").hidden = state === "on";
    get("trouble").textContent =
      state === "full"
        ? "Too many pages of this run are open. This one will show it once another is closed."
        : "No connection to the run: it has ended, or the network is gone. What is shown is the last that came.";
  },
);

get("hold").onclick = () => {
  held = held === null ? now() : null;
  get("hold").setAttribute("aria-pressed", String(held !== null));
};
get("seen").onclick = () => ask("answer", {}).catch(({ message }) => say(message));
get("span").onchange = () => (stale = true);
matchMedia("(prefers-color-scheme: dark)").onchange = () => (colours = null);
addEventListener("resize", () => (stale = true));

/** Make the elements that depend on the model: bars, keys and canvases. */
function build() {
  const { channels, sensor } = run.about;
  get("sensor").textContent = sensor;
  paint();
  buildLabels();
  get("axes").replaceChildren(...AXES.map((axis, index) => entry(axis, colours.axes[index], false)));
  groups = Object.entries(SENSORS).flatMap(([prefix, [name, unit]]) => {
    const of = channels.flatMap((channel, index) => (channel.startsWith(`${prefix}_`) ? [index] : []));
    if (!of.length) return [];
    const canvas = make("canvas");
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", `${name} in ${unit}, the last 10 seconds`);
    return [{ canvas, of, unit, name }];
  });
  get("traces").replaceChildren(...groups.map(({ canvas }) => canvas));
  buildSpectrogram();
}

/** Bars and keys: a wearer may bring further labels. */
function buildLabels() {
  const { labels } = run.about;
  offer(labels);
  get("bars").replaceChildren(...labels.map(bar));
  get("key").replaceChildren(...labels.map((label, index) => entry(label, colours.labels[index % 8], index >= 8)));
}

function buildSpectrogram() {
  const { frames, about } = run;
  get("spectrum").hidden = !frames;
  heat = frames && new Heat(frames, about.rate);
  if (!frames) return;
  const { parts, length, channels } = frames;
  const chosen = get("part").value || "0";
  get("part").replaceChildren(...parts.map(({ name }, index) => Object.assign(make("option", name), { value: index })));
  get("part").value = chosen;
  get("part").hidden = parts.length < 2;
  get("frames").style.height = `${STRIP * channels}px`;
  const highest = (((parts[0].rows.length - 1) * about.rate) / length).toFixed(0);
  get("bins").textContent = `In each strip 0 Hz at the bottom and ${highest} Hz at the top, in frames of ${length} samples.`;
}

function paint() {
  colours = { ...theme(run.about.colours), ...style("bad", "edge") };
}

function style(...names) {
  const found = getComputedStyle(document.documentElement);
  return Object.fromEntries(names.map((name) => [name, found.getPropertyValue(`--${name}`).trim()]));
}

function make(tag, ...children) {
  const made = document.createElement(tag);
  made.append(...children);
  return made;
}

function bar(label, index) {
  const inner = make("b");
  inner.style.setProperty("--colour", colours.labels[index % 8]);
  return make("li", make("span", label), make("i", inner), make("output", "–"));
}

function entry(text, colour, again) {
  const swatch = make("span");
  swatch.className = again ? "swatch again" : "swatch";
  swatch.style.setProperty("--colour", colour);
  return make("li", swatch, text);
}

/** A channel's name for the margin: acc_x is acc x. */
function short(channel) {
  return channel.replace("_", " ");
}

/** Time that is shown at the right edge. */
function now() {
  const wall = performance.now() / 1000;
  const going = shown.at + (wall - shown.wall);
  if (going < run.newest - FARTHEST_BEHIND_S) shown = { at: run.newest - 1, wall };
  else shown = { at: Math.min(going, run.newest), wall };
  return shown.at;
}

function tellLabel() {
  const { latest, about, changed } = run;
  const wearer = latest ? latest.wearer : about.wearer;
  get("worn").textContent = wearer == null ? "" : `corrected for ${wearer}`;
  if (!latest) return;
  if (get("label").textContent !== latest.state) {
    get("label").textContent = latest.state;
    const index = about.labels.indexOf(latest.state);
    get("label").style.setProperty("--colour", index < 0 ? "var(--edge)" : colours.labels[index % 8]);
    document.title = `${latest.state} – deseptr`;
  }
  const since = changed ? `for ${clock(run.newest - changed.at)}` : "";
  get("since").textContent = latest.unknown ? `${since} ${latest.unknown}`.trim() : since;
  const top = latest.p.indexOf(Math.max(...latest.p));
  for (const [index, item] of [...get("bars").children].entries()) {
    item.className = index === top ? "top" : "";
    const share = latest.p[index] ?? 0;
    item.querySelector("b").style.transform = `scaleX(${share})`;
    item.querySelector("output").textContent = `${(100 * share).toFixed(1)} %`;
  }
}

function tellAlarms() {
  const [newest] = [...run.alarms.values()].slice(-1);
  get("alarm").hidden = !newest;
  if (newest) get("alarmed").textContent = `${newest.label} at ${clock(newest.at)}`;
}

function tellFigures() {
  const rows = figures(run).flatMap(([name, text, bad]) => {
    const value = make("dd", text);
    value.className = bad ? "bad" : "";
    return [make("dt", name), value];
  });
  get("figures").replaceChildren(...rows);
  get("nothing").hidden = run.notes.length > 0;
  const items = run.notes.toReversed().map((message) => {
    const item = make("li", make("time", clock(message.at)), make("b", note(message)));
    item.className = message.kind === "change" || message.ended ? "" : "bad";
    return item;
  });
  get("notes").replaceChildren(...items);
}

function redraw() {
  if (run.about) {
    if (!colours) {
      paint();
      stale = true;
    }
    const at = held ?? now();
    for (const group of groups) drawTraces(group.canvas, run, colours, at, group);
    heat?.draw(get("frames"), Number(get("part").value), run.about.channels.map(short), colours, at);
    if (stale) {
      const span = Number(get("span").value);
      drawTimeline(get("timeline"), run, colours, run.newest, span);
      get("timeline").ariaLabel = `Labels of the last ${span / 60} minutes, newest right; now ${run.latest?.state ?? "none"}`;
      tellLabel();
      tellFigures();
      tellAlarms();
      tellRecording(run.recording);
      tellPersonal(run.personal);
      stale = false;
    }
  }
  if (calm.matches) setTimeout(() => requestAnimationFrame(redraw), 500);
  else requestAnimationFrame(redraw);
}

requestAnimationFrame(redraw);
