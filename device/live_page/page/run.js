// What is known of the run: labels, samples, gaps and counts, for as long as the page shows them.

import { Frames } from "./frames.js";

const LABELS_S = 900;
const SAMPLES_S = 20;
const NOTES = 100;

export class Run {
  constructor() {
    this.about = null;
    this.clear();
  }

  clear() {
    this.windows = [];
    this.samples = [];
    this.frames = null;
    this.marks = [];
    this.notes = [];
    this.rate = null;
    this.recording = null;
    this.personal = null;
    this.health = null;
    this.dropped = 0;
    this.newest = 0;
    this.changed = null;
    this.mounted = null;
    this.drift = null;
    this.alarms = new Map();
  }

  take(message) {
    switch (message.kind) {
      case "beginning":
        this.clear();
        for (const each of message.messages) this.take(each);
        return;
      case "about":
        this.about = message;
        if (message.spectrogram) this.frames = new Frames(message);
        return;
      case "health":
        this.health = message;
        return;
      case "recording":
        this.recording = message;
        return;
      case "personal":
        // How long ago it was told, for the countdown.
        this.personal = { ...message, came: performance.now() };
        return;
      case "labels":
        this.about.labels = message.labels;
        return;
      case "dropped":
        this.dropped = message.count;
        return;
    }
    this.newest = Math.max(this.newest, message.at);
    switch (message.kind) {
      case "window":
        this.windows.push(message);
        forget(this.windows, message.at - LABELS_S);
        break;
      case "samples":
        message.until = message.at + message.x[0].length / message.rate;
        this.newest = Math.max(this.newest, message.until);
        this.samples.push(message);
        this.frames?.take(message);
        forget(this.samples, message.at - SAMPLES_S);
        break;
      case "rate":
        this.rate = message;
        break;
      default:
        if (message.kind === "change") this.changed = message;
        else if (message.kind === "mounting") this.mounted = message;
        else if (message.kind === "drift") this.drift = message;
        else this.marks.push(message);
        if (message.kind === "alarm") this.#alarm(message);
        forget(this.marks, message.at - LABELS_S);
        this.notes.push(message);
        if (this.notes.length > NOTES) this.notes.shift();
    }
  }

  /** Alarms that nobody has answered, the newest last. */
  #alarm({ key, state, label, at }) {
    this.alarms.delete(key);
    if (state === "raised") this.alarms.set(key, { label, at });
  }

  get latest() {
    return this.windows.at(-1) ?? null;
  }
}

function forget(list, oldest) {
  let count = 0;
  while (count < list.length && list[count].at < oldest) count += 1;
  if (count) list.splice(0, count);
}
