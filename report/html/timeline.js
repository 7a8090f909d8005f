// Zooms the timelines: wheel about the pointer, drag, double click for all of it, arrows, plus and minus.
for (const box of document.querySelectorAll(".timeline")) {
  const svg = box.querySelector("svg"), range = box.querySelector(".range"), total = Number(svg.dataset.seconds);
  const height = svg.viewBox.baseVal.height;
  let from = 0, seconds = total, grabbed = null;

  const show = (start, width) => {
    seconds = Math.min(total, Math.max(1, width));
    from = Math.min(total - seconds, Math.max(0, start));
    svg.setAttribute("viewBox", `${from} 0 ${seconds} ${height}`);
    range.textContent = `${from.toFixed(1)} to ${(from + seconds).toFixed(1)} s`;
  };
  const at = (event) => {
    const place = svg.getBoundingClientRect();
    return (event.clientX - place.left) / place.width;
  };
  const zoom = (share, factor) => show(from + share * seconds * (1 - factor), seconds * factor);

  svg.tabIndex = 0;
  svg.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(at(event), event.deltaY > 0 ? 1.25 : 0.8);
  }, { passive: false });
  svg.addEventListener("pointerdown", (event) => {
    grabbed = { share: at(event), from };
    svg.setPointerCapture(event.pointerId);
  });
  svg.addEventListener("pointermove", (event) => {
    if (grabbed) show(grabbed.from + (grabbed.share - at(event)) * seconds, seconds);
  });
  for (const kind of ["pointerup", "pointercancel"]) svg.addEventListener(kind, () => { grabbed = null; });
  svg.addEventListener("dblclick", () => show(0, total));
  svg.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: [from - seconds / 8, seconds], ArrowRight: [from + seconds / 8, seconds] };
    if (steps[event.key]) show(...steps[event.key]);
    else if (event.key === "+") zoom(0.5, 0.8);
    else if (event.key === "-") zoom(0.5, 1.25);
    else return;
    event.preventDefault();
  });
}
