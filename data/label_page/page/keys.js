// The keyboard. Letters and figures act unless a text is being typed.

const ZOOM = 1.6;

/**
 * Listen on the whole page.
 * @param parts {editor, page, panel, pointer, show(move), elements: {signals, name, help}}
 */
export function listenToKeys(parts) {
  const { editor, elements } = parts;
  const keys = new Keys(parts);
  document.addEventListener("keydown", (event) => {
    if (!elements.help.open) keys.press(event);
  });
  for (const kind of ["keydown", "keyup", "pointermove"]) {
    document.addEventListener(kind, (event) => (editor.snapping = !event.altKey), { capture: true });
  }
}

class Keys {
  constructor(parts) {
    Object.assign(this, parts);
  }

  press(event) {
    const { editor, page, elements } = this;
    const command = event.ctrlKey || event.metaKey;
    const field = event.target.matches("input:not([type=checkbox]), select");
    const text = field && event.target.value !== "" && event.target.matches("input");
    const key = event.key.toLowerCase();
    if (command && key === "s") done(event, () => page.save());
    else if (command && key === "z" && !text) done(event, () => (event.shiftKey ? editor.redo() : editor.undo()));
    else if (command && key === "y" && !text) done(event, () => editor.redo());
    else if (key === "escape") done(event, () => this.#escape(field));
    else if (event.target === elements.signals && this.#move(event)) event.preventDefault();
    else if (!command && (!field || (event.target === elements.name && !text))) this.#short(event, key, field);
  }

  #escape(field) {
    if (this.pointer.dragging()) this.pointer.cancel();
    else if (!field) this.editor.selectNothing();
    this.elements.signals.focus({ preventScroll: true });
  }

  /** Keys of one letter or figure; into an empty name only those that begin none. */
  #short(event, key, inName) {
    const { editor, elements } = this;
    const label = /^[1-9]$/.test(key) ? editor.names.all[Number(key) - 1] : undefined;
    if (label !== undefined && editor.selection) {
      done(event, () => editor.name(label));
      elements.signals.focus({ preventScroll: true });
    } else if (key === "delete" || key === "backspace") {
      done(event, () => editor.erase());
    } else if (!inName) {
      const act = this.#acts()[key];
      if (act) done(event, act);
    }
  }

  #acts() {
    const { editor, panel, page, show, elements } = this;
    const at = page.view().x(editor.caret);
    const around = at >= 0 && at <= page.view().width ? at : undefined;
    const closer = () => show((view) => view.zoom(1 / ZOOM, around));
    return {
      s: () => editor.split(),
      n: () => panel.ask(),
      f: () => editor.selection && show((view) => view.frame(editor.selection)),
      "+": closer,
      "=": closer,
      "-": () => show((view) => view.zoom(ZOOM, around)),
      0: () => show((view) => view.show(0, view.samples)),
      "?": () => elements.help.showModal(),
    };
  }

  /** Keys that move, on the signals; whether it was one. */
  #move(event) {
    const { editor, page, panel, show } = this;
    const step = event.altKey ? 1 : Math.max(1, Math.round(page.view().span / 100));
    const command = event.ctrlKey || event.metaKey;
    const sideways = (direction) => (command ? editor.edgeFromCaret(direction) : editor.caret + direction * step);
    const caret = (to) => {
      editor.moveCaret(to, event.shiftKey);
      show((view) => view.reveal(editor.caret));
    };
    const segment = (direction) => {
      editor.step(direction);
      if (editor.selection) show((view) => view.reveal(editor.selection.start, editor.selection.stop));
    };
    const moves = {
      ArrowLeft: () => caret(sideways(-1)),
      ArrowRight: () => caret(sideways(1)),
      Home: () => caret(0),
      End: () => caret(editor.samples),
      ArrowUp: () => segment(-1),
      ArrowDown: () => segment(1),
      PageUp: () => show((view) => view.pan(-0.9)),
      PageDown: () => show((view) => view.pan(0.9)),
      Enter: () => panel.ask(),
    };
    const act = Object.hasOwn(moves, event.key) ? moves[event.key] : null;
    act?.();
    return act !== null;
  }
}

function done(event, act) {
  event.preventDefault();
  act();
}
