// Opens reports in Chromium and holds them to what docs/reports.md says of a page.
//
//     node check.mjs FOLDER [PICTURES]
//
// FOLDER holds pages that `cxlake report` made; screenshots and prints go to PICTURES. Says what is wrong and exits 1.
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const folder = resolve(process.argv[2]);
const pictures = process.argv[3] && resolve(process.argv[3]);
if (pictures) mkdirSync(pictures, { recursive: true });

const wrong = [];
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

/** Opens a page and gives what `look` finds wrong in it, with every request and message that the page made. */
async function visit(name, options, look) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  const address = `file://${join(folder, name)}`;
  page.on("request", (request) => request.url() === address || wrong.push(`${name}: it asks for ${request.url()}`));
  page.on("console", (message) => message.type() === "error" && wrong.push(`${name}: ${message.text()}`));
  page.on("pageerror", (error) => wrong.push(`${name}: ${error}`));
  await page.goto(address);
  await look(page);
  await context.close();
}

const views = [
  { label: "light", colorScheme: "light", viewport: { width: 1280, height: 900 } },
  { label: "dark", colorScheme: "dark", viewport: { width: 1280, height: 900 } },
  { label: "phone", colorScheme: "light", viewport: { width: 390, height: 844 } },
];

const pages = readdirSync(folder).filter((name) => name.endsWith(".html")).sort();
if (pages.length === 0) wrong.push(`there is no page in ${folder}`);
for (const name of pages) {
  for (const { label, ...view } of views) {
    // The page's own policy keeps other scripts out, also those that look at it.
    await visit(name, { ...view, bypassCSP: true }, async (page) => {
      await page.addScriptTag({ content: axe });
      const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
      for (const { id, impact, help, nodes } of violations) {
        if (impact === "serious" || impact === "critical") {
          wrong.push(`${name}, ${label}: ${help} (${id}), ${nodes.length} times, first ${nodes[0].target.join(" ")}: ${nodes[0].failureSummary.replace(/\s+/g, " ")}`);
        }
      }
      const { wide, window } = await page.evaluate(() => ({ wide: document.documentElement.scrollWidth, window: innerWidth }));
      if (wide > window) wrong.push(`${name}, ${label}: it is ${wide} wide in a window of ${window}`);
      for (const text of await page.evaluate(cut)) wrong.push(`${name}, ${label}: "${text}" is cut at the edge of its chart`);
      if (pictures) await page.screenshot({ path: join(pictures, `${name.replace(".html", "")}-${label}.png`), fullPage: true });
    });
  }
  // As readers have it: under its own policy, then on paper, then without script.
  await visit(name, { viewport: { width: 1280, height: 900 } }, async (page) => {
    await sorts(name, page);
    for (const format of ["A4", "Letter"]) {
      const pdf = await page.pdf({ format, ...(pictures && { path: join(pictures, `${name.replace(".html", "")}-${format}.pdf`) }) });
      if (pdf.length < 10_000) wrong.push(`${name}: on ${format} there is next to nothing`);
    }
  });
  await visit(name, { javaScriptEnabled: false, viewport: { width: 1280, height: 900 } }, async (page) => {
    if ((await page.locator("table[data-rows] tbody tr").count()) === 0) wrong.push(`${name}: without script there are no rows`);
  });
}

/** The texts of charts that reach beyond what is seen of them, also when they are moved to and fro. */
function cut() {
  return [...document.querySelectorAll(".chart")].flatMap((chart) => {
    const svg = chart.querySelector("svg");
    const seen = getComputedStyle(svg).overflow === "visible" ? chart : svg;
    const { left, top, bottom, width } = seen.getBoundingClientRect();
    const right = left + Math.max(width, seen.scrollWidth);
    const isCut = (at) => at.left < left || at.right > right || at.top < top || at.bottom > bottom;
    return [...svg.querySelectorAll("text")].filter((text) => isCut(text.getBoundingClientRect())).map((text) => text.textContent);
  });
}

/** Sorts by the first column of numbers, by keyboard, and filters. */
async function sorts(name, page) {
  const table = page.locator("table[data-rows]").filter({ has: page.locator("tbody tr:nth-child(8)") }).first();
  if ((await table.count()) === 0) return;
  const place = await table.evaluate((table) => [...table.tHead.rows[0].cells].findIndex((cell) => cell.classList.contains("number")));
  const column = () =>
    table.evaluate((table, place) => {
      const cells = [...table.tBodies[0].rows].map((row) => row.cells[place]);
      const digits = (cell) => (cell.matches(".gap, .none") ? "" : cell.textContent.replace(/[^0-9.eE+-]/g, ""));
      return cells.map((cell) => (digits(cell) === "" ? null : Number(digits(cell))));
    }, place);
  const button = table.locator("thead th").nth(place).locator("button");
  for (const [turn, inOrder] of [["ascending", (a, b) => a <= b], ["descending", (a, b) => a >= b]]) {
    await button.focus();
    await page.keyboard.press("Enter");
    const found = await column();
    const numbers = found.filter((value) => value !== null);
    const gaps = found.slice(numbers.length);
    if (gaps.some((value) => value !== null)) wrong.push(`${name}: sorted ${turn}, gaps stand between numbers`);
    if (!numbers.every((value, at) => at === 0 || inOrder(numbers[at - 1], value))) wrong.push(`${name}: ${turn} it is not: ${numbers}`);
  }
  const word = (await table.locator("tbody tr").first().locator("th, td").first().textContent()).trim();
  const input = page.getByLabel("Filter rows").first();
  await input.fill(word);
  const shown = await table.locator("tbody tr:visible").allTextContents();
  if (shown.length === 0 || !shown.every((text) => text.toLowerCase().includes(word.toLowerCase()))) {
    wrong.push(`${name}: filtered by ${word} it shows ${shown.length} rows, not all of them with it`);
  }
}

await browser.close();
wrong.forEach((line) => console.error(line));
console.log(`${pages.length} pages in ${views.length} views: ${wrong.length} faults`);
process.exit(wrong.length > 0 ? 1 : 0);
