"""The viewer on a contract of 300 pages with 3,000 findings: the size of its file, and times in headless Chromium.

The document is real contracts of CUAD, joined until there are enough pages; findings are dates, amounts, companies,
defined terms and the like, by expressions. From the start of a navigation until the picture of the first page is drawn;
from a click on a finding in the list until its box and the picture of its page are on the screen.
"""

import argparse
import os
import random
import re
import shutil
import statistics
import tempfile
import time
from io import BytesIO
from pathlib import Path
from typing import Any

from _table import write_table
from playwright.sync_api import sync_playwright
from pypdf import PdfReader, PdfWriter

import longdoc
from longdoc import Document, Entity, Prediction
from longdoc.datasets import data_root

PATTERNS = {
    "DATE": r"(?:January|February|March|April|May|June|July|August|September|October|November|December) \d+, \d{4}",
    "MONEY": r"\$[\d,.]*\d",
    "COMPANY": r"(?:[A-Z][\w&]+ )+(?:Inc|Ltd|LLC|Corp|Corporation)\b\.?",
    "DEFINED TERM": r"“[A-Z][^”\n]{2,40}”|\"[A-Z][^\"\n]{2,40}\"",
    "REFERENCE": r"(?:Section|Article|Exhibit|Schedule) [\dA-Z][\w.()]*",
    "DURATION": r"\(?\d+\)? (?:days|months|years)",
    "PERCENTAGE": r"\d+(?:\.\d+)? ?%",
    "TERM": r"\b(?:Agreement|Party|Parties|Licensee|Licensor|Company|Product|Products|Affiliate)\b",
}
WATCH = """
addEventListener('DOMContentLoaded', () => { globalThis.parsed = performance.now(); });
const watch = () => {
  const image = document.querySelector('.sheet img');
  if (image?.complete && image.naturalWidth) requestAnimationFrame(() => { globalThis.drawn = performance.now(); });
  else requestAnimationFrame(watch);
};
watch();
"""
WAIT = """async () => {
  while (!(globalThis.drawn && globalThis.parsed)) await new Promise(requestAnimationFrame);
}"""
JUMP = """async (id) => {
  const link = document.querySelector(`#lists a[href="#${id}"]`);
  const start = performance.now();
  if (link) link.click(); else location.hash = id;
  const frame = () => new Promise(requestAnimationFrame);
  for (;;) {
    await frame();
    const mark = document.querySelector('.box.chosen, mark.chosen');
    const image = mark?.closest('.area')?.querySelector('img');
    const [own, stage] = [mark?.getBoundingClientRect(), document.getElementById('stage').getBoundingClientRect()];
    if (own && own.height && own.top >= stage.top && own.bottom <= stage.bottom && (!image || image.complete)) break;
    if (performance.now() - start > 5000) throw new Error(`no jump to ${id}`);
  }
  await frame();
  return performance.now() - start;
}"""
SEARCH = """(query) => { const start = performance.now(); const box = document.getElementById('query');
  box.value = query; document.getElementById('search').requestSubmit(); return performance.now() - start; }"""


def joined(folder: Path, n_pages: int) -> bytes:
    """Contracts of a folder as one PDF."""
    writer = PdfWriter()
    for path in sorted(folder.glob("*.pdf")):
        for page in PdfReader(path).pages:
            if len(writer.pages) < n_pages:
                writer.add_page(page)
    stream = BytesIO()
    writer.write(stream)
    return stream.getvalue()


def found_in(document: Document, most: int) -> Prediction:
    """A prediction with so many findings, spread over the document."""
    places = [(*m.span(), label) for label, pattern in PATTERNS.items() for m in re.finditer(pattern, document.text)]
    chosen = sorted(random.Random(0).sample(places, most))
    entities = tuple(
        Entity(
            text=document.text[start:end], label=label, start=start, end=end, score=random.Random(start).random(),
            page=document.page_at(start).number, boxes=document.locate(start, end),
        )
        for start, end, label in chosen
    )  # fmt: skip
    return Prediction(document=document, entities=entities)


def measured(browser: Any, path: Path, findings: int, jumps: int) -> dict[str, float]:
    """Times in milliseconds; those that end with "thread" are what the page's thread computed, whatever else ran."""
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    metrics = page.context.new_cdp_session(page)
    metrics.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.add_init_script(WATCH)
    page.goto(path.as_uri())
    page.evaluate(WAIT)
    times = {"first": page.evaluate("globalThis.drawn"), "whole": page.evaluate("globalThis.parsed")}
    times["load thread"] = thread_time(metrics)
    page.wait_for_timeout(5000)  # the text of all pages is laid meanwhile
    for view in ("pages", "text"):
        page.click(f"#view-{view}")
        own, own_thread = [], []
        for number in random.Random(1).sample(range(findings), jumps):
            before = thread_time(metrics)
            own.append(page.evaluate(JUMP, f"e{number}"))
            own_thread.append(thread_time(metrics) - before)
        for name, found in ((view, own), (f"{view} thread", own_thread)):
            times |= {f"{name} median": statistics.median(found), f"{name} most": max(found)}
    times["search"] = page.evaluate(SEARCH, "agreement")
    page.close()
    return times


def thread_time(metrics: Any) -> float:
    """What the page's thread has computed so far, in milliseconds."""
    found = metrics.send("Performance.getMetrics")["metrics"]
    return 1000 * next(each["value"] for each in found if each["name"] == "TaskDuration")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=300)
    parser.add_argument("--findings", type=int, default=3000)
    parser.add_argument("--jumps", type=int, default=100)
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    content = joined(data_root() / "cuad" / "pdf", arguments.pages)
    prediction = found_in(longdoc.load(content), arguments.findings)
    rows = []
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        names = ("chromium", "chromium-browser", "google-chrome")
        program = next(filter(None, map(shutil.which, names)))
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for images in ("inside", "beside"):
            path = Path(folder) / f"{images}.html"
            started = time.perf_counter()
            prediction.save(path, source=content, images=images)
            seconds = time.perf_counter() - started
            runs = [measured(browser, path, arguments.findings, arguments.jumps) for _ in range(arguments.runs)]
            worst = {name: max(run[name] for run in runs) for name in runs[0]}
            jumps = [
                f"{worst[f'{view} median']:.0f}, {worst[f'{view} most']:.0f} ms "
                f"({worst[f'{view} thread median']:.0f}, {worst[f'{view} thread most']:.0f})"
                for view in ("pages", "text")
            ]
            size, load = path.stat().st_size / 1e6, f"{worst['whole']:.0f} ms ({worst['load thread']:.0f})"
            first, search = f"{worst['first']:.0f} ms", f"{worst['search']:.0f} ms"
            rows.append([images, f"{size:.1f} MB", f"{seconds:.0f} s", first, load, *jumps, search])
        version = browser.version
        browser.close()
    words = len(prediction.document.text.split())
    write_table(
        "viewer",
        f"A contract of {arguments.pages} pages with {arguments.findings:,} findings in the viewer",
        ["pictures", "file", "written in", "first page", "whole file", "jump on the pages: median, most",
         "jump in the text: median, most", "search"],
        rows,
        f"Chromium {version}, headless, window 1400 × 900, file on disk; the worst of {arguments.runs} runs, "
        f"{arguments.jumps} jumps to random findings in each. In brackets: what the page computed, while the load "
        f"of the machine was {os.getloadavg()[0]:.0f}. {words:,} words; {len(content) / 1e6:.1f} MB of PDF.",
    )  # fmt: skip


if __name__ == "__main__":
    main()
