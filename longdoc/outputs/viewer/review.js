// The reviewer's marks: right, wrong, another label, a note, and what is missing. The browser keeps them by the SHA-256 of the document.

const PARAGRAPH = /\n[ \t]*\n|\f/g;

class Review {
  constructor(doc) {
    this.doc = doc;
    this.key = `longdoc:review:${doc.sha256}`;
    this.marks = new Map();
    this.load();
  }

  load() {
    let stored = {};
    try { stored = JSON.parse(kept.get(this.key) ?? "{}"); } catch { stored = {}; }
    for (const [key, mark] of Object.entries(stored?.marks ?? {})) this.marks.set(key, mark);
    for (const { start, end, label } of stored?.added ?? []) this.include(start, end, label);
  }

  save() {
    const added = this.doc.findings.filter((each) => each.kind === "added").map(({ start, end, label }) => ({ start, end, label }));
    kept.set(this.key, JSON.stringify({ name: this.doc.name, marks: Object.fromEntries(this.marks), added }));
  }

  /** Adds a finding that the reviewer saw; null if it is not in the text. */
  include(start, end, label) {
    const isInside = Number.isInteger(start) && Number.isInteger(end) && start >= 0 && start < end && this.doc.offsets.units(end) <= this.doc.text.length;
    if (!isInside || typeof label !== "string" || !label) return null;
    const [from, to] = [this.doc.offsets.units(start), this.doc.offsets.units(end)];
    const finding = { kind: "added", label, start, end, score: 1, page: this.doc.pageAt(from).number, source: "reviewer", boxes: this.doc.boxesOf(from, to) };
    if (this.doc.findings.some((each) => each.kind === "added" && each.start === start && each.end === end && each.label === label)) return null;
    this.doc.findings.push(this.doc.prepare(finding, `m${start}-${end}`));
    return finding;
  }

  mark(finding) { return this.marks.get(finding.key) ?? {}; }

  verdict(finding) { return finding.kind === "added" ? "right" : this.mark(finding).verdict ?? ""; }

  /** Changes the mark of a finding; an empty one is removed. */
  set(finding, change) {
    if (finding.kind === "added" && change.verdict !== undefined) {
      if (change.verdict !== "right") this.remove(finding);
    } else {
      const mark = { ...this.mark(finding), ...change };
      for (const [name, value] of Object.entries(mark)) if (!value) delete mark[name];
      if (Object.keys(mark).length) this.marks.set(finding.key, mark); else this.marks.delete(finding.key);
    }
    this.save();
  }

  clear() {
    this.marks.clear();
    for (const finding of this.doc.findings) if (finding.kind === "added") this.remove(finding);
    this.save();
  }

  remove(finding) {
    finding.kind = "removed";
    this.doc.grouped = null;
  }

  /** What training learns from: findings of entities and clauses whose labels are switched on, and what was added. */
  trainable() {
    return this.doc.findings.filter((each) => ["entity", "span", "added"].includes(each.kind) && !this.doc.filter.off.has(each.group));
  }

  /**
   * The passages of the text in which every such finding is judged: whole paragraphs, joined where a finding crosses
   * their border. In the others, what is not marked need not be wrong, so that they are no training data.
   */
  passages() {
    const found = this.trainable();
    const passages = [];
    let from = 0;
    for (const gap of [...this.doc.text.matchAll(PARAGRAPH), { index: this.doc.text.length, 0: "" }]) {
      passages.push({ from, to: gap.index, findings: [] });
      from = gap.index + gap[0].length;
    }
    const joined = [];
    const bound = found.filter((each) => this.verdict(each) !== "wrong" || this.mark(each).label).sort((a, b) => a.from - b.from);
    let next = 0;
    for (const passage of passages) {
      const last = joined.at(-1);
      if (last && last.reach > passage.from) last.to = passage.to; else joined.push({ ...passage, reach: passage.to });
      const own = joined.at(-1);
      while (next < bound.length && bound[next].from < own.to) own.reach = Math.max(own.reach, bound[next++].to);
    }
    const ends = joined.map((each) => each.to);
    for (const finding of found) {
      const index = firstAfter(ends, (end) => end > finding.from);
      joined[index]?.findings.push(finding);
    }
    return joined.filter((each) => each.findings.length && each.findings.some((finding) => this.verdict(finding)));
  }

  isDone(passage) { return passage.findings.every((finding) => this.verdict(finding)); }

  /** Training examples, as `longdoc train` and `evaluate` read them with the reader jsonl. */
  examples() {
    const labels = [...new Set(this.trainable().map((each) => this.mark(each).label || each.label))].sort();
    return this.passages().filter((passage) => this.isDone(passage)).map((passage) => {
      const start = this.doc.offsets.points(passage.from);
      const entities = new Map();
      for (const finding of passage.findings) {
        const label = this.mark(finding).label || (this.verdict(finding) === "right" ? finding.label : "");
        if (!label || finding.to > passage.to) continue;
        const entity = { start: finding.start - start, end: finding.end - start, text: this.doc.text.slice(finding.from, finding.to), label };
        entities.set(`${entity.start}:${entity.end}:${label}`, entity);
      }
      return {
        id: `${this.doc.name}:${start}`, text: this.doc.text.slice(passage.from, passage.to),
        entities: [...entities.values()].sort((a, b) => a.start - b.start || a.end - b.end),
        document: this.doc.sha256, start, reviewed: labels,
      };
    });
  }

  /** Every mark on its own: of fields and answers, too, with the notes. */
  judgements() {
    return this.doc.findings.filter((each) => each.kind === "added" || this.marks.has(each.key)).map((finding) => ({
      document: this.doc.sha256, name: this.doc.name, kind: finding.kind, label: finding.label, start: finding.start, end: finding.end,
      page: finding.page, text: this.doc.textOf(finding), score: finding.score, verdict: this.verdict(finding), ...this.mark(finding),
    }));
  }
}

const asLines = (records) => records.map((record) => `${JSON.stringify(record)}\n`).join("");
