// The pages as they look: a picture, boxes around the findings, and the text in its place, for selection and search.

const IDLE = window.requestIdleCallback ?? ((work) => setTimeout(() => work({ timeRemaining: () => 8 }), 16));
const measure = document.createElement("canvas").getContext("2d");
measure.font = "100px Arial, Helvetica, sans-serif";

class PagesView {
  constructor(doc, root, onPick) {
    Object.assign(this, { doc, root, onPick, sheets: [], marks: new Map(), chosen: null });
    fill(root, ...doc.pages.map((page) => this.sheet(page)));
    this.near = new IntersectionObserver((entries) => {
      for (const entry of entries) if (entry.isIntersecting) this.draw(this.sheets[entry.target.dataset.index]);
    }, { root: byId("stage"), rootMargin: "150% 0px" });
    for (const sheet of this.sheets) this.near.observe(sheet.node);
    if (this.sheets.length) this.draw(this.sheets[0]); // at once: the others wait until they are near
    this.layNext(0);
  }

  close() { this.near.disconnect(); this.isClosed = true; }

  sheet(page) {
    const said = [page.verdict === "text" ? "" : page.verdict, page.confidence === null ? "" : `read by OCR, confidence ${Math.round(page.confidence * 100)} %`];
    const area = element("div", { class: "area" });
    const node = element("section", { class: "sheet", id: `page-${page.number}`, "data-index": String(page.index), "aria-label": `Page ${page.number}` },
      element("p", { class: "folio" }, `${page.number}`, ...said.filter(Boolean).map((each) => ` · ${each}`)), area);
    area.style.aspectRatio = `${page.width || 612} / ${page.height || 792}`;
    const sheet = { page, node, area, isDrawn: false, isLaid: false };
    area.addEventListener("click", (event) => this.pick(sheet, event));
    area.addEventListener("mousemove", (event) => this.hover(sheet, event));
    area.addEventListener("mouseleave", () => { byId("bubble").hidden = true; });
    this.sheets.push(sheet);
    return node;
  }

  /** Lays the text of all pages, a few at a time, so that the browser's own search finds it. */
  layNext(index) {
    IDLE((deadline) => {
      while (index < this.sheets.length && !this.isClosed && deadline.timeRemaining() > 2) this.lay(this.sheets[index++]);
      if (index < this.sheets.length && !this.isClosed) this.layNext(index);
    });
  }

  lay(sheet) {
    if (sheet.isLaid) return;
    sheet.isLaid = true;
    const { page } = sheet;
    const layer = element("div", { class: "letters" });
    for (const { from, to, box } of page.lines) layer.append(this.line(page, this.doc.text.slice(from, to), box, from));
    for (const [x0, y0, x1, y1, text] of page.furniture) layer.append(this.line(page, text, [x0, y0, x1, y1], null));
    sheet.area.append(layer);
  }

  line(page, text, [x0, y0, x1, y1], from) {
    const span = element("span", { "data-from": from === null ? null : String(from) });
    span.textContent = text.replace(/\s/g, " ");
    const [width, height] = [x1 - x0, y1 - y0];
    const isUpright = height > 2 * width && text.length > 2; // turned by a quarter
    const [along, across] = isUpright ? [height, width] : [width, height];
    const size = Math.max(across * 0.86, 1);
    const natural = (measure.measureText(text).width / 100) * size || 1;
    span.style.left = `${(100 * x0) / page.width}%`;
    span.style.top = `${(100 * y0) / page.height}%`;
    span.style.fontSize = `${(100 * size) / page.width}cqw`;
    span.style.lineHeight = `${(100 * across) / page.width}cqw`;
    const turn = isUpright ? `translateX(${(100 * across) / page.width}cqw) rotate(90deg) ` : "";
    span.style.transform = `${turn}scaleX(${clamp(along / natural, 0.05, 20)})`;
    return span;
  }

  /** Draws a page that is near the screen. */
  draw(sheet) {
    if (sheet.isDrawn) return;
    sheet.isDrawn = true;
    this.lay(sheet);
    this.addPicture(sheet);
    const layer = element("div", { class: "boxes", "aria-hidden": "true" });
    sheet.area.insertBefore(layer, sheet.area.querySelector(".letters"));
    sheet.chips = new Map();
    for (const { finding, box } of sheet.page.found) this.addBox(sheet, finding, box);
    this.near.unobserve(sheet.node);
  }

  addPicture(sheet) {
    const source = byId(`${this.doc.id}-${sheet.page.index + 1}`);
    if (source?.classList.contains("failure")) sheet.node.append(element("p", { class: "note" }, JSON.parse(source.textContent)));
    if (source && !source.classList.contains("failure")) {
      const image = new Image();
      image.alt = "";
      image.decoding = "sync";
      image.src = source.textContent;
      sheet.area.prepend(image);
      sheet.area.classList.remove("bare");
    } else {
      sheet.area.classList.add("bare");
      if (!source && !this.doc.why && document.readyState === "loading") {
        document.addEventListener("DOMContentLoaded", () => this.addPicture(sheet), { once: true });
      }
    }
  }

  addBox(sheet, finding, box) {
    const [{ page }, layer] = [sheet, sheet.area.querySelector(".boxes")];
    const nodes = [this.box(page, finding, box)];
    if (finding.boxes[0] === box) {
      const place = `${Math.round(box[1])}:${Math.round(box[2])}`; // findings that begin at the same place share a row of chips
      if (!sheet.chips.has(place)) sheet.chips.set(place, layer.appendChild(this.put(element("div", { class: "chips" }), page, box[1], box[2])));
      nodes.push(element("span", { class: `chip ${this.doc.look(finding)}` }, finding.label));
      sheet.chips.get(place).append(nodes[1]);
    }
    layer.prepend(nodes[0]);
    this.marks.set(finding, [...(this.marks.get(finding) ?? []), ...nodes]);
    for (const node of nodes) this.dress(finding, node);
  }

  put(node, page, x, y) {
    node.style.left = `${(100 * x) / page.width}%`;
    node.style.top = `${(100 * y) / page.height}%`;
    return node;
  }

  box(page, finding, [, x0, y0, x1, y1]) {
    const isInMargin = page.lines.some(({ box }) => Math.abs(box[0] - x0) < 1 && box[1] < y1 && box[3] > y0); // it begins its line
    const node = element("div", { class: `box ${this.doc.look(finding)}${isInMargin ? " begins" : ""}` });
    this.put(node, page, x0, y0);
    node.style.width = `${(100 * (x1 - x0)) / page.width}%`;
    node.style.height = `${(100 * (y1 - y0)) / page.height}%`;
    return node;
  }

  dress(finding, node) {
    node.classList.toggle("off", !this.doc.isShown.has(finding) && finding !== this.chosen);
    node.classList.toggle("chosen", finding === this.chosen);
    node.classList.toggle("doubtful", Boolean(finding.is_doubtful));
    node.classList.toggle("wrong", this.doc.review.verdict(finding) === "wrong");
    node.classList.toggle("right", this.doc.review.verdict(finding) === "right");
  }

  refresh() { for (const [finding, nodes] of this.marks) for (const node of nodes) this.dress(finding, node); }

  /** Draws a finding that was added after its page was drawn. */
  include(finding) {
    for (const sheet of this.sheets) {
      if (!sheet.isDrawn) continue;
      for (const own of sheet.page.found) if (own.finding === finding) this.addBox(sheet, finding, own.box);
    }
  }

  choose(finding) {
    const before = this.chosen;
    this.chosen = finding;
    for (const each of [before, finding]) for (const node of this.marks.get(each) ?? []) this.dress(each, node);
  }

  /** The smallest finding at a place of a page. */
  at(sheet, event) {
    const area = sheet.area.getBoundingClientRect();
    const x = ((event.clientX - area.left) / area.width) * sheet.page.width;
    const y = ((event.clientY - area.top) / area.height) * sheet.page.height;
    const size = ({ to, from }) => to - from;
    return sheet.page.found.filter(({ finding, box: [, x0, y0, x1, y1] }) =>
      (this.doc.isShown.has(finding) || finding === this.chosen) && x >= x0 - 1 && x <= x1 + 1 && y >= y0 - 1 && y <= y1 + 1)
      .map((each) => each.finding).sort((a, b) => size(a) - size(b))[0];
  }

  pick(sheet, event) {
    const found = this.at(sheet, event);
    if (found && getSelection().isCollapsed) this.onPick(found);
  }

  hover(sheet, event) {
    const [bubble, found] = [byId("bubble"), event.buttons ? undefined : this.at(sheet, event)];
    bubble.hidden = !found;
    sheet.area.classList.toggle("over", Boolean(found));
    if (!found) return;
    fill(bubble, swatch(this.doc.look(found)), `${found.label} ${found.score.toFixed(2)}`);
    bubble.style.left = `${Math.min(event.clientX + 14, innerWidth - 200)}px`;
    bubble.style.top = `${event.clientY + 18}px`;
  }

  /** Brings a box into view; of a box that is nowhere, the top of the page. */
  reveal(number, box) {
    const sheet = this.sheets[this.doc.pageOf.get(number)?.index ?? 0];
    const stage = byId("stage");
    this.draw(sheet);
    const top = sheet.node.offsetTop + sheet.area.offsetTop;
    const [y0, y1] = box ? [box[2], box[4]].map((y) => (y / sheet.page.height) * sheet.area.offsetHeight) : [0, 0];
    const isSeen = box && top + y0 > stage.scrollTop + 40 && top + y1 < stage.scrollTop + stage.clientHeight - 40;
    if (!isSeen) stage.scrollTo({ top: box ? top + y0 - stage.clientHeight * 0.35 : top - 40, behavior: "instant" });
    if (box && stage.scrollWidth > stage.clientWidth) stage.scrollLeft = (box[1] / sheet.page.width) * sheet.area.offsetWidth - stage.clientWidth * 0.3;
  }

  revealFinding(finding) {
    const box = finding.boxes[0] ?? this.doc.boxesOf(finding.from, finding.to)[0];
    this.reveal(box?.[0] ?? finding.page, box);
  }

  revealRange(from, to) {
    const box = this.doc.boxesOf(from, to)[0];
    this.reveal(box?.[0] ?? this.doc.pageAt(from).number, box);
  }

  /** The number of the page at the top of the screen. */
  current() {
    const middle = byId("stage").scrollTop + byId("stage").clientHeight * 0.4;
    const index = firstAfter(this.sheets, (sheet) => sheet.node.offsetTop > middle) - 1;
    return this.doc.pages[clamp(index, 0, this.doc.pages.length - 1)]?.number;
  }
}
