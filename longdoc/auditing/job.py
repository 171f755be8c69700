"""The audit: texts → swaps → measures of every group → comparisons → report."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from longdoc.arguments import check_count, check_type, names_in
from longdoc.auditing.comparisons import Comparison
from longdoc.auditing.likelihood import Pair, prefers_more, read_pairs
from longdoc.auditing.measures import Measured, measure_answers, measure_classes, measure_names, person_tasks
from longdoc.auditing.origins import swap_origins
from longdoc.auditing.persons import swap_names
from longdoc.auditing.pronouns import swap_pronouns
from longdoc.auditing.report import AuditReport, Texts
from longdoc.auditing.statistics import CLEAR, LEAST, Difference, differences, holm
from longdoc.auditing.swaps import Swaps
from longdoc.auditing.texts import shipped_texts, texts_of
from longdoc.auditing.wording import AGAIN, ASSETS, load_names
from longdoc.datasets import Example, read_jsonl
from longdoc.errors import DataError
from longdoc.pipeline import Pipeline
from longdoc.summary import count
from longdoc.version import __version__

PERSON = ("PERSON", "PER")
"""Labels of persons, in models and in data."""
PAIRS = ASSETS / "pairs.csv"


def audit(  # noqa: PLR0913 (each is a separate choice of the caller)
    model: str | PathLike[str] | Pipeline = "default",
    *,
    data: str | PathLike[str] | Iterable[Example] | None = None,
    pairs: str | PathLike[str] | None = None,
    names: str | PathLike[str] | None = None,
    person: Sequence[str] = PERSON,
    seed: int = 0,
    name: str | None = None,
    tell: Callable[[str], None] | None = None,
) -> AuditReport:
    """Measures whether a model reads texts alike whoever they are about.

    Names, pronouns and origins are swapped in real sentences, and what the model finds is compared: names, classes,
    answers; a model that fills masks is asked which sentence of a pair is likelier.

    Args:
        model: ``"default"``, a folder, a hub id, or a pipeline.
        data: JSON lines with annotated persons (see :func:`longdoc.datasets.read_jsonl`), or examples, whose questions
            are asked, too; by default the sentences shipped with longdoc.
        pairs: a ``.csv`` or JSON lines with ``sent_more`` and ``sent_less``; by default those shipped with longdoc.
        names: a YAML file of names by group, like ``longdoc/assets/audit/names.yaml``.
        person: the labels of persons in the model and in the data.
        seed: of the draws of names, and of resampling.
        name: what the report calls the model; by default what ``model`` is.
        tell: called with a line about what is measured next.

    Raises:
        ConfigError: no such model, or a wrong argument.
        DataError: the data or the pairs cannot be read.
    """
    check_count("seed", seed, 0)
    labels = names_in("person", person, "labels", str)
    groups = load_names(names)
    examples, sources = examples_of(data)
    read = read_pairs(pairs or PAIRS)
    pipeline = model if isinstance(model, Pipeline) else Pipeline.from_pretrained(model)
    every = [
        swap_names(examples, groups, labels, seed),
        swap_pronouns(examples, labels, seed),
        swap_origins(examples, labels),
    ]
    of_pairs = list(_likelihood(pipeline, read, seed))  # first, since a pair may be refused
    found: list[Comparison] = []
    for swaps in every:
        if swaps.swaps:
            if tell is not None:
                tell(f"{swaps.kind}: {count(len(swaps.swaps), 'text')}, each in {len(swaps.groups)} variants")
            found += _comparisons(pipeline, labels, swaps, seed)
    return AuditReport(
        model=name or (repr(model) if isinstance(model, Pipeline) else str(model)),
        longdoc=__version__,
        data=(*sources, str(pairs or f"pairs of longdoc ({PAIRS.name})")),
        seed=seed,
        texts={swaps.kind: Texts(used=len(swaps.swaps), skipped=dict(swaps.skipped)) for swaps in every},
        comparisons=tuple(_judged([*found, *of_pairs])),
        unmeasured=dict(_unmeasured(pipeline, labels, every)),
    )


def _comparisons(pipeline: Pipeline, labels: Collection[str], swaps: Swaps, seed: int) -> Iterator[Comparison]:
    for measured in _measures(pipeline, labels, swaps):
        yield from _compared(swaps, measured, seed)


def examples_of(data: Any) -> tuple[list[Example], tuple[str, ...]]:
    """The texts, and where they are from.

    Raises:
        DataError: they cannot be read, or there are none.
    """
    if data is None:
        return shipped_texts()
    if isinstance(data, (str, PathLike)):
        try:
            given = list(read_jsonl(Path(data)))
        except OSError as error:
            raise DataError(f"{data}: cannot be read ({error.strerror or error}); give JSON lines") from error
        name = str(data)
    else:
        check_type("data", data, "the path of JSON lines, or a list of Example", Iterable)
        given, name = list(data), "examples in memory"
        for each in given:
            check_type("each of data", each, "an Example of longdoc.datasets", Example)
    if not given:
        raise DataError(f"{name}: no text; give JSON lines with 'text' and 'entities'")
    return [text for example in given for text in texts_of(example)], (name,)


def _measures(pipeline: Pipeline, labels: Collection[str], swaps: Swaps) -> Iterator[Measured]:
    if tasks := person_tasks(pipeline, labels):
        yield from measure_names(pipeline, tasks, labels, swaps)
    yield from measure_classes(pipeline, swaps)
    for head in _heads(pipeline, "qa"):
        yield from measure_answers(pipeline, head, swaps)


def _heads(pipeline: Pipeline, kind: str) -> list[str]:
    return [name for name, config in pipeline.heads.items() if config.kind == kind]


def _unmeasured(pipeline: Pipeline, labels: Sequence[str], every: Sequence[Swaps]) -> Iterator[tuple[str, str]]:
    """What the model has no head for, and kinds of swaps without texts."""
    if not person_tasks(pipeline, labels):
        heads = [label for config in pipeline.heads.values() for label in getattr(config, "labels", ())]
        known = ", ".join(dict.fromkeys([*heads, *(pipeline.rules.labels if pipeline.rules else ())])) or "none"
        yield (
            "recall",
            f"nothing finds {' or '.join(labels)} (labels: {known}); name that of persons (`person`, --person)",
        )
    for kind, head in (("classes", "classify"), ("answers", "qa"), ("likelihood", "fill")):
        if not _heads(pipeline, head):
            yield kind, f"the model has no head of kind {head!r}"
    if _heads(pipeline, "nli"):
        yield "hypotheses", "heads of kind 'nli' are not audited"
    for swaps in every:
        if not swaps.swaps:
            yield swaps.kind, "no text has a word to swap that is clear"


def _compared(swaps: Swaps, measured: Measured, seed: int) -> Iterator[Comparison]:
    """Each group beside the first one; changes beside those by other names of the first group, if there are any."""
    hits, groups = measured.hits, list(swaps.groups)
    if measured.is_change and AGAIN in groups:
        order = [groups.index(AGAIN), *(number for number, name in enumerate(groups) if number and name != AGAIN)]
        hits, groups = hits[order], [groups[number] for number in order]
    found = differences(hits, measured.weights, seed)
    about = {"swap": swaps.kind, "kind": measured.kind, "measure": measured.name, "unit": measured.unit}
    for group, each in zip(groups[1:], found[1:], strict=True):
        yield _comparison(about, group, groups[0], measured.weights, each, found[0].value)


def _likelihood(pipeline: Pipeline, pairs: Sequence[Pair], seed: int) -> Iterator[Comparison]:
    """How often the more stereotyped sentence is likelier, of all pairs and of each category, beside one half."""
    about = {"swap": "pairs", "kind": "likelihood", "unit": "pairs"}
    for head in _heads(pipeline, "fill"):
        preferred = np.array(prefers_more(pipeline, head, pairs))
        for category in dict.fromkeys(["all", *(pair.category for pair in pairs if pair.category)]):
            own = preferred[[category in ("all", pair.category) for pair in pairs]]
            weights = np.ones(len(own))
            half, each = differences(np.stack([weights / 2, own]), weights, seed)
            measure = f"{head}: the more stereotyped sentence is likelier"
            yield _comparison({**about, "measure": measure}, category, "no preference", weights, each, half.value)


def _comparison(
    about: dict[str, Any], group: str, reference: str, weights: np.ndarray, found: Difference, of_reference: float
) -> Comparison:
    enough = len(weights) >= LEAST
    return Comparison(
        **about,
        group=group,
        reference=reference,
        texts=len(weights),
        counted=int(weights.sum()),
        value=found.value,
        reference_value=of_reference,
        gap=found.gap,
        low=found.low if enough else None,
        high=found.high if enough else None,
        p=found.p if enough else None,
        verdict="" if enough else "too few texts",
    )


def _judged(comparisons: Sequence[Comparison]) -> Iterator[Comparison]:
    """Comparisons with p-values adjusted for all that have enough texts, and with their verdicts."""
    adjusted = iter(holm([each.p for each in comparisons if each.p is not None]))
    for each in comparisons:
        if each.p is None:
            yield each
            continue
        p = next(adjusted)
        yield replace(each, p=p, verdict="differs" if p < CLEAR else "no clear difference")
