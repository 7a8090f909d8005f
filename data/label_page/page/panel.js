// The panel beside the signals: name of the selection, labels, segments. Names are only ever put in as text.

import { inkOn } from "./colours.js";
import { count, duration } from "./format.js";

const MOST_ROWS = 60;

export class Panel {
  #editor;
  #colours;
  #parts;
  // What is shown, in order not to show it again.
  #shown = "";
  #selection = "";

  /**
   * @param editor  what it shows and changes
   * @param colours of labels
   * @param reveal  called with a segment that is chosen in the list
   */
  constructor(editor, colours, reveal) {
    this.#editor = editor;
    this.#colours = colours;
    const ids = ["naming", "name", "names", "from", "to", "where", "labels", "segments", "in-view", "split", "erase"];
    this.#parts = Object.fromEntries(ids.map((id) => [id, document.getElementById(id)]));
    const { naming, name, from, to, split, erase, segments } = this.#parts;
    naming.addEventListener("submit", (event) => {
      event.preventDefault();
      editor.name(name.value || (editor.lastName ?? ""));
      name.blur();
      document.getElementById("signals").focus({ preventScroll: true });
    });
    for (const input of [from, to]) input.addEventListener("change", () => this.#bounds());
    split.addEventListener("click", () => editor.split());
    erase.addEventListener("click", () => editor.erase());
    segments.addEventListener("click", (event) => {
      const row = event.target.closest("button");
      if (!row) return;
      editor.selectSegment(Number(row.dataset.index));
      reveal(editor.selection);
    });
    this.#parts.labels.addEventListener("click", (event) => {
      const row = event.target.closest("button");
      if (row) editor.name(editor.names.all[Number(row.dataset.index)]);
    });
  }

  /** Put the cursor into the name, ready to be overwritten. */
  ask() {
    // A field cannot be written in while it shows that nothing is selected.
    this.#showSelection();
    this.#parts.name.focus({ preventScroll: true });
    this.#parts.name.select();
  }

  /** After a change of the labels. */
  showLabels() {
    const editor = this.#editor;
    const totals = new Map();
    for (const { start, stop, name } of editor.list) {
      const [segments, samples] = totals.get(name) ?? [0, 0];
      totals.set(name, [segments + 1, samples + stop - start]);
    }
    const rows = editor.names.all.map((name, index) => {
      const [segments, samples] = totals.get(name) ?? [0, 0];
      const much = segments ? `${count(segments, "segment")}, ${duration(samples / editor.rate)}` : "not used here";
      const key = index < 9 ? element("kbd", { textContent: index + 1 }) : element("kbd", { className: "none" });
      const row = element("button", { type: "button" }, key, this.#swatch(index), element("b", { textContent: name }));
      row.append(element("small", { textContent: much }));
      row.dataset.index = index;
      row.setAttribute("aria-label", `Name the selection ${name}. ${much}`);
      return element("li", {}, row);
    });
    this.#parts.labels.replaceChildren(...rows);
    document.getElementById("no-labels").hidden = rows.length > 0;
    this.#parts.names.replaceChildren(...editor.names.all.map((name) => element("option", { value: name })));
    this.#shown = "";
  }

  /** After anything has changed that can be seen. */
  showLook(view) {
    this.#showSelection();
    this.#showSegments(view);
  }

  #showSelection() {
    const editor = this.#editor;
    const { selection, selected, rate } = editor;
    const { where, name, from, to, erase, split } = this.#parts;
    where.textContent = editor.describe();
    name.placeholder = placeholder(selection, editor.lastName);
    erase.disabled = !selection;
    split.disabled = !editor.list.some(({ start, stop }) => start < editor.caret && editor.caret < stop);
    const own = selected >= 0 ? editor.list[selected].name : "";
    const key = `${selection?.start} ${selection?.stop} ${own}`;
    if (this.#selection === key) return;
    this.#selection = key;
    if (document.activeElement !== name || own) name.value = own;
    from.value = selection ? (selection.start / rate).toFixed(3) : "";
    to.value = selection ? (selection.stop / rate).toFixed(3) : "";
    for (const control of [name, from, to, document.getElementById("give")]) control.disabled = !selection;
  }

  #showSegments(view) {
    const editor = this.#editor;
    const inView = [];
    for (const [index, each] of editor.list.entries()) {
      if (each.stop > view.from && each.start < view.to) inView.push(index);
    }
    const { selected } = editor;
    const state = `${editor.recording} ${inView[0]} ${inView.length} ${selected} ${editor.preview ? Math.random() : ""}`;
    if (state === this.#shown) return;
    this.#shown = state;
    const rows = inView.slice(0, MOST_ROWS).map((index) => this.#segmentRow(index, index === selected));
    this.#parts.segments.replaceChildren(...rows);
    const more = inView.length - rows.length;
    const all = `${inView.length} of ${count(editor.list.length, "segment")} in view`;
    this.#parts["in-view"].textContent = more > 0 ? `${all}; the first ${rows.length} are listed` : all;
  }

  #segmentRow(index, selected) {
    const { start, stop, name } = this.#editor.list[index];
    const times = `${this.#editor.time(start)} – ${this.#editor.time(stop)}`;
    const row = element("button", { type: "button" }, this.#swatch(this.#editor.names.index(name)));
    row.append(element("b", { textContent: name }), element("small", { textContent: times }));
    row.dataset.index = index;
    if (selected) row.setAttribute("aria-current", "true");
    return element("li", {}, row);
  }

  #swatch(index) {
    const swatch = element("i", { className: index < this.#colours.length ? "swatch" : "swatch hatched" });
    const colour = this.#colours[index % this.#colours.length];
    swatch.style.setProperty("--colour", colour);
    swatch.style.color = inkOn(colour);
    swatch.setAttribute("aria-hidden", "true");
    return swatch;
  }

  #bounds() {
    const [from, to] = [this.#parts.from, this.#parts.to].map((input) => input.valueAsNumber * this.#editor.rate);
    if (Number.isFinite(from) && Number.isFinite(to)) this.#editor.setBounds(Math.round(from), Math.round(to));
    // At once: the next field may be written in before the next picture.
    this.#showSelection();
  }
}

function placeholder(selection, lastName) {
  if (!selection) return "Drag, then type a name";
  return lastName ? `Name, or Enter: ${lastName}` : "Name";
}

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}
