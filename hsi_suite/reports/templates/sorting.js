"use strict";
// Sorts a table by the column whose head is pressed; without it the tables stand as written.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = Array.from(table.tHead.rows[0].cells);
  const body = table.tBodies[0];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.title = "sort by this column";
    button.textContent = head.textContent || "name";
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const falling = head.getAttribute("aria-sort") === "ascending";
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", falling ? "descending" : "ascending");
      const rows = Array.from(body.rows);
      rows.sort((a, b) => compare(a.cells[column], b.cells[column], falling ? -1 : 1));
      body.append(...rows);
    });
  });
}
function compare(a, b, sign) {
  const first = value(a), second = value(b);
  // What is undefined comes last, whichever way is sorted.
  if (first === null || second === null) return (first === null) - (second === null);
  if (typeof first === "number" && typeof second === "number") return sign * (first - second);
  return sign * a.textContent.localeCompare(b.textContent, "en", { numeric: true });
}
function value(cell) {
  if (cell.dataset.order !== undefined) return Number(cell.dataset.order);
  const text = cell.textContent.trim();
  return text === "" || text === "–" ? null : text;
}
