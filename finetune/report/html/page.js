"use strict";

// The first number in a cell, as 0.312 of "0.312 ± 0.011"; NaN where there is none.
function numberIn(text) {
  const found = text.replace(/(\d),(?=\d{3})/g, "$1").match(/[-\u2212]?\d*\.?\d+(e[-+]?\d+)?/i);
  return found ? Number(found[0].replace("\u2212", "-")) : NaN;
}

function sortBy(table, column, descending) {
  const body = table.tBodies[0];
  const keyed = [...body.rows].map((row) => [row.cells[column].textContent.trim(), row]);
  const filled = keyed.filter(([text]) => text !== "" && text !== "-");
  const numeric = filled.every(([text]) => /^[<\u2212-]?\s*\.?\d/.test(text));
  const order = ([a], [b]) => (numeric ? numberIn(a) - numberIn(b) : a.localeCompare(b));
  filled.sort(descending ? (a, b) => order(b, a) : order);
  // What has no value comes last either way.
  const empty = keyed.filter(([text]) => text === "" || text === "-");
  body.append(...[...filled, ...empty].map(([, row]) => row));
}

function makeSortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.title = "Sort by this column";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const descending = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", descending ? "descending" : "ascending");
      sortBy(table, column, descending);
    });
  });
}

for (const table of document.querySelectorAll("table")) {
  if (table.tHead && table.tBodies.length && table.tBodies[0].rows.length > 1) makeSortable(table);
}

// On paper nothing can be unfolded.
let unfolded = [];
addEventListener("beforeprint", () => {
  unfolded = [...document.querySelectorAll("details:not([open])")];
  unfolded.forEach((details) => (details.open = true));
});
addEventListener("afterprint", () => unfolded.forEach((details) => (details.open = false)));
