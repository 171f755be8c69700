"""The viewer in a browser: nothing hostile runs, findings are where they are, marks become training data."""

import io
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import longdoc
from fakes import FakePipeline, entity
from hostile_text import HOSTILE, hostile_prediction
from longdoc import Answer, Document, Prediction
from longdoc.datasets.jsonl import read_jsonl
from longdoc.errors import CorruptDocumentError
from longdoc.outputs import FORMATS, Outcome

CONTRACT = Path(__file__).parents[1] / "examples" / "hyatt-playa-strategic-alliance.pdf"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytest.importorskip("playwright", reason="needs playwright")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium")

PLACE = """() => {
  const box = document.querySelector('.box.chosen');
  const places = [box, box.closest('.area'), document.getElementById('stage')];
  const [own, area, stage] = places.map((each) => each.getBoundingClientRect());
  const shares = [(own.left - area.left) / area.width, (own.top - area.top) / area.height];
  return [shares, own.top > stage.top && own.bottom < stage.bottom];
}"""
SELECT = """(words) => {
  for (const node of document.querySelectorAll('#text [data-from]')) {
    const text = [...node.childNodes].find((each) => each.nodeType === 3 && each.data.includes(words));
    const at = text?.data.indexOf(words);
    if (text) getSelection().setBaseAndExtent(text, at, text, at + words.length);
  }
}"""
TEXT = "Lease 😀 of Ada Ltd.\r\nand Bob Ltd.\n\nSigned by Cy Ltd. and Dee.\n\nNothing here: Eve Ltd."


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def html_of(*outcomes: Outcome) -> str:
    stream = io.StringIO()
    FORMATS["html"].write(outcomes, stream)
    return stream.getvalue()


@pytest.fixture
def open_page(browser: Any, tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """Opens a page in a new profile; the test fails if it has an error, a dialog, or asks for another file."""
    context = browser.new_context(accept_downloads=True, viewport={"width": 1200, "height": 800})
    path, problems = tmp_path / "page.html", list[str]()

    def noted(said: Any) -> None:
        if said.type in ("error", "warning"):
            problems.append(said.text)

    def asked(request: Any) -> None:
        if not request.url.startswith(("data:", "blob:", path.as_uri())):
            problems.append(request.url)

    def dismissed(dialog: Any) -> None:
        problems.append("a dialog")
        dialog.dismiss()

    def opened(source: str, at: str = "") -> Any:
        path.write_text(source, encoding="utf-8", newline="\n")
        page = context.new_page()
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", noted)
        page.on("dialog", dismissed)
        page.on("request", asked)
        page.goto(path.as_uri() + at)
        return page

    yield opened
    context.close()
    assert not problems


def until(page: Any, condition: str) -> None:
    """Waits for a condition; Playwright's own way to do so evaluates a string in the page, which its policy forbids."""
    frame = "if (i > 600) throw Error('never'); await new Promise(requestAnimationFrame);"
    page.evaluate(f"async () => {{ for (let i = 0; !({condition}); i++) {{ {frame} }} }}")


def of(text: str, *places: tuple[str, str]) -> Prediction:
    document = Document.from_text(text, name="lease.txt")
    starts = [(text.index(words), words, label) for words, label in places]
    return Prediction(
        document=document, entities=tuple(entity(document, a, a + len(w), label) for a, w, label in starts)
    )


def violations(page: Any) -> list[str]:
    """What axe-core calls serious or critical."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python").Axe()
    found = axe.run(page).response["violations"]
    return [
        f"{each['id']}: {each['nodes'][0]['html']:.200}" for each in found if each["impact"] in ("serious", "critical")
    ]


@pytest.fixture(scope="module")
def contract() -> Prediction:
    prediction = FakePipeline()(longdoc.load(CONTRACT, pages=(1, 4)))
    first = prediction.entities[0]
    date = Answer(
        question="When?", label="date", text=first.text, start=first.start, end=first.end, score=0.6, page=first.page,
        boxes=first.boxes, check=True, value="2016-12-14",
    )  # fmt: skip
    return replace(prediction, answers=(date,), sought=("date", "law"))


@pytest.fixture(scope="module")
def contract_page(contract: Prediction) -> str:
    return html_of(Outcome("lease.pdf", contract))


def test_hostile_text_runs_nothing(open_page: Callable[..., Any]) -> None:
    page = open_page(html_of(Outcome(HOSTILE, hostile_prediction("x" * 1_000_000))))
    for button in ("tab-outline", "tab-reading", "tab-review", "tab-findings", "chips"):
        page.click(f"#{button}")
    for key in ("j", "y", "j", "n", "k"):
        page.keyboard.press(key)
    page.fill("#query", "script")
    page.press("#query", "Enter")
    assert page.evaluate("globalThis.ran") is None
    assert page.locator("img, svg, iframe, object, a[href^='javascript']").count() == 0
    shown = page.evaluate(
        "[...document.querySelectorAll('#text [data-from]')].map((each) => each.textContent).join('')"
    )
    assert shown.count(HOSTILE) == 2 and shown.count("x") > 1_000_000


def test_a_finding_is_where_it_is(open_page: Callable[..., Any], contract_page: str, contract: Prediction) -> None:
    page = open_page(contract_page, at="#e5")
    page.wait_for_selector(".box.chosen")
    finding, following = page.evaluate("JSON.parse(document.getElementById('d1').textContent).findings.slice(5, 7)")
    shares, is_seen = page.evaluate(PLACE)
    number, *box = finding["boxes"][0]
    size = contract.document.pages[number - 1]
    assert shares == pytest.approx([box[0] / size.width, box[1] / size.height], abs=0.002) and is_seen
    assert (
        page.evaluate("document.querySelector('.box.chosen').closest('.area').querySelector('img').naturalWidth") > 1000
    )
    page.keyboard.press("j")
    assert page.evaluate("location.hash") == "#e6"
    page.keyboard.press("t")
    assert page.inner_text("mark.chosen") == contract.document.text[following["start"] : following["end"]]


def test_letters_lie_over_the_page_and_search_finds_all(
    open_page: Callable[..., Any], contract_page: str, contract: Prediction
) -> None:
    page = open_page(contract_page)
    until(page, "document.querySelectorAll('.letters').length === 4")
    letters = page.evaluate("[...document.querySelectorAll('.letters')].map((each) => each.textContent).join(' ')")
    assert "".join(contract.document.text.split())[:2000] in "".join(letters.split())
    page.fill("#query", "market  Area")
    page.press("#query", "Enter")
    text = " ".join(contract.document.text.lower().split())
    assert page.locator("#pane-hits li").count() == text.count("market area") > 3
    page.press("#query", "Enter")
    until(page, "Number(document.getElementById('page-number').value) > 1")


def test_the_filter_hides_what_it_leaves_out(
    open_page: Callable[..., Any], contract_page: str, contract: Prediction
) -> None:
    page = open_page(contract_page)
    page.click("#filter summary")
    page.uncheck("#label-filter label:has-text('DATE') input")
    page.evaluate("least.value = 0.7; least.dispatchEvent(new Event('input'))")
    kept = [each for each in contract.entities if each.label == "PARTY"]
    assert page.inner_text("#filtered") == f"{len(kept)} of {len(contract.entities) + 1} findings"
    assert page.locator("#lists details").count() == 1
    page.click("#clear-filter")
    assert page.inner_text("#filtered") == ""


def test_marks_become_training_data(open_page: Callable[..., Any], tmp_path: Path) -> None:
    prediction = of(TEXT, ("Ada Ltd.", "PARTY"), ("Bob Ltd.", "ORG"), ("Cy Ltd.", "PARTY"), ("Eve Ltd.", "PARTY"))
    page = open_page(html_of(Outcome("lease.txt", prediction)))
    for key in ("j", "y", "j"):
        page.keyboard.press(key)
    page.select_option("#card select", "PARTY")  # Bob is a party
    page.keyboard.press("j")
    page.keyboard.press("n")  # Cy is wrong
    page.evaluate(SELECT, "Dee")
    page.fill("#new-label", "SIGNER")
    page.press("#new-label", "Enter")
    page.reload()  # the browser keeps them
    page.click("#tab-review")
    assert "2 passages with 3 entities" in page.inner_text("#pane-review")
    with page.expect_download() as download:
        page.click("#export-examples")
    path = tmp_path / "marks.jsonl"
    download.value.save_as(path)
    first, second = read_jsonl(path)
    assert first.text == TEXT[: TEXT.index("\n\n")].rstrip() or first.text == TEXT[: TEXT.index("\n\n")]
    assert [(first.text[s.start : s.end], s.label) for s in first.spans] == [
        ("Ada Ltd.", "PARTY"),
        ("Bob Ltd.", "PARTY"),
    ]
    assert [(second.text[s.start : s.end], s.label) for s in second.spans] == [("Dee", "SIGNER")]
    assert second.text == "Signed by Cy Ltd. and Dee."
    with page.expect_download() as download:
        page.click("#export-marks")
    marks = [json.loads(line) for line in Path(download.value.path()).read_text().splitlines()]
    assert [
        (TEXT[each["start"] : each["end"]], each["label"], each["verdict"], each.get("should_be")) for each in marks
    ] == [
        ("Ada Ltd.", "PARTY", "right", None),
        ("Bob Ltd.", "ORG", "wrong", "PARTY"),
        ("Cy Ltd.", "PARTY", "wrong", None),
        ("Dee", "SIGNER", "right", None),
    ]


def exported(page: Any, path: Path) -> list[tuple[str, list[str], list[str]]]:
    """The training data: the text of each passage, its entities, and the labels that were reviewed."""
    page.click("#tab-review")
    with page.expect_download() as download:
        page.click("#export-examples")
    download.value.save_as(path)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        assert all(line["text"][each["start"] : each["end"]] == each["text"] for each in line["entities"])
    return [
        (line["text"], [f"{each['text']} {each['label']}" for each in line["entities"]], line["reviewed"])
        for line in lines
    ]


def test_labels_that_the_filter_hides_are_no_training_data(open_page: Callable[..., Any], tmp_path: Path) -> None:
    text = "Ada and Bob.\n\nCy and Dee. "
    prediction = of(text, ("Ada", "PARTY"), ("Bob", "ORG"), ("\n\nCy", "PARTY"), ("Dee. ", "ORG"))
    page = open_page(html_of(Outcome("lease.txt", prediction)))
    for key in ("j", "y", "j"):
        page.keyboard.press(key)
    page.select_option("#card select", "PARTY")  # Bob is a party
    page.keyboard.press("j")
    page.keyboard.press("y")
    page.click("#filter summary")
    page.uncheck("#label-filter label:has-text('ORG') input")
    every = [("Ada and Bob.", ["Ada PARTY", "Bob PARTY"], ["PARTY"]), ("\n\nCy and Dee. ", ["\n\nCy PARTY"], ["PARTY"])]
    assert exported(page, tmp_path / "a.jsonl") == every
    page.click("#tab-findings")
    page.check("#label-filter label:has-text('ORG') input")
    assert "1 paragraph left out" in (page.text_content("#pane-review") or "")
    page.uncheck("#label-filter label:has-text('PARTY') input")
    page.keyboard.press("j")
    page.keyboard.press("y")
    assert exported(page, tmp_path / "b.jsonl")[1] == ("Cy and Dee. ", ["Dee.  ORG"], ["ORG"])


def test_a_newer_prediction_keeps_what_was_right(open_page: Callable[..., Any], tmp_path: Path) -> None:
    text = "Ada and Bob and Cy."
    older = of(text, ("Ada", "PARTY"), ("Bob", "ORG"), ("Cy", "PARTY"))
    page = open_page(html_of(Outcome("lease.txt", older)))
    for key in ("j", "y", "j"):
        page.keyboard.press(key)
    page.select_option("#card select", "PARTY")
    page.keyboard.press("j")
    page.keyboard.press("n")
    newer = open_page(html_of(Outcome("lease.txt", of(text, ("Bob", "PARTY")))))
    assert exported(newer, tmp_path / "a.jsonl") == [(text, ["Ada PARTY", "Bob PARTY"], ["PARTY"])]
    moved = of(text.replace(" ", "\n"), ("Ada", "PARTY"))  # another text of the same file
    moved = replace(moved, document=replace(moved.document, source=older.document.source))
    assert "0 right, 0 wrong" in open_page(html_of(Outcome("lease.txt", moved))).text_content("#pane-review")


def test_a_note_and_then_a_verdict_are_kept_and_seen_in_another_tab(open_page: Callable[..., Any]) -> None:
    source = html_of(Outcome("lease.txt", of("Ada and Bob", ("Ada", "PARTY"))))
    page, other = open_page(source), open_page(source)
    page.bring_to_front()
    page.keyboard.press("j")
    page.type("#card .note input", "a party")
    page.click("#card .good")
    assert page.input_value("#card .note input") == "a party" and "1 right" in page.text_content("#pane-review")
    until(other, "document.getElementById('pane-review').textContent.includes('1 right')")
    page.evaluate(SELECT, "Bob")
    page.fill("#new-label", "PARTY")
    page.press("#new-label", "Enter")
    until(other, "document.getElementById('pane-review').textContent.includes('2 right')")
    page.once("dialog", lambda dialog: dialog.accept())


def test_an_index_sorts_filters_and_opens_its_documents(open_page: Callable[..., Any]) -> None:
    documents = [
        of(f"{name} Ltd.", *[(f"{name} Ltd.", "PARTY")] * n) for name, n in (("Ada", 1), ("Bob", 3), ("Cy", 2))
    ]
    names = ("a.txt", "b.txt", "c.txt")
    outcomes = [Outcome(name, each) for name, each in zip(names, documents, strict=True)]
    page = open_page(html_of(*outcomes, Outcome("d.txt", CorruptDocumentError("d.txt: damaged"))))
    order = "[...document.querySelectorAll('#index tbody .where')].map((each) => each.textContent)"
    page.click("#index th:has-text('Findings') button")
    assert page.evaluate(order) == ["b.txt", "c.txt", "a.txt", "Not read: d.txt: damaged"]
    assert not violations(page)
    page.fill("#index-filter", "c.txt")
    assert page.evaluate(order) == ["c.txt"]
    page.click("#index tbody a")
    until(page, "document.querySelector('#text').innerText.includes('Cy Ltd.')")
    assert page.evaluate("location.hash") == "#d3"
    page.click("#back")
    until(page, "document.querySelector('#index').checkVisibility()")
    assert page.is_hidden("#viewer")


def test_axe_finds_nothing_serious(open_page: Callable[..., Any], contract_page: str) -> None:
    page = open_page(contract_page)
    page.click("#chips")
    page.click("#filter summary")
    page.keyboard.press("j")
    assert not violations(page)
    page.emulate_media(color_scheme="dark")
    page.keyboard.press("t")
    page.click("#tab-review")
    assert not violations(page)
