"use strict";
// Sorting: a click on a heading orders the rows of its table; a second click turns them around.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  [...table.tHead.rows[0].cells].forEach((heading, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.setAttribute("aria-label", "Sort by " + heading.textContent.trim());
    heading.append(button);
    button.addEventListener("click", () => {
      const isDown = heading.getAttribute("aria-sort") === "descending";
      for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", isDown ? "ascending" : "descending");
      const key = (row) => {
        const value = row.cells[column].dataset.value;
        return value === undefined ? row.cells[column].textContent.trim() : value === "" ? NaN : Number(value);
      };
      const order = (a, b) => (typeof a === "number" ? (isNaN(a) ? 1 : isNaN(b) ? -1 : isDown ? a - b : b - a)
                                                     : isDown ? a.localeCompare(b) : b.localeCompare(a));
      body.append(...[...body.rows].sort((a, b) => order(key(a), key(b))));
    });
  });
}
// Switching: one figure of several is shown.
for (const choice of document.querySelectorAll("[data-switch]")) {
  const figures = document.querySelectorAll(`[data-of="${choice.dataset.switch}"]`);
  choice.hidden = figures.length < 2;
  choice.addEventListener("change", (event) => {
    figures.forEach((figure, place) => { figure.hidden = place !== Number(event.target.value); });
  });
}
// A link into a fold opens it.
const openAround = () => {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let fold = target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  target.scrollIntoView();
};
window.addEventListener("hashchange", openAround);
openAround();
// On paper only what decides is unfolded, if the page has a first screen.  Otherwise nothing is folded away.
const folded = document.querySelector(".first") ? "details.on-paper:not([open])" : "details:not([open])";
window.addEventListener("beforeprint", () => {
  for (const fold of document.querySelectorAll(folded)) { fold.open = true; fold.dataset.wasClosed = ""; }
});
window.addEventListener("afterprint", () => {
  for (const fold of document.querySelectorAll("[data-was-closed]")) { fold.open = false; delete fold.dataset.wasClosed; }
});
