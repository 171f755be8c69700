// The page: which document is open, which view of it, which finding is selected; keys and addresses.
//
// Addresses: #e12 a finding, #p3 a page; on a page with several documents #d2, #d2e12, #d2p3.

const ZOOMS = [0.5, 0.65, 0.8, 1, 1.25, 1.5, 2, 2.5, 3];

class Viewer {
  constructor(doc, prefix) {
    Object.assign(this, { doc, prefix, chosen: null });
    document.title = doc.title;
    byId("title").textContent = doc.title;
    byId("facts").textContent = [doc.source, ...doc.facts].join(" · ");
    byId("facts").classList.toggle("alarm", !doc.is_whole);
    byId("page-count").textContent = `of ${doc.pages.length.toLocaleString("en")}`;
    byId("place").hidden = doc.pages.length < 2;
    byId("view-pages").disabled = !doc.hasGeometry && Boolean(doc.why);
    byId("why").hidden = !doc.why || !doc.hasGeometry;
    byId("why").textContent = doc.why ? `No pictures of the pages: ${doc.why}.` : "";
    fill(byId("known-labels"), ...doc.groups().filter((group) => group.kind !== "answer").map((group) => element("option", { value: group.label })));
    byId("query").value = "";
    this.show(doc.why ? "text" : "pages");
    this.panel = new Panel(doc, this);
    selectTab("findings");
  }

  close() { this.view.close(); fill(byId("pages")); fill(byId("text")); byId("tab-hits").hidden = true; }

  /** Shows the pages or the text, at the same place. */
  show(name) {
    if (this.name === name) return;
    const page = this.view?.current();
    this.view?.close();
    this.name = name;
    for (const each of ["pages", "text"]) {
      byId(`view-${each}`).setAttribute("aria-pressed", String(each === name));
      byId(each).hidden = each !== name;
      if (each !== name) byId(each).replaceChildren();
    }
    this.view = new (name === "pages" ? PagesView : TextView)(this.doc, byId(name), (finding) => this.select(finding));
    if (this.search) this.search.view = this.view; else this.search = new Search(this.doc, this.view);
    this.view.choose(this.chosen);
    if (this.chosen) this.view.revealFinding(this.chosen); else if (page) this.view.reveal(page);
    this.search.colour();
    this.tellPage();
  }

  // ------------------------------------------------------------------------------------------------------ selection

  select(finding, isNew = true) {
    this.chosen = finding;
    this.view.choose(finding);
    if (finding) this.view.revealFinding(finding);
    this.panel.fillCard(finding);
    this.panel.current();
    if (isNew) history.replaceState(null, "", finding ? `#${this.prefix}${finding.id}` : `#${this.prefix}`);
    if (finding) say(`${finding.label}: ${oneLine(this.doc.textOf(finding), 80)}, page ${finding.page}`);
  }

  step(by) {
    const { shown } = this.doc;
    if (!shown.length) return;
    const at = shown.indexOf(this.chosen);
    const from = this.chosen?.from ?? this.doc.pageOf.get(this.view.current())?.from ?? 0;
    const next = at >= 0 ? at + by : by > 0 ? firstAfter(shown, (each) => each.from >= from) : firstAfter(shown, (each) => each.from >= from) - 1;
    this.select(shown[clamp(next, 0, shown.length - 1)]);
  }

  goTo(from, to) {
    this.view.revealRange(from, to);
    if (globalThis.Highlight) {
      CSS.highlights.set("place", new Highlight(...this.search.ranges({ from, to: Math.min(to, from + 200) })));
      setTimeout(() => CSS.highlights.delete("place"), 1600);
    }
    this.closeOnPhone();
  }

  closeOnPhone() { if (matchMedia("(max-width: 50rem)").matches) togglePanel(false); }

  // --------------------------------------------------------------------------------------------------------- review

  judge(verdict) {
    if (!this.chosen || this.chosen.kind === "rejected") return;
    const { review } = this.doc;
    review.set(this.chosen, { verdict: review.verdict(this.chosen) === verdict && this.chosen.kind !== "added" ? "" : verdict, label: verdict === "wrong" ? review.mark(this.chosen).label : "" });
    if (this.chosen.kind === "removed") { this.chosen = null; this.rebuild(); }
    this.marked();
    say(this.chosen ? `marked ${review.verdict(this.chosen) || "as not reviewed"}` : "removed");
  }

  relabel(label) { this.doc.review.set(this.chosen, { label, verdict: label ? "wrong" : "" }); this.marked(); }

  annotate(note) { this.doc.review.set(this.chosen, { note }); this.panel.fillReview(); }

  judgePage() {
    const page = this.doc.pageOf.get(this.view.current());
    for (const each of this.doc.shown) if (each.from < page.to && each.to > page.from && !this.doc.review.verdict(each)) this.doc.review.set(each, { verdict: "right" }, false);
    this.doc.review.save();
    this.marked();
    say(`page ${page.number} is marked`);
  }

  forget() {
    this.doc.review.clear();
    this.replaced();
  }

  /** Reads the marks again, which another tab has changed. */
  reload() {
    this.doc.review.reload();
    this.replaced();
  }

  /** After additions were replaced. */
  replaced() {
    if (this.chosen?.kind === "removed") this.select(null);
    this.rebuild();
    if (this.view instanceof PagesView) for (const each of this.doc.findings) if (each.kind === "added") this.view.include(each);
    this.marked();
  }

  /** After a change of the marks. */
  marked() {
    if (this.doc.filter.state) this.doc.update();
    this.view.refresh();
    this.panel.fillLists();
    this.panel.fillReview();
    this.panel.fillCard(this.chosen);
  }

  /** After findings were added or removed. */
  rebuild(added = null) {
    this.doc.update();
    if (added) this.view.include(added); else if (this.view instanceof TextView) this.view.fill();
    this.view.refresh();
    this.panel.fillFilter();
  }

  add(label) {
    const { from, to } = this.selected;
    const added = this.doc.review.include(this.doc.offsets.points(from), this.doc.offsets.points(to), label);
    byId("adder").hidden = true;
    getSelection().removeAllRanges();
    if (!added) { say("this is marked already"); return; }
    this.doc.review.save();
    this.rebuild(added);
    this.marked();
    this.select(added);
  }

  /** Offers to add the text that is selected. */
  offer() {
    const selection = getSelection();
    const [adder, stage] = [byId("adder"), byId("stage")];
    if (adder.contains(document.activeElement)) return;
    const range = selection.rangeCount && !selection.isCollapsed ? selection.getRangeAt(0) : null;
    const isHere = range && stage.contains(range.startContainer) && stage.contains(range.endContainer);
    let [from, to] = isHere ? [offsetOf(range.startContainer, range.startOffset), offsetOf(range.endContainer, range.endOffset)] : [null, null];
    if (from === null || to === null) { adder.hidden = true; return; }
    while (from < to && /\s/.test(this.doc.text[from])) from++;
    while (to > from && /\s/.test(this.doc.text[to - 1])) to--;
    adder.hidden = from >= to;
    if (from >= to) return;
    this.selected = { from, to };
    const box = range.getBoundingClientRect();
    adder.style.left = `${clamp(box.left, 8, Math.max(innerWidth - 360, 8))}px`;
    adder.style.top = `${clamp(box.bottom + 8, 60, innerHeight - 60)}px`;
  }

  // ----------------------------------------------------------------------------------------------------------- view

  filtered() {
    this.doc.update();
    this.view.refresh();
    this.panel.fillLists();
    this.panel.fillCard(this.chosen);
    this.panel.fillReview();
  }

  tellPage() {
    const number = this.view.current();
    if (number !== undefined && document.activeElement !== byId("page-number")) byId("page-number").value = number;
  }

  zoom(by) {
    const page = this.view.current();
    zoom = clamp(zoom + by, 0, ZOOMS.length - 1);
    document.documentElement.style.setProperty("--zoom", ZOOMS[zoom]);
    if (page) this.view.reveal(page);
  }
}

let viewer = null;
let index = null;
let zoom = 3;
const documents = [...document.querySelectorAll("script.document")];
const rows = [...document.querySelectorAll("script.summary")].map((each) => JSON.parse(each.textContent));

function togglePanel(isOpen = document.body.classList.contains("closed")) {
  document.body.classList.toggle("closed", !isOpen);
  byId("toggle-panel").setAttribute("aria-expanded", String(isOpen));
}

/** Shows what the address names. */
function follow() {
  const [, id, kind, number] = /^#?(d\d+)?(?:([emp])(\d+(?:-\d+)?))?$/.exec(location.hash) ?? [];
  const data = rows.length ? documents.find((each) => each.id === id) : documents[0];
  byId("viewer").hidden = !data;
  byId("index").hidden = Boolean(data);
  byId("skip").hidden = !data;
  if (!data) {
    index ??= new Index(rows, byId("index"));
    document.title = plural(rows.length, "document");
    return;
  }
  if (viewer?.doc.id !== data.id) {
    viewer?.close();
    viewer = new Viewer(new LongDocument({ ...JSON.parse(data.textContent), id: data.id }), rows.length ? data.id : "");
    byId("back").hidden = !rows.length;
  }
  if (kind === "p") viewer.view.reveal(Number(number));
  else if (kind) {
    const finding = viewer.doc.find(`${kind}${number}`);
    if (finding) viewer.select(finding, false);
  }
}

const KEYS = {
  j: () => viewer.step(1), k: () => viewer.step(-1), y: () => viewer.judge("right"), n: () => viewer.judge("wrong"),
  t: () => byId(viewer.name === "pages" ? "view-text" : "view-pages").click(), l: () => byId("chips").click(),
  "/": () => byId("query").focus(), "?": () => byId("help").showModal(), "+": () => viewer.zoom(1), "-": () => viewer.zoom(-1),
  Escape: () => viewer.select(null),
};

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.matches?.("input:not([type=checkbox], [type=range]), textarea, select");
  if (!viewer || byId("viewer").hidden || event.ctrlKey || event.metaKey || event.altKey || byId("help").open) return;
  if (isTyping && event.key === "Escape") event.target.blur();
  const action = isTyping ? null : KEYS[event.key];
  if (action) { event.preventDefault(); action(); }
});

byId("tabs").addEventListener("keydown", (event) => {
  const tabs = TABS.map((name) => byId(`tab-${name}`)).filter((tab) => !tab.hidden);
  const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!by) return;
  const next = tabs[(tabs.indexOf(document.activeElement) + by + tabs.length) % tabs.length];
  next.focus();
  next.click();
});
for (const name of TABS) byId(`tab-${name}`).addEventListener("click", () => selectTab(name));
byId("toggle-panel").addEventListener("click", () => togglePanel());
byId("view-pages").addEventListener("click", () => viewer.show("pages"));
byId("view-text").addEventListener("click", () => viewer.show("text"));
byId("smaller").addEventListener("click", () => viewer.zoom(-1));
byId("larger").addEventListener("click", () => viewer.zoom(1));
byId("help-button").addEventListener("click", () => byId("help").showModal());
byId("add").addEventListener("click", () => { const label = byId("new-label").value.trim(); if (label) viewer.add(label); });
byId("new-label").addEventListener("keydown", (event) => { if (event.key === "Enter") byId("add").click(); });
byId("chips").addEventListener("click", () => {
  const isOn = document.body.classList.toggle("chipped");
  byId("chips").setAttribute("aria-pressed", String(isOn));
});
byId("theme").addEventListener("click", () => {
  const isDark = getComputedStyle(document.documentElement).getPropertyValue("color-scheme") === "dark"
    || (!document.documentElement.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = isDark ? "light" : "dark";
  kept.set("longdoc:theme", document.documentElement.dataset.theme);
});
byId("search").addEventListener("submit", (event) => {
  event.preventDefault();
  const query = byId("query").value;
  if (query.trim() !== viewer.search.query) viewer.search.run(query);
  viewer.search.go(viewer.search.at + 1);
});
byId("query").addEventListener("input", (event) => { if (!event.target.value) viewer.search.run(""); });
byId("page-number").addEventListener("change", (event) => {
  const number = Number(event.target.value);
  if (viewer.doc.pageOf.has(number)) viewer.view.reveal(number); else viewer.tellPage();
});
byId("least").addEventListener("input", (event) => {
  viewer.doc.filter.least = Number(event.target.value);
  byId("least-shown").textContent = viewer.doc.filter.least.toFixed(2);
  viewer.filtered();
});
byId("section").addEventListener("change", (event) => { viewer.doc.filter.section = event.target.value; viewer.filtered(); });
byId("state").addEventListener("change", (event) => { viewer.doc.filter.state = event.target.value; viewer.filtered(); });
byId("clear-filter").addEventListener("click", () => {
  viewer.doc.filter = { least: 0, section: "", state: "", off: new Set() };
  viewer.panel.fillFilter();
  viewer.filtered();
});
let isTold = false;
byId("stage").addEventListener("scroll", () => {
  byId("bubble").hidden = true;
  if (isTold) return;
  isTold = true;
  requestAnimationFrame(() => { isTold = false; viewer.tellPage(); });
}, { passive: true });
document.addEventListener("selectionchange", () => { if (viewer) viewer.offer(); });
addEventListener("hashchange", follow);
addEventListener("storage", ({ key }) => { if (viewer?.doc.review.key === key) viewer.reload(); });
addEventListener("beforeprint", () => { if (viewer && !byId("viewer").hidden) viewer.show("text"); });
const theme = kept.get("longdoc:theme");
if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
if (innerWidth < 800) togglePanel(false);
follow();
