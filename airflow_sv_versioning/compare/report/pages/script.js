"use strict";
// Without this script the page is whole, and can only not be filtered and sorted.
const form = document.querySelector(".filters");
const cards = [...document.querySelectorAll(".card")];
const everything = document.getElementById("count")?.textContent;
const told = (list, value) => (" " + list + " ").includes(" " + value + " ");

function filter() {
  const wanted = new FormData(form);
  const name = wanted.get("name").toLowerCase();
  const kinds = wanted.getAll("kind");
  const number = wanted.get("class") || "";
  let seen = 0;
  for (const card of cards) {
    card.hidden = !(
      card.querySelector("h3").textContent.toLowerCase().includes(name) &&
      (!kinds.length || kinds.some((kind) => told(card.dataset.k, kind))) &&
      (!number || told(card.dataset.c, number))
    );
    seen += !card.hidden;
  }
  const count = document.getElementById("count");
  count.textContent = seen < cards.length ? `showing ${seen.toLocaleString("en")} of the ${count.dataset.all} on this page` : everything;
  document.querySelector(".none").hidden = seen > 0 || !cards.length;
  document.body.dataset.show = wanted.get("show");
}

function chooseClass(link) {
  const choice = form.elements.namedItem("class");
  if (choice) {
    form.reset();
    choice.value = link.dataset.c;
    filter();
  }
}

// A number that is not there sorts behind all others.
const value = (row, column, isText) => {
  const text = row.cells[column].textContent.trim();
  if (isText) return text;
  const number = Number(text.replace("−", "-").replace(/[^0-9.-]/g, "") || NaN);
  return Number.isNaN(number) ? -1e9 : number;
};

function sort(table, head, column) {
  const isUp = head.hasAttribute("data-text") !== (head.getAttribute("aria-sort") === (head.hasAttribute("data-text") ? "ascending" : "descending"));
  const isText = head.hasAttribute("data-text");
  for (const other of table.querySelectorAll("[aria-sort]")) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", isUp ? "ascending" : "descending");
  const rows = [...table.tBodies[0].rows].map((row) => [value(row, column, isText), row]);
  rows.sort(([one], [other]) => (isText ? one.localeCompare(other) : one - other) * (isUp ? 1 : -1));
  table.tBodies[0].append(...rows.map(([, row]) => row));
}

function makeSortable(table) {
  // The second row of heads stands below groups of two; bars have a column that nobody sorts by.
  const heads = [...table.tHead.rows[0].cells].flatMap((head) => (head.colSpan > 1 ? Array(head.colSpan).fill(null) : [head]));
  const below = [...(table.tHead.rows[1] ? table.tHead.rows[1].cells : [])];
  heads.map((head) => head || below.shift()).forEach((head, column) => {
    if (!head.classList.contains("sort")) return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(table, head, column));
    head.append(button);
  });
}

function makeCloser(svg) {
  const whole = svg.getAttribute("viewBox");
  const width = (box) => Number(box.split(" ")[2]);
  const letter = Number(svg.getAttribute("font-size"));
  const button = document.createElement("button");
  button.type = "button";
  button.className = "close";
  const show = (box, text) => {
    svg.setAttribute("viewBox", box);
    svg.setAttribute("font-size", (letter * width(box)) / width(whole));
    button.textContent = text;
  };
  button.textContent = "closer";
  button.addEventListener("click", () =>
    svg.getAttribute("viewBox") === whole ? show(svg.dataset.close, "all of it") : show(whole, "closer"),
  );
  svg.parentElement.append(button);
}

function point(line, isOn) {
  const card = line.closest(".card");
  const shapes = card.querySelectorAll(`svg [data-n="${line.dataset.n}"]`);
  for (const shape of shapes) shape.classList.toggle("hot", isOn);
  for (const svg of card.querySelectorAll("svg")) svg.classList.toggle("hushed", isOn && shapes.length > 0);
}

if (form) {
  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("reset", () => setTimeout(filter));
  form.addEventListener("submit", (event) => event.preventDefault());
  filter();
  for (const link of document.querySelectorAll("a[data-c]")) link.addEventListener("click", () => chooseClass(link));
  for (const line of document.querySelectorAll(".card li")) {
    line.addEventListener("mouseenter", () => point(line, true));
    line.addEventListener("mouseleave", () => point(line, false));
  }
}
document.querySelectorAll("table.stack").forEach(makeSortable);
document.querySelectorAll("svg[data-close]").forEach(makeCloser);
// What is folded would not be printed.
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((details) => (details.open = true)));
