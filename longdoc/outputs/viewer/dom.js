// Elements. Text of a document only ever becomes a text node or the value of a harmless attribute.

const byId = (id) => document.getElementById(id);

const ALLOWED = new Set(["class", "id", "for", "role", "title", "type", "value", "name", "rows", "colspan", "rowspan",
  "tabindex", "scope", "list", "placeholder", "checked", "disabled", "hidden", "open", "min", "max", "step", "selected"]);

/** An element with attributes, listeners (`onclick`), and children: texts and elements; those that are null are left out. */
function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else if (name === "href" && String(value).startsWith("#")) node.setAttribute("href", value);
    else if (ALLOWED.has(name) || name.startsWith("aria-") || name.startsWith("data-")) {
      node.setAttribute(name, value === true ? "" : value);
    } else throw new Error(`attribute ${name} is not allowed`);
  }
  node.append(...present(children));
  return node;
}

/** The children that there are: the others are null, false or empty. */
const present = (children) => children.flat().filter((child) => child !== null && child !== undefined && child !== false && child !== "");

/** Replaces the children of an element. */
const fill = (node, ...children) => node.replaceChildren(...present(children));

const plural = (number, noun) => `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
const oneLine = (text, most = 400) => {
  const line = text.slice(0, most * 4).replace(/\s+/g, " ").trim();
  return line.length > most ? `${line.slice(0, most - 2).trimEnd()} …` : line;
};
const swatch = (look) => element("span", { class: `swatch ${look}`, "aria-hidden": "true" });
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const say = (text) => { byId("said").textContent = text; };

/** The first index in an ascending array for which `isAfter` holds. */
function firstAfter(array, isAfter) {
  let [low, high] = [0, array.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isAfter(array[middle])) high = middle; else low = middle + 1;
  }
  return low;
}

/** What the browser keeps for this page; without a store, in this tab alone. */
const kept = {
  isKept: true,
  values: new Map(),
  get(key) {
    try { return localStorage.getItem(key) ?? this.values.get(key) ?? null; } catch { this.isKept = false; return this.values.get(key) ?? null; }
  },
  set(key, value) {
    this.values.set(key, value);
    try { localStorage.setItem(key, value); } catch { this.isKept = false; }
  },
};

/** Gives the user a file. */
function download(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/x-ndjson" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
