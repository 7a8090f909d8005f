// Joins editor, canvases, panel and server.

import { prepare } from "./canvas.js";
import { theme } from "./colours.js";
import { drawOverview, drawSignals, layout, scaleOf } from "./drawing.js";
import { Editor } from "./editor.js";
import { clock, count, duration } from "./format.js";
import { History } from "./history.js";
import { listenToKeys } from "./keys.js";
import { Names } from "./names.js";
import { Panel } from "./panel.js";
import { listen, listenOverview } from "./pointer.js";
import { Pyramid } from "./pyramid.js";
import { fromRows, toRows } from "./segments.js";
import { Server } from "./server.js";
import { View } from "./view.js";

const KEEP_AFTER_MS = 300;
// Recordings whose signals stay in memory.
const KEPT = 4;

const $ = (id) => document.getElementById(id);
const server = new Server();

class Page {
  #loaded = new Map();
  #drawing = false;
  #keeping = null;
  // Whether there are changes that are neither saved nor kept.
  #behind = false;
  #pyramids = null;
  #view = new View(1);

  constructor(state) {
    this.state = state;
    const { labels, unsaved, recordings } = state;
    const names = new Names(labels.names, state.limits);
    const history = new History(labels.segments.map((rows) => fromRows(rows, labels.names)));
    if (unsaved) {
      for (const name of unsaved.names) names.take(name);
      const lists = unsaved.segments.map((rows, index) => [index, fromRows(rows, unsaved.names)]);
      history.change(lists, "the labels that were not saved");
    }
    this.editor = new Editor(recordings, history, names);
    this.panels = panelsOf(state.channels);
    this.panel = new Panel(this.editor, state.colours.labels, ({ start, stop }) => this.#show((v) => v.reveal(start, stop)));
    this.#listen();
    this.#fillChoice();
    this.#showSaved(state.saved);
    this.#showLabels();
    if (unsaved) this.editor.say("Labels that were not saved are here again; Undo returns to those of the file.");
  }

  view() {
    return this.#view;
  }

  place() {
    const { clientWidth, clientHeight } = $("signals");
    return layout(clientWidth, clientHeight, this.panels.length);
  }

  /** After a drag has selected something: type a name at once; on a touch screen that would open the keyboard. */
  chosen(pointerType) {
    if (pointerType !== "touch") this.panel.ask();
  }

  redraw() {
    if (this.#drawing) return;
    this.#drawing = true;
    requestAnimationFrame(() => {
      this.#drawing = false;
      this.#draw();
    });
  }

  async open(index) {
    const { editor, panels } = this;
    this.#pyramids = null;
    $("recording").value = index;
    $("previous").disabled = index === 0;
    $("next").disabled = index === editor.recordings.length - 1;
    if (editor.recording !== index) editor.open(index);
    this.#view = new View(editor.samples);
    this.panel.showLabels();
    this.redraw();
    const pyramids = await this.#signals(index);
    if (editor.recording !== index) return;
    this.#pyramids = pyramids;
    for (const panel of panels) panel.whole = scaleOf(pyramids, panel.channels, 0, editor.samples);
    this.redraw();
  }

  async #signals(index) {
    let pyramids = this.#loaded.get(index);
    if (!pyramids) {
      const channels = await server.signals(index, this.state.channels.length);
      pyramids = channels.map((values) => new Pyramid(values));
    }
    this.#loaded.delete(index);
    this.#loaded.set(index, pyramids);
    if (this.#loaded.size > KEPT) this.#loaded.delete(this.#loaded.keys().next().value);
    return pyramids;
  }

  #draw() {
    const place = this.place();
    const view = this.#view;
    view.width = Math.max(place.width, 1);
    this.panel.showLook(view);
    const surfaces = [prepare($("signals")), prepare($("overview"))];
    // For those who look from outside, such as tests: what is shown, and where.
    Object.assign($("signals").dataset, { from: view.from, span: view.span, left: place.left, width: place.width });
    $("signals").dataset.drawn = this.#pyramids ? this.editor.recording : "";
    if (!this.#pyramids || surfaces.includes(null)) return;
    const fit = $("heights").checked;
    const shown = [Math.max(0, Math.floor(view.from)), Math.min(this.editor.samples, Math.ceil(view.to))];
    const panels = this.panels.map((panel) => ({
      ...panel,
      scale: fit ? scaleOf(this.#pyramids, panel.channels, ...shown) : panel.whole,
    }));
    const colours = theme(this.state.colours);
    const scene = { view, editor: this.editor, colours, place, panels, pyramids: this.#pyramids };
    drawSignals(surfaces[0], scene);
    drawOverview(surfaces[1], { ...scene, panels: this.panels.map((panel) => ({ ...panel, scale: panel.whole })) });
  }

  /** What is sent to be saved or kept. */
  #labels() {
    const { names, history } = this.editor;
    return { names: names.all, segments: history.lists.map((list) => toRows(list, names.all)) };
  }

  async save() {
    this.#keepNever();
    const { history } = this.editor;
    // What was sent is saved; a person goes on working meanwhile.
    let sent;
    $("saved").textContent = "Saving…";
    const saved = await this.#send("save", () => {
      sent = history.mark;
      return this.#labels();
    });
    if (!saved) {
      this.#showSaved(null);
      if (history.changed) this.#keepSoon();
      return;
    }
    this.#behind = this.#keeping !== null;
    history.markSaved(sent);
    this.#showSaved(saved);
    this.editor.say($("saved").textContent);
    if (history.changed) this.#keepSoon();
  }

  #keepSoon() {
    this.#keepNever();
    this.#behind = true;
    this.#keeping = setTimeout(() => this.#keep(), KEEP_AFTER_MS);
  }

  #keepNever() {
    clearTimeout(this.#keeping);
    this.#keeping = null;
  }

  async #keep() {
    this.#keepNever();
    const done = await this.#send("keep", () => this.#labels());
    if (done) this.#behind = this.#keeping !== null;
  }

  async #send(what, content) {
    try {
      const { saved } = await server.change(what, content);
      $("trouble").hidden = true;
      return saved ?? true;
    } catch (error) {
      this.#trouble(error);
      return null;
    }
  }

  #trouble(error) {
    $("trouble").textContent = error.message;
    $("trouble").hidden = false;
  }

  #showSaved(saved) {
    if (saved && saved !== true) {
      const rest = saved.unlabelled_s > 0 ? `${duration(saved.unlabelled_s)} unlabelled` : "all labelled";
      this.savedText = `saved ${saved.at}, ${count(saved.segments, "segment")}, ${rest}`;
    }
    const { changed } = this.editor.history;
    const text = this.savedText ?? `nothing saved to ${this.state.output} yet`;
    const marked = this.savedText ? `Unsaved changes; ${text}` : "Unsaved changes";
    $("mark").hidden = !changed;
    $("saved").textContent = changed ? marked : text[0].toUpperCase() + text.slice(1);
    $("state").title = this.state.output;
    document.title = `${changed ? "● " : ""}${this.state.name} – labels`;
  }

  #showLabels() {
    const { history } = this.editor;
    this.panel.showLabels();
    $("undo").disabled = history.undoable === null;
    $("redo").disabled = history.redoable === null;
    $("undo").title = `Undo ${history.undoable ?? ""} (Ctrl+Z)`;
    $("redo").title = `Redo ${history.redoable ?? ""} (Ctrl+Shift+Z)`;
    this.#showSaved(null);
    this.#showChoice();
  }

  #fillChoice() {
    $("title").textContent = this.state.name;
    $("choice").hidden = this.editor.recordings.length === 1;
    $("recording").replaceChildren(...this.editor.recordings.map((_, index) => new Option("", index)));
    this.#showChoice();
  }

  #showChoice() {
    for (const [index, option] of [...$("recording").options].entries()) {
      const { title, samples, rate_hz } = this.editor.recordings[index];
      const segments = this.editor.history.list(index).length;
      const text = `${title} · ${clock(samples / rate_hz, 0)}${segments ? ` · ${count(segments, "segment")}` : ""}`;
      if (option.textContent !== text) option.textContent = text;
    }
  }

  #show(move) {
    move(this.#view);
    this.redraw();
  }

  #listen() {
    const { editor } = this;
    editor.addEventListener("labels", () => {
      this.#showLabels();
      this.#keepSoon();
    });
    editor.addEventListener("look", () => {
      if (editor.recording !== Number($("recording").value)) this.open(editor.recording);
      this.redraw();
    });
    editor.addEventListener("say", ({ detail }) => {
      $("said").textContent = detail;
    });
    this.pointer = listen($("signals"), this);
    listenOverview($("overview"), this);
    const clicks = {
      undo: () => editor.undo(),
      redo: () => editor.redo(),
      save: () => this.save(),
      help: () => $("keys").showModal(),
      out: () => this.#show((view) => view.zoom(1.6)),
      in: () => this.#show((view) => view.zoom(1 / 1.6)),
      all: () => this.#show((view) => view.show(0, view.samples)),
      previous: () => this.open(editor.recording - 1),
      next: () => this.open(editor.recording + 1),
    };
    for (const [id, act] of Object.entries(clicks)) $(id).addEventListener("click", () => act());
    $("recording").addEventListener("change", (event) => this.open(Number(event.target.value)));
    $("heights").addEventListener("change", () => this.redraw());
    listenToKeys({
      editor,
      page: this,
      panel: this.panel,
      pointer: this.pointer,
      show: (move) => this.#show(move),
      elements: { signals: $("signals"), name: $("name"), help: $("keys") },
    });
    new ResizeObserver(() => this.redraw()).observe($("stage"));
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
    addEventListener("pagehide", () => this.#behind && this.#keep());
    addEventListener("beforeunload", (event) => this.#behind && event.preventDefault());
  }
}

/** One panel for each sensor: "acc_x" is axis x of the acceleration. */
function panelsOf(channels) {
  const titles = { acc: "acceleration", gyro: "angular rate" };
  const panels = new Map();
  for (const [channel, { name, unit }] of channels.entries()) {
    const [sensor, axis] = name.split("_");
    if (!panels.has(sensor)) {
      const title = `${titles[sensor] ?? sensor}, ${unit.replace("^2", "²")}`;
      panels.set(sensor, { title, channels: [], axes: [] });
    }
    panels.get(sensor).channels.push(channel);
    panels.get(sensor).axes.push(axis ?? name);
  }
  return [...panels.values()];
}

try {
  const page = new Page(await server.state());
  await page.open(0);
} catch (error) {
  $("trouble").textContent = error.message;
  $("trouble").hidden = false;
}
