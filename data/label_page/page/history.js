// The segments of all recordings, with every change to them: what was removed and added where, so that the history of
// a long evening stays small.

export class History {
  #lists;
  #done = [];
  #undone = [];
  #saved = null;

  constructor(lists) {
    this.#lists = [...lists];
  }

  list(recording) {
    return this.#lists[recording];
  }

  get lists() {
    return this.#lists;
  }

  /** Whether the segments differ from those that were saved. */
  get changed() {
    return this.mark !== this.#saved;
  }

  get undoable() {
    return this.#done.at(-1)?.what ?? null;
  }

  get redoable() {
    return this.#undone.at(-1)?.what ?? null;
  }

  /** Stands for the segments as they are now. */
  get mark() {
    return this.#done.at(-1) ?? null;
  }

  /** The segments for which a mark stands were saved. */
  markSaved(mark = this.mark) {
    this.#saved = mark;
  }

  /**
   * Replace lists, as one change.
   * @param lists pairs of a recording's index and its new list
   * @param what  words for what is done
   * @returns whether anything differs
   */
  change(lists, what) {
    const splices = lists.map(([recording, list]) => difference(recording, this.#lists[recording], list));
    const real = splices.filter(({ removed, added }) => removed.length || added.length);
    if (!real.length) return false;
    this.#undone = [];
    this.#done.push({ splices: real, what });
    this.#apply(real, "removed", "added");
    return true;
  }

  /** Undo the last change; its words and recording, or null. */
  undo() {
    return this.#move(this.#done, this.#undone, "added", "removed");
  }

  redo() {
    return this.#move(this.#undone, this.#done, "removed", "added");
  }

  #move(from, to, old, fresh) {
    const change = from.pop();
    if (!change) return null;
    to.push(change);
    this.#apply(change.splices, old, fresh);
    const { recording, at, [fresh]: put } = change.splices[0];
    return { what: change.what, recording, segment: put[0] ?? this.#lists[recording][at] ?? null };
  }

  #apply(splices, old, fresh) {
    for (const splice of splices) {
      const list = this.#lists[splice.recording];
      this.#lists[splice.recording] = list.toSpliced(splice.at, splice[old].length, ...splice[fresh]);
    }
  }
}

/** What must be removed and added where to make one list of the other. */
function difference(recording, old, fresh) {
  const shorter = Math.min(old.length, fresh.length);
  let at = 0;
  while (at < shorter && same(old[at], fresh[at])) at++;
  let end = 0;
  while (end < shorter - at && same(old.at(-1 - end), fresh.at(-1 - end))) end++;
  return { recording, at, removed: old.slice(at, old.length - end), added: fresh.slice(at, fresh.length - end) };
}

const same = (one, other) => one.start === other.start && one.stop === other.stop && one.name === other.name;
