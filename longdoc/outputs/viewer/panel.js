// The lists beside the document, the card of the selected finding, the filter, and the tab for review.

const TABS = ["findings", "outline", "reading", "review", "hits"];

function selectTab(name) {
  for (const each of TABS) {
    byId(`tab-${each}`).setAttribute("aria-selected", String(each === name));
    byId(`tab-${each}`).tabIndex = each === name ? 0 : -1;
    byId(`pane-${each}`).hidden = each !== name;
  }
}

const heading = (text, count) => element("h2", {}, text, count === undefined ? null : element("span", { class: "count" }, ` ${count.toLocaleString("en")}`));
const badge = (text, kind) => element("span", { class: `badge ${kind}` }, text);
const verdictBadge = (verdict) => verdict === "right" ? badge("✓ right", "good") : verdict === "wrong" ? badge("✗ wrong", "bad") : null;
const closed = new Set(); // lists that the user has closed

class Panel {
  constructor(doc, viewer) {
    Object.assign(this, { doc, viewer, links: new Map() });
    this.fillCard(null);
    requestAnimationFrame(() => setTimeout(() => this.fillAll())); // after the first page is on the screen
  }

  fillAll() {
    if (this.viewer !== viewer) return; // closed meanwhile
    this.fillFilter();
    this.fillLists();
    this.fillOutline();
    this.fillReading();
    this.fillReview();
  }

  // ------------------------------------------------------------------------------------------------------- findings

  fillLists() {
    const { doc } = this;
    this.links.clear();
    const entities = Object.entries(doc.names).map(([label, names]) => this.group("entity", label, names.map((name) => this.name(label, name))));
    const passages = (kind) => doc.groups().filter((group) => group.kind === kind).map((group) =>
      this.group(kind, group.label, doc.shown.filter((each) => each.group === group.key).map((each) => element("li", {}, this.passage(each, false))))).filter(Boolean);
    const named = { contract: "Contract", paper: "Paper", note: "Clinical note" };
    const parts = [
      this.listOf(named[doc.record] ?? "Fields", doc.fields.map((field) => this.field(field)).filter(Boolean), "dl"),
      this.missing(),
      this.listOf("Added", passages("added"), "div"),
      this.listOf("Classes", doc.classes.map(([name, where, score]) => element("li", {}, element("b", {}, name), element("span", { class: "where" }, ` ${where} · ${score.toFixed(2)}`)))),
      this.listOf("Entities", entities.filter(Boolean), "div"),
      this.listOf("Clauses", passages("span"), "div"),
    ].flat().filter(Boolean);
    fill(byId("lists"), ...(parts.length ? parts : [element("p", { class: "faint" }, doc.findings.length ? "The filter leaves nothing." : "Nothing found.")]));
    byId("filtered").textContent = doc.shown.length === this.total() ? "" : `${doc.shown.length.toLocaleString("en")} of ${plural(this.total(), "finding")}`;
    this.current();
  }

  total() { return this.doc.findings.filter((each) => each.kind in KINDS).length; }

  listOf(title, items, tag = "ul") { return items.length ? [heading(title), element(tag, { class: "list" }, ...items)] : []; }

  group(kind, label, items) {
    const own = items.filter(Boolean);
    if (!own.length) return null;
    const key = `${kind}:${label}`;
    return element("details", { open: !closed.has(key), ontoggle: (event) => { if (event.target.open) closed.delete(key); else closed.add(key); } },
      element("summary", {}, swatch(this.doc.look({ kind, label })), element("span", { class: "label" }, label), element("span", { class: "count" }, own.length.toLocaleString("en"))),
      element("ul", {}, ...own));
  }

  /** A name with its mentions; a click goes to the next of them. */
  name(label, [text, pages, numbers]) {
    const mentions = numbers.map((number) => this.doc.findings[number]).filter((each) => this.doc.isShown.has(each));
    if (!mentions.length) return null;
    const times = mentions.length > 1 ? `×${mentions.length} · ` : "";
    const link = this.link(mentions[0], text, () => mentions[(mentions.indexOf(this.viewer.chosen) + 1) % mentions.length]);
    for (const each of mentions) if (!this.links.has(each.id) || each === mentions[0]) this.links.set(each.id, link);
    return element("li", { class: "name" }, link, verdictBadge(this.doc.review.verdict(mentions[0])), element("span", { class: "where" }, `${times}p. ${pages}`));
  }

  link(finding, text, choose = () => finding) {
    const link = element("a", { href: `#${this.viewer.prefix}${finding.id}`, onclick: (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.viewer.select(choose());
    } }, text);
    this.links.set(finding.id, link);
    return link;
  }

  passage(finding, isField = true) {
    const { doc } = this;
    const text = oneLine(doc.textOf(finding), isField ? 240 : 160);
    const value = finding.value && oneLine(finding.value) !== text ? element("b", { class: "value" }, oneLine(finding.value)) : null;
    const where = finding.kind === "beside" ? "only in the file's metadata" : `p. ${finding.page}${finding.section ? `, section ${finding.section}` : ""}`;
    return element("div", { class: "passage" }, value,
      finding.alternative ? element("span", { class: "doubt" }, ` or ${finding.alternative}?`) : null,
      finding.kind === "beside" ? element("span", {}, text) : this.link(finding, text),
      element("span", { class: "where" }, `${where} · ${finding.score.toFixed(2)}${isField && finding.source ? ` · ${finding.source}` : ""}`,
        finding.check ? badge("check", "warn") : null, verdictBadge(doc.review.verdict(finding))));
  }

  field(field) {
    const own = field.found.map((each) => (typeof each === "number" ? this.doc.findings[each] : each));
    const shown = own.filter((each) => each.kind === "beside" || this.doc.isShown.has(each));
    return shown.length ? element("div", { class: "field" }, element("dt", {}, field.name.replaceAll("_", " ")), ...shown.map((each) => element("dd", {}, this.passage(each)))) : null;
  }

  missing() {
    const fields = this.doc.fields.filter((field) => field.missing !== undefined);
    const items = fields.map((field) => {
      const closest = field.closest === null ? null : this.doc.findings[field.closest];
      return element("li", {}, element("b", {}, field.name.replaceAll("_", " ")), element("span", { class: "where" }, ` ${field.missing}`),
        closest ? element("div", { class: "passage" }, "closest: ", this.link(closest, oneLine(this.doc.textOf(closest), 120)), element("span", { class: "where" }, `p. ${closest.page} · ${closest.score.toFixed(2)}`)) : null);
    });
    return this.listOf("Not found", items);
  }

  /** Shows which finding is selected. */
  current() {
    this.lit?.removeAttribute("aria-current");
    const link = this.lit = this.links.get(this.viewer.chosen?.id);
    link?.setAttribute("aria-current", "true");
    if (link && !byId("pane-findings").hidden) link.scrollIntoView({ block: "nearest" });
  }

  // ----------------------------------------------------------------------------------------------------------- card

  fillCard(finding) {
    const card = byId("card");
    card.hidden = !finding;
    if (!finding) { fill(card); return; }
    const { doc, viewer } = this;
    const verdict = doc.review.verdict(finding);
    const at = doc.shown.indexOf(finding);
    const facts = [["Value", finding.value && `${finding.value}${finding.alternative ? ` or ${finding.alternative}?` : ""}`],
      ["Score", finding.kind === "added" ? "" : finding.score.toFixed(2)], ["Page", String(finding.page)], ["Section", finding.section],
      ["Source", finding.source], ["Question", finding.question]].filter(([, value]) => value);
    const labels = [...new Set([...doc.groups().filter((group) => group.kind !== "answer").map((group) => group.label)])];
    fill(card, element("div", { class: "row" }, swatch(doc.look(finding)), element("b", { class: "label" }, finding.label),
        finding.kind === "rejected" ? badge("not found: the closest", "warn") : null, finding.check ? badge("check", "warn") : null,
        element("span", { class: "spacer" }), element("span", { class: "where" }, at < 0 ? "" : `${(at + 1).toLocaleString("en")} of ${doc.shown.length.toLocaleString("en")}`),
        element("span", { class: "together" }, ...[["Previous finding", "k", "↑", () => viewer.step(-1)], ["Next finding", "j", "↓", () => viewer.step(1)], ["Let go", "Esc", "×", () => viewer.select(null)]].map(([name, key, sign, onclick]) =>
          element("button", { class: "icon", type: "button", "aria-label": name, title: `${name} (${key})`, onclick }, sign)))),
      element("blockquote", { tabindex: "0" }, oneLine(doc.textOf(finding), 600)),
      element("dl", { class: "facts" }, ...facts.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)])),
      finding.kind === "rejected" ? null : element("div", { class: "row review" },
        element("button", { type: "button", class: "good", "aria-pressed": String(verdict === "right"), title: "y", onclick: () => viewer.judge("right") }, "✓ Right"),
        element("button", { type: "button", class: "bad", "aria-pressed": String(verdict === "wrong"), title: "n", onclick: () => viewer.judge("wrong") }, finding.kind === "added" ? "Remove" : "✗ Wrong"),
        finding.kind === "added" || finding.kind === "answer" ? null : element("label", { class: "grow" }, element("span", { class: "unseen" }, "It should be"),
          element("select", { onchange: (event) => viewer.relabel(event.target.value) }, element("option", { value: "" }, "should be …"),
            ...labels.filter((label) => label !== finding.label).map((label) => element("option", { value: label, selected: doc.review.mark(finding).label === label }, label))))),
      finding.kind === "added" ? "" : element("label", { class: "note" }, element("span", { class: "unseen" }, "Note"),
        element("input", { type: "text", placeholder: "Note", value: doc.review.mark(finding).note ?? "", oninput: (event) => viewer.annotate(event.target.value) })));
  }

  // --------------------------------------------------------------------------------------------------------- filter

  fillFilter() {
    const { doc, viewer } = this;
    const row = (group) => element("label", {},
      element("input", { type: "checkbox", checked: !doc.filter.off.has(group.key), onchange: (event) => {
        if (event.target.checked) doc.filter.off.delete(group.key); else doc.filter.off.add(group.key);
        viewer.filtered();
      } }), swatch(doc.look(group.example)), element("span", { class: "label" }, group.label),
      group.kind === "entity" && group.example.source ? element("span", { class: "where" }, group.example.source) : null, element("span", { class: "count" }, group.count.toLocaleString("en")));
    const rows = doc.groups().flatMap((group, at, all) => [at && all[at - 1].kind === group.kind ? null : element("b", { class: "faint" }, KINDS[group.kind]), row(group)]);
    const legend = doc.findings.some((each) => each.is_doubtful) ? element("p", { class: "faint" }, "Paler, with dots: to check, or a score below 0.70.") : null;
    fill(byId("label-filter"), ...rows, legend);
    fill(byId("section"), element("option", { value: "" }, "all"), ...doc.sections.flatMap((section, index) =>
      section.level > 2 ? [] : [element("option", { value: String(index) }, `${"\u2003".repeat(section.level - 1)}${oneLine(`${section.number} ${section.title}`.trim() || section.kind, 60)}`)]));
    byId("section").value = doc.filter.section;
    byId("state").value = doc.filter.state;
    byId("least").value = doc.filter.least;
    byId("least-shown").textContent = Number(doc.filter.least).toFixed(2);
  }

  // -------------------------------------------------------------------------------------------------------- outline

  fillOutline() {
    const { doc, viewer } = this;
    const go = (text, level, where, action) => element("li", { class: `level-${Math.min(level, 5)}` },
      element("button", { type: "button", class: "plain", onclick: action }, element("span", { class: "title" }, ...[text].flat()), where ? element("span", { class: "where" }, ` ${where}`) : null));
    const sections = doc.sections.map((section) => {
      const page = doc.pageAt(section.from)?.number;
      const words = section.title ? "" : oneLine(doc.text.slice(section.from, section.to).replace(/^\s*\S+/, ""), 50);
      return go([oneLine(`${section.number} ${section.title}`.trim() || section.kind, 90), element("span", { class: "faint" }, words && ` ${words}`)], section.level, `p. ${page}`, () => viewer.goTo(section.from, Math.max(section.headingEnd, section.from + 1)));
    });
    const bookmarks = doc.bookmarks.map(([title, level, page]) => go(oneLine(title, 90), level, page ? `p. ${page}` : "", () => page && viewer.view.reveal(page)));
    const tables = doc.tables.map((table) => {
      const first = table.cells.filter((cell) => cell.row === 0).map((cell) => oneLine(doc.text.slice(cell.from, cell.to), 30)).join(" | ");
      return go(`${table.rows} × ${table.columns}: ${oneLine(first, 80)}`, 1, `p. ${table.page}`, () => viewer.goTo(table.from, table.to));
    });
    const parts = [this.listOf("Sections", sections), this.listOf("Bookmarks", bookmarks), this.listOf("Tables", tables)].flat();
    fill(byId("pane-outline"), ...(parts.length ? parts : [element("p", { class: "faint" }, "The document has no headings, bookmarks or tables.")]));
  }

  // -------------------------------------------------------------------------------------------------------- reading

  fillReading() {
    const { doc, viewer } = this;
    fill(byId("tab-reading"), "Reading", doc.warnings.length ? badge(String(doc.warnings.length), "warn") : null);
    const pages = doc.pages.map((page) => element("li", {}, element("button", {
      type: "button", class: `verdict ${page.verdict}`, "aria-label": `Page ${page.number}: ${page.verdict}`, title: `Page ${page.number}: ${page.verdict}${page.confidence === null ? "" : `, read by OCR, confidence ${Math.round(page.confidence * 100)} %`}`,
      onclick: () => viewer.view.reveal(page.number) }, String(page.number))));
    const verdicts = ["text", "scanned", "garbled", "empty"].map((verdict) => [verdict, doc.pages.filter((page) => page.verdict === verdict).length]).filter(([, n]) => n);
    fill(byId("pane-reading"), heading("How much was read"), element("p", { class: doc.is_whole ? "" : "alarm" }, doc.facts.join(" · ")),
      ...(doc.why ? [element("p", { class: "faint" }, `No pictures of pages: ${doc.why}.`)] : []),
      ...(doc.warnings.length ? [heading("Warnings", doc.warnings.length), element("ul", { class: "warnings" }, ...doc.warnings.map((each) => element("li", {}, each)))] : [element("p", { class: "faint" }, "No warnings.")]),
      heading("Pages"), element("p", { class: "faint" }, verdicts.map(([verdict, n]) => `${n.toLocaleString("en")} ${verdict}`).join(", ")), element("ol", { class: "verdicts" }, ...pages),
      heading("File"), element("dl", { class: "facts" }, ...doc.metadata.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)])));
  }

  // --------------------------------------------------------------------------------------------------------- review

  fillReview() {
    const { doc, viewer } = this;
    const { review } = doc;
    const judgements = review.judgements();
    const passages = review.passages();
    const [examples, open] = [review.examples(), passages.filter((passage) => !review.isDone(passage))];
    const n = examples.reduce((sum, example) => sum + example.entities.length, 0);
    const name = doc.name.replace(/\.[^.]*$/, "").replace(/[^\p{L}\p{N}.-]+/gu, "-") || "document";
    const tally = (verdict) => judgements.filter((each) => each.verdict === verdict).length;
    fill(byId("pane-review"), heading("Your marks"),
      element("p", {}, `${tally("right")} right, ${tally("wrong")} wrong, of ${plural(this.total(), "finding")}.`),
      element("p", { class: "faint" }, kept.isKept ? "This browser keeps them for this document." : "This browser keeps no data for this page: export your marks before you close it."),
      element("p", { class: "row" }, element("button", { type: "button", onclick: () => viewer.judgePage() }, "All on this page are right")),
      heading("Training data"),
      element("p", {}, examples.length ? `${plural(examples.length, "passage")} with ${n === 1 ? "1 entity" : `${n.toLocaleString("en")} entities`}: paragraphs in which you judged every finding.` : "No passage yet: a paragraph counts once you have judged every finding in it."),
      open.length ? element("p", { class: "alarm" }, `${plural(open.length, "paragraph")} left out: not every finding is judged. `,
        element("button", { type: "button", class: "link", onclick: () => viewer.select(open[0].findings.find((each) => !review.verdict(each))) }, "Go to the next")) : null,
      element("p", { class: "row" }, element("button", { type: "button", id: "export-examples", disabled: !examples.length, onclick: () => download(`${name}.train.jsonl`, asLines(examples)) }, "Export training data")),
      element("p", { class: "faint" }, "JSON lines for `longdoc train` and `evaluate` (reader: jsonl). Only labels that the filter shows are exported; switch others off. Answers to fields are not part of it."),
      heading("All marks"),
      element("p", { class: "row" },
        element("button", { type: "button", id: "export-marks", disabled: !judgements.length, onclick: () => download(`${name}.marks.jsonl`, asLines(judgements)) }, "Export all marks"),
        element("button", { type: "button", disabled: !judgements.length, onclick: () => { if (confirm("Forget all marks on this document?")) viewer.forget(); } }, "Forget them")),
      element("p", { class: "faint" }, "One line for each mark, with its note; of fields and answers, too. To add what is missing, select its text."));
  }
}
