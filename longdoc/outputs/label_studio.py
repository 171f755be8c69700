"""Label Studio: a JSON list of tasks with the findings as predictions, to be imported, corrected and exported again.

``label-studio`` has the text with labelled ranges; offsets count code points of ``document.text``, and a Windows line
end as two, as Label Studio does. ``label-studio-pages`` has the pages with labelled rectangles, one for each line of a
finding, in percent of the page. A prediction has to fit the labelling interface of its project, so that the two are
separate; ``docs/formats.md`` has both interfaces. The reader ``label studio`` of ``longdoc.datasets`` reads the text
and the ranges of what Label Studio exports, once a person has submitted the task.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TextIO, TypeAlias
from urllib.parse import quote

from longdoc.outputs.format import Format, Outcome, PredictionLike
from longdoc.outputs.jsonl import as_json
from longdoc.outputs.marks import Mark, marks_of, text_of
from longdoc.outputs.names import Names
from longdoc.outputs.omissions import Omissions, read, telling
from longdoc.outputs.surrogates import escaped, replaced
from longdoc.version import __version__

LOCAL_FILES = "/data/local-files/?d=longdoc/"
"""Where Label Studio serves the folder ``longdoc`` in the folder of its local files, which it does not serve itself."""


def _write(outcomes: Iterable[Outcome], stream: TextIO, *, format: str, task: _Task) -> None:
    """Writes a task per document."""
    names = Names(r"[/\\\0]")
    with telling(format) as omissions:
        before = "[\n"
        for source, prediction in read(outcomes, omissions):
            written = task(prediction, names, omissions)
            if written is not None:
                written["data"] |= {"name": escaped(source), "sha256": prediction.document.source.sha256}
                stream.write(before + as_json(written))
                before = ",\n"
        stream.write("\n]\n" if before == ",\n" else "[]\n")


def _text_task(prediction: PredictionLike, _: Names, omissions: Omissions) -> dict[str, Any]:
    results = [_region(mark, prediction) for mark in marks_of(prediction, omissions)]
    classes = [label for label in prediction.labels if label.start is None]
    omissions.add("classes of sections", len(prediction.labels) - len(classes))
    if classes:
        value = {"choices": [label.name for label in classes]}
        scores = {"text": [f"{label.name}: score {label.score:.4f}" for label in classes]}
        results.append({"from_name": "class", "to_name": "text", "type": "choices", "value": value, "meta": scores})
    return _task_of({"text": text_of(prediction, omissions)}, results)


def _region(mark: Mark, prediction: PredictionLike) -> dict[str, Any]:
    text = replaced(prediction.document.text[mark.start : mark.end])
    value = {"start": mark.start, "end": mark.end, "text": text, "labels": [mark.label]}
    return {"from_name": "label", "to_name": "text", "type": "labels", "value": value, **_score(mark, mark.remark)}


def _page_task(prediction: PredictionLike, names: Names, omissions: Omissions) -> dict[str, Any] | None:
    pages = [page for page in prediction.document.pages if page.width and page.height]
    if not pages:
        omissions.add("documents without pages")
        return None
    index = {page.number: at for at, page in enumerate(pages)}
    omissions.add("classes", len(prediction.labels))
    results = []
    for mark in marks_of(prediction, omissions):
        boxes = [box for box in mark.found.boxes if box.page in index]
        omissions.add("findings without boxes", not boxes)
        for box in boxes:
            page = pages[index[box.page]]
            across, down = (_percent(box.x0, box.x1, page.width), _percent(box.y0, box.y1, page.height))
            place = {"x": across[0], "y": down[0], "width": across[1], "height": down[1], "rotation": 0}
            results.append(
                {
                    "from_name": "box",
                    "to_name": "pages",
                    "type": "rectanglelabels",
                    "item_index": index[box.page],
                    "original_width": round(page.width),
                    "original_height": round(page.height),
                    "image_rotation": 0,
                    "value": {**place, "rectanglelabels": [mark.label]},
                    **_score(mark, ", ".join(filter(None, (replaced(mark.found.text), mark.remark)))),
                }
            )
    folder = quote(names.new(prediction.document.source.name), errors="replace")
    return _task_of({"pages": [f"{LOCAL_FILES}{folder}/{page.number}.png" for page in pages]}, results)


def _percent(low: float, high: float, whole: float) -> tuple[float, float]:
    """The start and the length of a range in percent, within the page."""
    start, end = (min(max(100 * each / whole, 0.0), 100.0) for each in (low, high))
    return round(start, 4), round(end - start, 4)


def _score(mark: Mark, remark: str) -> dict[str, Any]:
    noted = {"meta": {"text": [remark]}} if remark else {}
    return {"score": round(mark.found.score, 4), **noted}


def _task_of(data: dict[str, Any], results: list[dict[str, Any]]) -> dict[str, Any]:
    numbered = [{"id": f"longdoc-{number}", **result} for number, result in enumerate(results, 1)]
    return {"data": data, "predictions": [{"model_version": f"longdoc {__version__}", "result": numbered}]}


_Task: TypeAlias = Callable[[PredictionLike, Names, Omissions], dict[str, Any] | None]

TEXT = Format(
    name="label-studio",
    description="tasks for Label Studio: texts with labelled ranges",
    suffix=None,
    streams=False,
    write=partial(_write, format="label-studio", task=_text_task),
    answers=True,
    failures=False,
)
PAGES = Format(
    name="label-studio-pages",
    description="tasks for Label Studio: pages with labelled rectangles",
    suffix=None,
    streams=False,
    write=partial(_write, format="label-studio-pages", task=_page_task),
    answers=True,
    failures=False,
)
