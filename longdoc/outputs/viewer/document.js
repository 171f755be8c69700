// A document and what was found in it, as the other parts use them.
//
// Python counts code points, JavaScript counts UTF-16 units: `start` and `end` of a finding are as in the data, for
// exports; `from` and `to` are units, as is everything else here.

/** Code points of a text to UTF-16 units, and back. */
class Offsets {
  constructor(text) {
    this.wide = []; // the code points that take two units
    if (!/[\ud800-\udbff]/.test(text)) return;
    for (let unit = 0, point = 0; unit < text.length; unit++, point++) {
      if (text.codePointAt(unit) > 0xffff) { this.wide.push(point); unit++; }
    }
  }
  units(point) { return point + firstAfter(this.wide, (wide) => wide >= point); }
  points(unit) {
    let [low, high] = [0, this.wide.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.wide[middle] + middle >= unit) high = middle; else low = middle + 1;
    }
    return unit - low;
  }
}

const KINDS = { entity: "Entities", span: "Clauses", answer: "Answers", added: "Added" };

/** The classes of palette.css for the label with a number. */
const lookOf = (number) => `k${number % 8} u${(number + (number >> 3)) % 4}`;

class LongDocument {
  constructor(data) {
    Object.assign(this, data);
    this.offsets = new Offsets(this.text);
    const units = (point) => this.offsets.units(point);
    this.pages.forEach((page, index) => {
      Object.assign(page, { index, from: units(page.start), to: units(page.end), found: [] });
      page.lines = page.lines.map(([start, end, ...box]) => ({ from: units(start), to: units(end), box }));
    });
    this.pageOf = new Map(this.pages.map((page) => [page.number, page]));
    this.sections = this.sections.map(([number, title, kind, level, start, end, headingEnd]) =>
      ({ number, title, kind, level, from: units(start), to: units(end), headingEnd: units(headingEnd) }));
    for (const table of this.tables) {
      Object.assign(table, { from: units(table.start), to: units(table.end) });
      table.cells = table.cells.map(([row, column, rows, columns, start, end]) =>
        ({ row, column, rows, columns, from: units(start), to: units(end) }));
    }
    this.hasGeometry = this.pages.some((page) => page.width > 0 && page.lines.length);
    this.findings.forEach((finding, index) => this.prepare(finding, `e${index}`));
    this.review = new Review(this);
    this.filter = { least: 0, section: "", state: "", off: new Set() };
    this.update();
  }

  prepare(finding, id) {
    Object.assign(finding, { id, from: this.offsets.units(finding.start), to: this.offsets.units(finding.end) });
    finding.boxes ??= [];
    finding.key = `${finding.kind}:${finding.start}:${finding.end}:${finding.label}`;
    finding.group = `${finding.kind}:${finding.label}`;
    for (const box of finding.boxes) this.pageOf.get(box[0])?.found.push({ finding, box });
    return finding;
  }

  /** The classes that draw a finding. */
  look(finding) {
    const isNumbered = finding.kind !== "answer" && Object.hasOwn(this.labels, finding.label);
    return `${isNumbered ? lookOf(this.labels[finding.label]) : "ka u0"} of-${finding.kind}`;
  }

  textOf(finding) { return finding.text || this.text.slice(finding.from, finding.to); }

  find(id) { return this.findings.find((finding) => finding.id === id); }

  /** Applies the filter: `shown` are the findings that are drawn and stepped through, in the order of the text. */
  update() {
    const { least, section, state, off } = this.filter;
    const within = section === "" ? null : this.sections[section];
    this.shown = this.findings.filter((finding) => {
      const verdict = this.review.verdict(finding);
      return finding.kind !== "rejected" && finding.kind !== "removed" && !off.has(finding.group) && finding.score >= least
        && (!within || (finding.from >= within.from && finding.from < within.to))
        && (state === "" || (state === "check" ? finding.check : state === "open" ? !verdict : verdict === state));
    }).sort((a, b) => a.from - b.from || b.to - a.to);
    this.isShown = new Set(this.shown);
  }

  /** The labels with the number of findings, by kind, the most frequent first. */
  groups() {
    if (this.grouped?.of === this.findings.length) return this.grouped.groups;
    const groups = new Map();
    for (const finding of this.findings) {
      if (!(finding.kind in KINDS)) continue;
      const group = groups.get(finding.group) ?? { key: finding.group, kind: finding.kind, label: finding.label, count: 0, example: finding };
      group.count++;
      groups.set(finding.group, group);
    }
    const order = Object.keys(KINDS);
    const sorted = [...groups.values()].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || b.count - a.count);
    this.grouped = { of: this.findings.length, groups: sorted };
    return sorted;
  }

  /** The boxes of a range of the text: those of its lines, each as wide as its share of the line. */
  boxesOf(from, to) {
    const boxes = [];
    for (const page of this.pages) {
      if (page.to <= from || page.from >= to) continue;
      for (const line of page.lines) {
        if (line.to <= from || line.from >= to) continue;
        const [x0, y0, x1, y1] = line.box;
        const [first, last] = [from, to].map((offset) => clamp((offset - line.from) / (line.to - line.from), 0, 1));
        const isUpright = y1 - y0 > 2 * (x1 - x0) && line.to - line.from > 2; // turned by a quarter
        boxes.push(isUpright ? [page.number, x0, y0 + (y1 - y0) * first, x1, y0 + (y1 - y0) * last] : [page.number, x0 + (x1 - x0) * first, y0, x0 + (x1 - x0) * last, y1]);
      }
    }
    return boxes;
  }

  pageAt(offset) {
    return this.pages[Math.min(firstAfter(this.pages, (page) => page.to > offset), this.pages.length - 1)];
  }
}
