// The reviewer's marks: right, wrong, another label, a note, and what is missing. The browser keeps them by the SHA-256 of the file and of its text.

const TRAINED = ["entity", "span", "added"];
const PARAGRAPH = /\n[ \t]*\n|\f/g;

class Review {
  constructor(doc) {
    this.doc = doc;
    this.key = `longdoc:review:${doc.sha256}:${doc.text_sha256}`;
    this.marks = new Map();
    this.load();
  }

  load() {
    let stored = {};
    try { stored = JSON.parse(kept.get(this.key) ?? "{}"); } catch { stored = {}; }
    for (const [key, mark] of Object.entries(stored?.marks ?? {})) this.marks.set(key, mark);
    for (const { start, end, label } of stored?.added ?? []) this.include(start, end, label);
    this.keepLost();
  }

  /** Marks of findings that this prediction lacks: what was right, or corrected, is added. */
  keepLost() {
    const known = new Set(this.doc.findings.map((each) => each.key));
    for (const [key, { verdict, label, note }] of [...this.marks]) {
      const [, kind, start, end, own] = /^(entity|span):(\d+):(\d+):(.*)$/s.exec(key) ?? [];
      if (!kind || known.has(key) || !(label || verdict === "right")) continue;
      this.marks.delete(key);
      const same = `${kind}:${start}:${end}:${label || own}`;
      if (known.has(same)) this.marks.set(same, { verdict: "right", note, ...this.marks.get(same) });
      else if (this.include(Number(start), Number(end), label || own) && note) this.marks.set(`added:${start}:${end}:${label || own}`, { note });
    }
  }

  /** Reads the marks again, which another tab has changed. */
  reload() {
    this.removeAll();
    this.load();
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

  /** The label that a finding has, or should have. */
  labelOf(finding) { return this.mark(finding).label || finding.label; }

  mark(finding) { return this.marks.get(finding.key) ?? {}; }

  verdict(finding) { return finding.kind === "added" ? "right" : this.mark(finding).verdict ?? ""; }

  /** Changes the mark of a finding; an empty one is removed. */
  set(finding, change, saves = true) {
    if (finding.kind === "added" && change.verdict !== undefined) {
      if (change.verdict !== "right") this.remove(finding);
    } else {
      const mark = { ...this.mark(finding), ...change };
      for (const [name, value] of Object.entries(mark)) if (!value) delete mark[name];
      if (Object.keys(mark).length) this.marks.set(finding.key, mark); else this.marks.delete(finding.key);
    }
    if (saves) this.save();
  }

  clear() {
    this.removeAll();
    this.save();
  }

  removeAll() {
    this.marks.clear();
    for (const finding of this.doc.findings) if (finding.kind === "added") this.remove(finding);
  }

  remove(finding) {
    finding.kind = "removed";
    this.marks.delete(finding.key);
    this.doc.grouped = null;
  }

  /** What training learns from: entities, clauses and additions whose label, or the one that they should have, is switched on. */
  trainable() {
    return this.doc.findings.filter((each) => TRAINED.includes(each.kind) && (this.isOn(each.label) || this.isOn(this.labelOf(each))));
  }

  /** Whether the filter shows a label, whatever its findings are. */
  isOn(label) { return !TRAINED.some((kind) => this.doc.filter.off.has(`${kind}:${label}`)); }

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
      if (last && last.to > passage.from) last.to = Math.max(last.to, passage.to); else joined.push(passage);
      const own = joined.at(-1);
      while (next < bound.length && bound[next].from < own.to) {
        own.from = Math.min(own.from, bound[next].from); // white space before the paragraph
        own.to = Math.max(own.to, bound[next++].to);
      }
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
    const labels = [...new Set(this.trainable().map((each) => this.labelOf(each)).filter((label) => this.isOn(label)))].sort();
    return this.passages().filter((passage) => this.isDone(passage)).map((passage) => {
      const start = this.doc.offsets.points(passage.from);
      const entities = new Map();
      for (const finding of passage.findings) {
        const label = this.mark(finding).label || (this.verdict(finding) === "right" ? finding.label : "");
        if (!label || !this.isOn(label)) continue;
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
    return this.doc.findings.filter((each) => each.kind === "added" || this.marks.has(each.key)).map((finding) => {
      const { label: should_be, ...mark } = this.mark(finding);
      return {
        document: this.doc.sha256, name: this.doc.name, kind: finding.kind, label: finding.label, start: finding.start, end: finding.end,
        page: finding.page, text: this.doc.textOf(finding), score: finding.score, ...mark, verdict: this.verdict(finding), should_be,
      };
    });
  }
}

const asLines = (records) => records.map((record) => `${JSON.stringify(record)}\n`).join("");
