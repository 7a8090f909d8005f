// Mouse, pen, fingers and wheel on the two canvases.

import { BAND, grip } from "./drawing.js";
import { edgeNear, indexAt } from "./segments.js";

const CLICK = 4;
const REACH = { mouse: 6, pen: 8, touch: 14 };

/**
 * Listen on the signals' canvas.
 * @param canvas its element
 * @param page   {editor, view(), place(), redraw(), chosen(pointerType)}
 */
export function listen(canvas, page) {
  const { editor } = page;
  const fingers = new Map();
  let drag = null;

  const local = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left - page.place().left, y: event.clientY - box.top };
  };

  const reach = (event) => page.view().reach(REACH[event.pointerType] ?? REACH.mouse);

  /** The edge under the pointer: that of the selection at its grip, any segment's in the band of names. */
  const edgeAt = (event, { x, y }) => {
    const place = page.view().place(x);
    if (y <= BAND) return edgeNear(editor.list, place, reach(event));
    const [least, most] = grip(page.place());
    const held = editor.selection && y >= least && y <= most && edgeNear([editor.selection], place, reach(event));
    return held ? { ...held, index: editor.selected } : null;
  };

  const begin = (event) => {
    const point = local(event);
    const edge = edgeAt(event, point);
    const before = editor.selection;
    if (event.button === 1 || event.shiftKey || point.y > page.place().axis) return { kind: "pan", x: point.x };
    if (edge && edge.index >= 0) return { kind: "edge", ...edge };
    // A selection that is no segment yet is dragged anew from its other end.
    if (edge) return { kind: "range", from: edge.side === "start" ? before.stop : before.start, moved: true, before };
    return { kind: "range", x: point.x, from: page.view().place(point.x), moved: false, before };
  };

  const move = (event, point) => {
    const view = page.view();
    if (drag.kind === "pan") {
      view.pan((drag.x - point.x) / view.width);
      drag.x = point.x;
      page.redraw();
    } else if (drag.kind === "edge") {
      const others = editor.history.list(editor.recording).filter((_, index) => index !== drag.index);
      editor.dragEdge(drag.index, drag.side, editor.snapped(view.place(point.x), reach(event), others));
    } else if (drag.moved || Math.abs(point.x - drag.x) >= CLICK) {
      drag.moved = true;
      editor.select(editor.snapped(drag.from, reach(event)), editor.snapped(view.place(point.x), reach(event)));
    }
  };

  const finish = (event, point) => {
    if (drag.kind === "edge") editor.finishEdge();
    if (drag.kind === "range" && !drag.moved) editor.pick(Math.floor(page.view().place(point.x)));
    if (drag.kind === "range" && drag.moved && editor.selection) {
      editor.say(editor.describe());
      page.chosen(event.pointerType);
    }
    drag = null;
  };

  const pinch = (event) => {
    const before = [...fingers.values()];
    fingers.set(event.pointerId, local(event).x);
    const after = [...fingers.values()];
    const [was, is] = [before, after].map(([one, other]) => ({
      apart: Math.max(Math.abs(one - other), 8),
      middle: (one + other) / 2,
    }));
    page.view().pan((was.middle - is.middle) / page.view().width);
    page.view().zoom(was.apart / is.apart, is.middle);
    page.redraw();
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button > 1) return;
    canvas.focus({ preventScroll: true });
    canvas.setPointerCapture(event.pointerId);
    event.preventDefault();
    fingers.set(event.pointerId, local(event).x);
    if (fingers.size === 1) drag = begin(event);
    else cancel();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (fingers.size === 2 && fingers.has(event.pointerId)) pinch(event);
    else if (drag) move(event, local(event));
    else canvas.style.cursor = cursor(event, local(event));
  });
  canvas.addEventListener("pointerup", (event) => {
    fingers.delete(event.pointerId);
    if (drag) finish(event, local(event));
  });
  canvas.addEventListener("pointercancel", (event) => {
    fingers.delete(event.pointerId);
    cancel();
  });
  canvas.addEventListener("wheel", (event) => wheel(event, local(event)), { passive: false });

  function cancel() {
    if (drag?.kind === "edge") editor.cancelEdge();
    else if (drag?.moved) editor.restore(drag.before);
    drag = null;
  }

  function cursor(event, point) {
    if (point.y > page.place().axis || event.shiftKey) return "grab";
    if (edgeAt(event, point)) return "ew-resize";
    const inside = indexAt(editor.list, page.view().place(point.x)) >= 0;
    return point.y <= BAND && inside ? "pointer" : "crosshair";
  }

  function wheel(event, { x }) {
    event.preventDefault();
    const view = page.view();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 20 : 1;
    const sideways = event.shiftKey ? event.deltaX || event.deltaY : event.deltaX;
    // A pinch on a touchpad arrives as a wheel with Ctrl, in smaller steps.
    if (Math.abs(sideways) > Math.abs(event.shiftKey ? 0 : event.deltaY)) view.pan((sideways * lines) / view.width);
    else view.zoom(Math.exp(event.deltaY * lines * (event.ctrlKey ? 0.01 : 0.0015)), x);
    page.redraw();
  }

  return { cancel, dragging: () => drag !== null };
}

/** Listen on the strip of the whole recording: what is pressed or dragged to is shown. */
export function listenOverview(canvas, page) {
  const centre = (event) => {
    const x = event.clientX - canvas.getBoundingClientRect().left - page.place().left;
    const view = page.view();
    const at = (x / view.width) * view.samples;
    view.show(at - view.span / 2, at + view.span / 2);
    page.redraw();
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    centre(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (canvas.hasPointerCapture(event.pointerId)) centre(event);
  });
  canvas.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      page.view().zoom(Math.exp(event.deltaY * 0.0015));
      page.redraw();
    },
    { passive: false },
  );
}
