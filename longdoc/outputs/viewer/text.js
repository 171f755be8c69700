// The flowing text: headings, paragraphs and tables, with the findings marked where they stand.

const TOGETHER = 4000; // units of text, about, that the browser lays out together when they come near the screen
const LONGEST = 20000; // units of one block: a longer paragraph is cut, so that the browser need not lay it out at once

class TextView {
  constructor(doc, root, onPick) {
    Object.assign(this, { doc, root, onPick, marks: new Map(), chosen: null, blocks: [] });
    this.fill();
    root.onclick = (event) => {
      const mark = event.target.closest("mark:not(.off)");
      if (mark && getSelection().isCollapsed) onPick(mark.finding);
    };
  }

  close() { this.root.onclick = null; }

  fill() {
    this.marks.clear();
    this.blocks = [];
    this.waiting = this.doc.findings.filter((finding) => finding.to > finding.from && finding.kind !== "removed")
      .sort((a, b) => a.from - b.from || b.to - a.to);
    this.around = [];
    const headings = new Map(this.doc.sections.map((section) => [section.from, section]));
    const tables = this.doc.tables.filter((table) => !this.hasTextBetween(table)).sort((a, b) => a.from - b.from);
    const isPaged = this.doc.pages.length > 1;
    fill(this.root, ...this.doc.pages.map((page) => {
      const body = this.parts(this.blocksOf(page, headings, tables));
      const said = page.verdict === "text" ? "" : ` · ${page.verdict}`;
      return element("section", { class: "leaf", "aria-label": `Page ${page.number}` },
        isPaged && element("p", { class: "folio" }, `${page.number}${said}`), ...body);
    }));
  }

  /** Blocks in groups, whose heights are estimated as long as they are far from the screen. */
  parts(blocks) {
    const parts = [];
    let size = TOGETHER;
    for (const block of blocks) {
      if (size >= TOGETHER) { parts.push(element("div", { class: "part" })); size = 0; }
      parts.at(-1).append(block);
      size += block.textContent.length;
      parts.at(-1).style.containIntrinsicBlockSize = `auto ${Math.ceil(size / 85) * 1.7 + parts.at(-1).childElementCount}em`;
    }
    return parts;
  }

  /** Whether a table has text in no cell, or crosses a page: it is then shown as it runs. */
  hasTextBetween(table) {
    let at = table.from;
    let page = this.doc.pageAt(table.from);
    if (table.to > page.to) return true;
    for (const cell of [...table.cells].sort((a, b) => a.from - b.from)) {
      if (cell.from < at || this.doc.text.slice(at, cell.from).trim()) return true;
      at = Math.max(at, cell.to);
    }
    return Boolean(this.doc.text.slice(at, table.to).trim());
  }

  *blocksOf(page, headings, tables) {
    const text = this.doc.text;
    let at = page.from;
    while (at < page.to) {
      while (tables.length && tables[0].to <= at) tables.shift();
      if (tables.length && tables[0].from === at) {
        yield this.table(tables[0]);
        at = tables.shift().to;
        continue;
      }
      const gap = text.slice(at, Math.min(page.to, at + LONGEST)).search(/\n[ \t]*\n/);
      let end = gap < 0 ? Math.min(page.to, at + LONGEST) : at + gap + 1;
      if (tables.length && tables[0].from > at && tables[0].from < end) end = tables[0].from;
      const heading = headings.get(at);
      if (heading && heading.headingEnd > at && heading.headingEnd <= end) end = heading.headingEnd + /^[.:;,)\]]*/.exec(text.slice(heading.headingEnd, end))[0].length;
      else for (let next = at + 1; next < end; next++) if (headings.has(next) && text[next - 1] === "\n") { end = next; break; }
      if (end < page.to && end - at === LONGEST) { // not within a pair of units
        const code = text.charCodeAt(end - 1);
        if (code >= 0xd800 && code < 0xdc00) end--;
      }
      const own = /^(?:[ \t]*[\r\n\f])*/.exec(text.slice(at, end))[0].length; // empty lines before and after are margins here
      const last = text.slice(at, end).trimEnd().length;
      if (last > own) yield this.block(at + own, at + last, heading && heading.headingEnd > at && end - heading.headingEnd < 5 ? heading : null);
      at = end;
    }
  }

  block(from, to, heading) {
    const node = element(heading ? "h2" : "p", { class: heading ? `level-${Math.min(heading.level, 4)}` : "", "data-from": String(from) });
    this.write(node, from, to);
    this.blocks.push({ from, to, node });
    return node;
  }

  table(table) {
    const rows = new Map();
    for (const cell of table.cells) {
      const node = element("td", { rowspan: cell.rows > 1 ? String(cell.rows) : null, colspan: cell.columns > 1 ? String(cell.columns) : null, "data-from": String(cell.from) });
      this.write(node, cell.from, cell.to);
      this.blocks.push({ from: cell.from, to: cell.to, node });
      rows.set(cell.row, [...(rows.get(cell.row) ?? []), node]);
    }
    return element("div", { class: "table", tabindex: "0", role: "region", "aria-label": "Table" },
      element("table", {}, ...[...rows.values()].map((cells) => element("tr", {}, ...cells))));
  }

  /** Appends a range of the text in pieces, each inside the marks of all that is found there, the longest outermost. */
  write(node, from, to) {
    this.around = this.around.filter((finding) => finding.to > from);
    while (this.waiting.length && this.waiting[0].from < to) {
      const finding = this.waiting.shift();
      if (finding.to > from) this.around.push(finding);
    }
    const within = this.around.filter((finding) => finding.from < to);
    const cuts = new Set([from, to]);
    for (const finding of within) for (const cut of [finding.from, finding.to]) if (cut > from && cut < to) cuts.add(cut);
    const places = [...cuts].sort((a, b) => a - b);
    for (let i = 0; i + 1 < places.length; i++) {
      let inner = node;
      const here = within.filter((finding) => finding.from <= places[i] && finding.to >= places[i + 1]);
      for (const finding of here.sort((a, b) => b.to - b.from - (a.to - a.from))) inner = inner.appendChild(this.mark(finding));
      inner.append(this.doc.text.slice(places[i], places[i + 1]));
    }
  }

  mark(finding) {
    const marks = this.marks.get(finding) ?? [];
    const node = element("mark", { class: this.doc.look(finding), "data-label": marks.length ? null : finding.label,
      title: `${finding.label} ${finding.score.toFixed(2)}` });
    node.finding = finding;
    marks.push(node);
    this.marks.set(finding, marks);
    this.dress(finding, node);
    return node;
  }

  dress(finding, node) { PagesView.prototype.dress.call(this, finding, node); }
  refresh() { PagesView.prototype.refresh.call(this); }
  choose(finding) { PagesView.prototype.choose.call(this, finding); }
  include() { this.fill(); }

  show(node) {
    if (!node) return;
    const area = () => [node.getBoundingClientRect(), byId("stage").getBoundingClientRect()];
    const [own, stage] = area();
    if (own.height && own.top > stage.top + 30 && own.bottom < stage.bottom - 30) return;
    node.scrollIntoView({ block: "center", behavior: "instant" });
    requestAnimationFrame(() => node.scrollIntoView({ block: "center", behavior: "instant" })); // blocks before it have their heights now
  }

  revealFinding(finding) {
    if (this.marks.has(finding)) this.show(this.marks.get(finding)[0]);
    else this.reveal(finding.page);
  }

  revealRange(from, to) {
    const index = firstAfter(this.blocks, (block) => block.to > from);
    const block = this.blocks[Math.min(index, this.blocks.length - 1)];
    if (!block) return;
    const part = block.node.closest(".part");
    if (part) part.style.contentVisibility = "visible";
    const range = rangeIn(block.node, block.from, from, to);
    const box = range?.getBoundingClientRect();
    if (!box?.height) { this.show(block.node); return; }
    const stage = byId("stage");
    const top = box.top - stage.getBoundingClientRect().top;
    if (top < 30 || top > stage.clientHeight - 60) stage.scrollBy({ top: top - stage.clientHeight * 0.35, behavior: "instant" });
  }

  reveal(number) { this.root.children[this.doc.pageOf.get(number)?.index ?? 0]?.scrollIntoView({ behavior: "instant" }); }

  current() {
    const middle = byId("stage").scrollTop + byId("stage").clientHeight * 0.4;
    const index = firstAfter([...this.root.children], (leaf) => leaf.offsetTop > middle) - 1;
    return this.doc.pages[clamp(index, 0, this.doc.pages.length - 1)]?.number;
  }
}

/** A range of the text as one of the DOM, within an element whose text starts at an offset; null if they share nothing. */
function rangeIn(node, start, from, to) {
  const texts = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
  const range = new Range();
  let [at, isBegun] = [start, false];
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const end = at + text.length;
    if (!isBegun && end > from && at < to) { range.setStart(text, Math.max(from - at, 0)); isBegun = true; }
    if (isBegun) range.setEnd(text, clamp(to - at, 0, text.length));
    if (end >= to) break;
    at = end;
  }
  return isBegun ? range : null;
}

/** The offset of a place of the DOM in the text; null outside of it. */
function offsetOf(node, index) {
  const block = (node.nodeType === Node.TEXT_NODE ? node.parentElement : node)?.closest("[data-from]");
  if (!block) return null;
  const before = new Range();
  before.setStart(block, 0);
  before.setEnd(node, index);
  return Number(block.dataset.from) + before.toString().length;
}
