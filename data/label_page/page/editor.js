// What is open, selected and done to the labels; tells who listens: "labels" changed, "look" changed, "say" something.

import { clock, duration } from "./format.js";
import { indexAt, indexOf, moveEdge, nextEdge, paint, segment, snap, split } from "./segments.js";

export class Editor extends EventTarget {
  /**
   * @param recordings [{title, rate_hz, samples}]
   * @param history    their segments
   * @param names      names of labels
   */
  constructor(recordings, history, names) {
    super();
    this.recordings = recordings;
    this.history = history;
    this.names = names;
    this.recording = 0;
    this.selection = null;
    this.caret = 0;
    this.lastName = null;
    this.snapping = true;
    // The list as a drag of an edge would leave it.
    this.preview = null;
  }

  get list() {
    return this.preview ?? this.history.list(this.recording);
  }

  get samples() {
    return this.recordings[this.recording].samples;
  }

  get rate() {
    return this.recordings[this.recording].rate_hz;
  }

  /** Index of the segment that is selected; -1 if the selection is none. */
  get selected() {
    return indexOf(this.list, this.selection);
  }

  open(recording) {
    this.recording = recording;
    this.selection = null;
    this.preview = null;
    this.caret = 0;
    this.#look();
  }

  /** Select from one sample to another, in either order. */
  select(one, other) {
    const [start, stop] = [Math.min(one, other), Math.max(one, other)].map((at) => this.#inside(at));
    this.selection = start < stop ? { start, stop } : null;
    this.caret = this.#inside(other);
    this.#look();
  }

  selectNothing() {
    this.selection = null;
    this.preview = null;
    this.#look();
  }

  /** Select the segment at a sample, or only place the caret there. */
  pick(sample) {
    const found = this.list[indexAt(this.list, sample)];
    this.selection = found ? { start: found.start, stop: found.stop } : null;
    this.caret = this.#inside(sample);
    this.#look();
    this.say(this.describe());
  }

  /** Select the segment with an index. */
  selectSegment(index) {
    const found = this.list[index];
    if (!found) return;
    this.select(found.stop, found.start);
    this.say(this.describe());
  }

  /** Select the next segment after the caret (1), or the one before it (-1). */
  step(direction) {
    const own = this.selected;
    if (own >= 0) return this.selectSegment(own + direction);
    const before = this.list.findLastIndex(({ start }) => start <= this.caret);
    return this.selectSegment(direction > 0 ? before + 1 : before);
  }

  /** Move the caret; `extend` selects from where it was, as in a text. */
  moveCaret(to, extend) {
    const at = this.#inside(to);
    if (!extend) {
      this.caret = at;
      this.selection = null;
      this.#look();
    } else {
      const { start, stop } = this.selection ?? { start: this.caret, stop: this.caret };
      this.select(this.caret === start ? stop : start, at);
    }
    this.say(this.describe());
  }

  /** Where the next edge of a segment is, seen from the caret. */
  edgeFromCaret(direction) {
    return nextEdge(this.list, this.caret, direction, this.samples);
  }

  /** A place as the sample that a drag means by it. */
  snapped(place, reach, list = this.list) {
    return snap(list, place, this.snapping ? reach : 0, this.samples);
  }

  /** Name what is selected. */
  name(typed) {
    if (!this.selection) return this.say("Nothing is selected: drag over the signals first.");
    let name;
    try {
      name = this.names.take(typed);
    } catch (error) {
      return this.say(error.message);
    }
    const { start, stop } = this.selection;
    this.lastName = name;
    this.#change(paint(this.list, start, stop, name), `naming ${name}`);
    return this.say(`${name}, ${this.#times(start, stop)}`);
  }

  /** Remove the labels of what is selected. */
  erase() {
    if (!this.selection) return this.say("Nothing is selected.");
    const { start, stop } = this.selection;
    const changed = this.#change(paint(this.list, start, stop, null), "removing");
    return this.say(changed ? `Removed the label, ${this.#times(start, stop)}` : "There was no label.");
  }

  /** Cut the segment at the caret in two, and select the second part. */
  split() {
    const fresh = split(this.list, this.caret);
    if (!this.#change(fresh, "splitting")) return this.say("No segment to split here: click into one first.");
    const { start, stop } = this.list[indexAt(this.list, this.caret)];
    this.selection = { start, stop };
    this.#look();
    return this.say(`Split; selected ${this.describe()}`);
  }

  /** Show an edge of a segment elsewhere, from the list as it was when the drag began; `finishEdge` keeps it. */
  dragEdge(index, side, to) {
    const list = this.history.list(this.recording);
    this.preview = moveEdge(list, index, side, to, this.samples);
    const { start, stop } = this.preview[index];
    this.selection = { start, stop };
    this.caret = side === "start" ? start : stop;
    this.#look();
  }

  finishEdge() {
    const list = this.preview;
    this.preview = null;
    if (list && this.#change(list, "moving an edge")) this.say(this.describe());
    this.#look();
  }

  cancelEdge() {
    this.preview = null;
    this.restore(null);
  }

  /** Select what was selected before. */
  restore(selection) {
    this.selection = selection;
    this.#look();
  }

  /** Give the selected segment, or else the selection, other bounds; a segment stops at its neighbours. */
  setBounds(start, stop) {
    const index = this.selected;
    const { list } = this;
    const least = index >= 0 ? (list[index - 1]?.stop ?? 0) : 0;
    const most = index >= 0 ? (list[index + 1]?.start ?? this.samples) : this.samples;
    const from = Math.min(Math.max(start, least), most - 1);
    const to = Math.min(Math.max(stop, from + 1), most);
    if (index >= 0) this.#change(list.toSpliced(index, 1, segment(from, to, list[index].name)), "setting bounds");
    this.select(to, from);
    this.say(this.describe());
  }

  undo() {
    this.#moved(this.history.undo(), "Undone", "Nothing to undo.");
  }

  redo() {
    this.#moved(this.history.redo(), "Redone", "Nothing to redo.");
  }

  /** What is selected, in words. */
  describe() {
    if (!this.selection) return `At ${this.time(this.caret)}`;
    const { start, stop } = this.selection;
    const index = this.selected;
    const what = index >= 0 ? `${this.list[index].name}, segment ${index + 1} of ${this.list.length}` : "Selected";
    return `${what}, ${this.#times(start, stop)}`;
  }

  time(sample) {
    return clock(sample / this.rate, 2);
  }

  say(text) {
    this.dispatchEvent(new CustomEvent("say", { detail: text }));
  }

  #moved(change, word, nothing) {
    if (!change) {
      this.say(nothing);
      return;
    }
    if (change.recording !== this.recording) this.open(change.recording);
    this.preview = null;
    const found = change.segment;
    this.selection = found ? { start: found.start, stop: found.stop } : null;
    if (found) this.caret = found.start;
    this.dispatchEvent(new Event("labels"));
    this.#look();
    this.say(`${word}: ${change.what}`);
  }

  #change(list, what) {
    const changed = this.history.change([[this.recording, list]], what);
    if (changed) this.dispatchEvent(new Event("labels"));
    this.#look();
    return changed;
  }

  #look() {
    this.dispatchEvent(new Event("look"));
  }

  #times(start, stop) {
    return `${this.time(start)} to ${this.time(stop)}, ${duration((stop - start) / this.rate)}`;
  }

  #inside(sample) {
    return Math.min(Math.max(Math.round(sample), 0), this.samples);
  }
}
