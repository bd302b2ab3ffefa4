// Sorting and filtering of the report's tables. Without script every table is there as it was computed.
(() => {
  "use strict";
  const value = (cell) => {
    if (cell.classList.contains("gap") || cell.classList.contains("none")) return null;
    if (!cell.classList.contains("number")) return cell.textContent.trim() || null;
    const digits = cell.dataset.value ?? cell.textContent.replace(/[^0-9.eE+-]/g, "");
    // What has no digits, such as NaN, is no number; an empty text would be taken for zero.
    const number = digits === "" ? NaN : Number(digits);
    return Number.isNaN(number) ? null : number;
  };
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true }));
  for (const table of document.querySelectorAll("table[data-rows]")) {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    if (rows.length < 2) continue;
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, place) => {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => {
        const before = head.getAttribute("aria-sort");
        const next = before === "ascending" ? "descending" : before === "descending" ? "" : "ascending";
        heads.forEach((other) => other.removeAttribute("aria-sort"));
        if (next) head.setAttribute("aria-sort", next);
        const turn = next === "descending" ? -1 : 1;
        const keyed = rows.map((row) => [value(row.cells[place]), row]);
        // Gaps stay at the end whichever way the column is sorted.
        if (next) keyed.sort(([a], [b]) => (a === null ? (b === null ? 0 : 1) : b === null ? -1 : turn * compare(a, b)));
        body.append(...keyed.map(([, row]) => row));
      });
    });
    if (rows.length < 8) continue;
    const tools = document.createElement("div");
    tools.className = "tools";
    const label = document.createElement("label");
    const input = document.createElement("input");
    input.type = "search";
    label.append("Filter rows ", input);
    const count = document.createElement("output");
    tools.append(label, count);
    const texts = rows.map((row) => row.textContent.toLowerCase());
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      rows.forEach((row, place) => {
        row.hidden = !words.every((word) => texts[place].includes(word));
        shown += row.hidden ? 0 : 1;
      });
      count.textContent = words.length ? `${shown} of ${rows.length} rows; totals are of all` : "";
    });
    table.parentElement.before(tools);
  }
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details.prints:not([open])")];
    opened.forEach((part) => (part.open = true));
  });
  addEventListener("afterprint", () => opened.forEach((part) => (part.open = false)));
})();
