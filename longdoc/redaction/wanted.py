"""What is to be removed: the places of labels, with all that a record lists, and names of which parts were found.

>>> text = "between Acme Holdings Latin America, L.L.C., and Bolt"
>>> [text[start:end] for start, end in whole_names(text, [(8, 12), (28, 43), (49, 53)])]
['Acme Holdings Latin America, L.L.C.', 'Bolt']
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from longdoc.arguments import check_type
from longdoc.config_files import read_json
from longdoc.document import Document
from longdoc.errors import ConfigError
from longdoc.prediction import Prediction
from longdoc.record_types import Paper, namings_by_field
from longdoc.summary import on_one_line

Range = tuple[int, int]
_SHIPPED = Path(__file__).parents[1] / "assets" / "default"
"""The folder of the shipped model; `longdoc.model_files`, which has it too, belongs to a layer above."""
_BETWEEN = re.compile(r"(?: (?:[^\W\d_][\w.’'-]*[^\W_]|&)){1,3} ")
"""Up to three words on a line that no punctuation parts from what is before and after them."""
_PARTING = frozenset("and or by between among with to from for the a an of in on at is are as party parties".split())
"""Words that part two names, in a line of capitals, too."""
_FARTHEST = 80  # characters between two parts of a name
_LONGEST = 8  # words of a part of a name: a clause is longer


def ranges_by_label(prediction: Prediction) -> dict[str, list[Range]]:
    """The half-open ranges of the text of all that was found, by label: each once, in order.

    They are of entities, spans and fields. Of the parties of a record, and of the entities of one, these are all
    mentions.
    """
    ranges: dict[str, list[Range]] = {}
    for each in (*prediction.entities, *prediction.spans):
        ranges.setdefault(each.label, []).append((each.start, each.end))
    for answer in prediction.answers:
        ranges.setdefault(answer.label or answer.question, []).append((answer.start, answer.end))
    if prediction.record is not None:
        for name, cells in namings_by_field(prediction.record).items():
            own = [(cell.start, cell.end) for cell in cells if cell.start < cell.end]
            if own:
                ranges.setdefault(name, []).extend(own)
    if isinstance(prediction.record, Paper):
        names = {name for each in prediction.record.entities for name in each.names}
        own = [(each.start, each.end) for each in prediction.entities if on_one_line(each.text) in names]
        ranges.setdefault("entities", []).extend(own)
    return {label: sorted(set(own)) for label, own in ranges.items() if own}


def wanted_ranges(prediction: Prediction, labels: Collection[str]) -> dict[str, list[Range]]:
    """The ranges to remove, by label: of :func:`ranges_by_label` those of some labels, and the whole names they are of.

    Parts stay beside the whole, since they are sought elsewhere, too.

    Raises:
        ConfigError: there are none.
    """
    check_type("labels", labels, "a list of labels such as ['PERSON', 'DATE']", list, tuple, set, frozenset)
    ranges, text = ranges_by_label(prediction), prediction.document.text
    own = {label: ranges.get(label, []) for label in dict.fromkeys(labels)}
    found = {label: sorted({*each, *whole_names(text, each)}) for label, each in own.items()}
    there, name = ", ".join(sorted(ranges)) or "nothing", prediction.document.source.name
    if not found:
        raise ConfigError(f"{name}: no label is named; name some of what was found: {there}")
    if not any(found.values()):
        hints = "".join(f". {hint}" for hint in not_sought(found, prediction.tasks))
        raise ConfigError(f"{name}: nothing of {', '.join(map(repr, found))} was found; found: {there}{hints}")
    return found


def not_sought(labels: Collection[str], tasks: Collection[str]) -> Iterator[str]:
    """Which labels a head of the shipped model knows that was not run, and how to run it.

    Args:
        labels: those of which nothing was found.
        tasks: those that were run.
    """
    for name, head in read_json(_SHIPPED / "config.json")["longdoc"]["heads"].items():
        own = [label for label in head.get("labels", ()) if label in labels and head["kind"] in ("ner", "spans")]
        if own and name not in tasks:
            yield (
                f"{', '.join(own)}: found by the task {name!r} of the shipped model, which was not run: "
                f"pipeline(document, tasks=[{name!r}, 'rules']), or `longdoc extract --tasks {name},rules`"
            )


def pages_by_ocr(document: Document) -> dict[int, float]:
    """The pages that OCR read, and its mean confidence, 0 to 1."""
    return {page.number: float(page.confidence) for page in document.pages if page.confidence is not None}


def whole_names(text: str, ranges: Iterable[Range]) -> list[Range]:
    """Places of one label in order, those that overlap as one, and so two parts of a name with the words between.

    A model may find "Acme" and "America, L.L.C." of one name: the words between them would tell it.
    """
    whole: list[Range] = []
    for start, end in sorted(ranges):
        if whole and (start < whole[-1][1] or _is_one_name(text, whole[-1], (start, end))):
            whole[-1] = (whole[-1][0], max(whole[-1][1], end))
        else:
            whole.append((start, end))
    return whole


def count_places(ranges: Iterable[Range]) -> int:
    """How many places some ranges are: those that overlap are one."""
    number, last = 0, -1
    for start, end in sorted(ranges):
        number += start >= last
        last = max(last, end)
    return number


def _is_one_name(text: str, first: Range, second: Range) -> bool:
    """Whether two findings on a line are parts of one name: nothing but words with capital letters is between them."""
    if second[0] - first[1] > _FARTHEST or not _BETWEEN.fullmatch(text, first[1], second[0]):
        return False
    between = text[first[1] : second[0]].split()
    if not all(word == "&" or (word[0].isupper() and word.lower() not in _PARTING) for word in between):
        return False
    parts = [text[slice(*each)] for each in (first, second)]
    return all(
        part[0].isupper() and len(part.split()) <= _LONGEST and not any(map(str.isdigit, part)) for part in parts
    )
