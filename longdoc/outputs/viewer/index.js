// The table of several documents: it sorts by a column and filters by words.

const FIELD_COLUMNS = 4;

class Index {
  constructor(rows, root) {
    Object.assign(this, { rows, sorted: null, isDown: false });
    const used = new Map();
    for (const row of rows) for (const [name, value] of Object.entries(row.fields ?? {})) if (value) used.set(name, (used.get(name) ?? 0) + 1);
    for (const name of ["title", "document_name"]) used.delete(name); // it is the first column
    const fields = [...used].sort((a, b) => b[1] - a[1]).slice(0, FIELD_COLUMNS).map(([name]) => name);
    this.columns = [
      { name: "Document", value: (row) => row.title, cell: (row) => this.title(row) },
      rows.some((row) => row.kind) && { name: "Kind", value: (row) => row.kind ?? "" },
      { name: "Pages", value: (row) => row.pages ?? -1, isNumber: true, cell: (row) => row.pages?.toLocaleString("en") ?? "" },
      { name: "Findings", value: (row) => row.findings ?? -1, isNumber: true, cell: (row) => row.findings?.toLocaleString("en") ?? "" },
      rows.some((row) => row.to_check) && { name: "To check", value: (row) => row.to_check ?? -1, isNumber: true, cell: (row) => String(row.to_check ?? "") },
      { name: "Read", value: (row) => row.coverage ?? -1, isNumber: true, cell: (row) => row.coverage === undefined ? "" : `${Math.floor(row.coverage * 1000) / 10} %` },
      rows.some((row) => row.warnings) && { name: "Warnings", value: (row) => row.warnings ?? -1, isNumber: true, cell: (row) => String(row.warnings ?? "") },
      ...fields.map((name) => ({ name: name.replaceAll("_", " "), value: (row) => row.fields?.[name] ?? "", isLong: rows.some((row) => row.fields?.[name]?.length > 20) })),
    ].filter(Boolean);
    this.body = element("tbody");
    this.count = element("p", { class: "faint", role: "status" });
    this.heads = this.columns.map((column, index) => element("th", { scope: "col", class: column.isNumber ? "number" : null, "aria-sort": "none" },
      element("button", { type: "button", onclick: () => this.sort(index) }, column.name)));
    const words = element("input", { type: "search", id: "index-filter", placeholder: "Filter", oninput: (event) => { this.words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean); this.fill(); } });
    const failed = rows.filter((row) => row.failure).length;
    fill(root, element("header", {}, element("h1", {}, plural(rows.length, "document")), failed ? element("p", { class: "alarm" }, `${plural(failed, "document")} could not be read.`) : null,
        element("p", { class: "row" }, element("label", { for: "index-filter", class: "unseen" }, "Filter the documents"), words), this.count),
      element("div", { class: "scroller", tabindex: "0", role: "region", "aria-label": "Documents" }, element("table", {}, element("thead", {}, element("tr", {}, ...this.heads)), this.body)));
    this.words = [];
    this.fill();
  }

  title(row) {
    const link = document.createElement("a");
    link.textContent = row.title;
    // The address is made by longdoc: a file in the folder beside this one, or a place on this page.
    link.setAttribute("href", row.href && /^[\w.%~-]+\/[\w.%~-]+$/.test(row.href) ? row.href : `#${row.id}`);
    return element("div", {}, row.failure ? element("b", {}, row.title) : link, element("span", { class: "where" }, row.failure ? `Not read: ${row.failure}` : row.source));
  }

  sort(index) {
    this.isDown = this.sorted === index ? !this.isDown : Boolean(this.columns[index].isNumber);
    this.sorted = index;
    this.heads.forEach((head, each) => head.setAttribute("aria-sort", each === index ? (this.isDown ? "descending" : "ascending") : "none"));
    this.fill();
  }

  fill() {
    const said = (row) => [row.source, row.failure ?? "", ...this.columns.map((column) => String(column.value(row)))].join(" ").toLowerCase();
    let shown = this.rows.filter((row) => { const text = said(row); return this.words.every((word) => text.includes(word)); });
    if (this.sorted !== null) {
      const { value, isNumber } = this.columns[this.sorted];
      const compare = isNumber ? (a, b) => value(a) - value(b) : (a, b) => value(a).localeCompare(value(b), undefined, { numeric: true });
      shown = [...shown].sort((a, b) => (this.isDown ? -1 : 1) * compare(a, b));
    }
    fill(this.body, ...shown.map((row) => element("tr", { class: row.failure ? "failed" : null },
      ...this.columns.map((column, index) => element(index ? "td" : "th", { scope: index ? null : "row", class: column.isNumber ? "number" : column.isLong ? "long" : null }, column.cell ? column.cell(row) : column.value(row))))));
    this.count.textContent = shown.length === this.rows.length ? "" : `${shown.length.toLocaleString("en")} of ${plural(this.rows.length, "document")}`;
  }
}
