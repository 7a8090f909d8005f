// Arrow keys among the cells of a confusion matrix; Escape goes back from the windows of a cell to the cell.
for (const box of document.querySelectorAll(".confusion")) {
  const table = box.querySelector("table");
  const cellOf = (group) => table.querySelector(`a[href="#${group.id}"]`);
  const mark = () => {
    for (const link of table.querySelectorAll("a")) {
      if (link.hash === location.hash) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  };
  const next = (link, down, right) => {
    const rows = table.tBodies[0].rows;
    let column = link.closest("td").cellIndex + right, row = link.closest("tr").sectionRowIndex + down;
    for (; rows[row]?.cells[column]; row += down, column += right) {
      const found = rows[row].cells[column].querySelector("a");
      if (found) return found;
    }
    return null;
  };

  table.addEventListener("keydown", (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    const link = event.target.closest("a");
    if (!step || !link) return;
    next(link, ...step)?.focus();
    event.preventDefault();
  });
  box.addEventListener("keydown", (event) => {
    const group = event.target.closest(".confused");
    if (event.key !== "Escape" || !group) return;
    location.hash = box.id;
    cellOf(group)?.focus();
  });
  addEventListener("hashchange", () => {
    mark();
    box.querySelector(".confused:target")?.focus({ preventScroll: true });
  });
  mark();
}
