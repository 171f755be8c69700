// Search in the whole text, also in pages that are not drawn: a list of the hits, and their places coloured.

const MOST_HITS = 500;

class Search {
  constructor(doc, view) { Object.assign(this, { doc, view, hits: [], at: -1, query: "" }); }

  run(query) {
    this.query = query.trim();
    this.hits = [];
    this.at = -1;
    if (this.query) {
      const words = this.query.split(/\s+/).map((word) => word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
      for (const match of this.doc.text.matchAll(new RegExp(words.join("\\s+"), "giu"))) this.hits.push({ from: match.index, to: match.index + match[0].length });
    }
    this.list();
    this.colour();
  }

  list() {
    const [pane, tab] = [byId("pane-hits"), byId("tab-hits")];
    tab.hidden = !this.query;
    tab.textContent = `Hits ${this.hits.length.toLocaleString("en")}`;
    if (!this.query) { fill(pane); if (!pane.hidden) selectTab("findings"); return; }
    const shown = this.hits.slice(0, MOST_HITS);
    fill(pane, element("p", { class: "faint" }, this.hits.length ? `${plural(this.hits.length, "hit")} for “${this.query}”` : `“${this.query}” is not in the text.`),
      element("ol", { class: "hits" }, ...shown.map((hit, index) => element("li", {}, this.link(hit, index)))),
      this.hits.length > MOST_HITS && element("p", { class: "faint" }, `and ${(this.hits.length - MOST_HITS).toLocaleString("en")} more: search for more words`));
    selectTab("hits");
    say(this.hits.length ? plural(this.hits.length, "hit") : "no hits");
  }

  link({ from, to }, index) {
    const text = this.doc.text;
    const [before, after] = [text.slice(Math.max(from - 40, 0), from).replace(/\s+/g, " "), text.slice(to, to + 50).replace(/\s+/g, " ")];
    return element("button", { class: "plain", type: "button", onclick: () => this.go(index) },
      `${before}`, element("b", {}, oneLine(text.slice(from, to), 100)), `${after}`, element("span", { class: "where" }, ` p. ${this.doc.pageAt(from).number}`));
  }

  go(index) {
    if (!this.hits.length) return;
    this.at = (index + this.hits.length) % this.hits.length;
    const { from, to } = this.hits[this.at];
    this.view.revealRange(from, to);
    const buttons = byId("pane-hits").querySelectorAll("ol button");
    for (const each of byId("pane-hits").querySelectorAll("[aria-current]")) each.removeAttribute("aria-current");
    buttons[this.at]?.setAttribute("aria-current", "true");
    buttons[this.at]?.scrollIntoView({ block: "nearest" });
    this.colour();
  }

  /** Colours the hits near the one that is shown, in what is drawn. */
  colour() {
    if (!globalThis.Highlight) return;
    const near = this.hits.slice(Math.max(this.at - 200, 0), Math.max(this.at, 0) + 400);
    const [all, current] = [new Highlight(), new Highlight()];
    for (const hit of near) for (const range of this.ranges(hit)) (hit === this.hits[this.at] ? current : all).add(range);
    CSS.highlights.set("hits", all);
    CSS.highlights.set("hit", current);
  }

  *ranges({ from, to }) {
    const blocks = this.view instanceof TextView
      ? this.view.blocks
      : this.view.sheets.filter(({ page, isLaid }) => isLaid && page.from < to && page.to > from)
        .flatMap((sheet) => [...sheet.area.querySelectorAll(".letters [data-from]")].map((node) => ({ from: Number(node.dataset.from), to: Number(node.dataset.from) + node.textContent.length, node })));
    for (let i = firstAfter(blocks, (block) => block.to > from); i < blocks.length && blocks[i].from < to; i++) {
      const range = rangeIn(blocks[i].node, blocks[i].from, from, to);
      if (range) yield range;
    }
  }
}
