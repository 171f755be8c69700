"""Questions: the cost of decoding relative to the encoder, and agreement with SQuAD's reference decoding.

``cost``: seconds for the questions of all 41 CUAD categories on a contract of about 10,000 tokens, relative to the
forward passes of the same batches. ``squad``: the best answers of longdoc and of the reference code from the same
logits, for every question of a data set, and the results for each threshold. Data are read from ``LONGDOC_DATA``.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import torch
import yaml
from _table import write_table
from tqdm import tqdm

from longdoc.datasets import CuadConfig, SquadConfig, read_dataset
from longdoc.decode import decode_answers
from longdoc.document import Document
from longdoc.heads import with_null
from longdoc.inputs import length_batches
from longdoc.metrics import exact_match, token_f1
from longdoc.pipeline import Pipeline
from longdoc.reader import Reader, Reading

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import reference

WORDINGS = Path(__file__).parents[1] / "configs" / "questions" / "cuad.yaml"


def first_questions() -> list[str]:
    """A question for each category of CUAD."""
    return [worded[0] for worded in yaml.safe_load(WORDINGS.read_text(encoding="utf-8")).values()]


def contract_of(n_tokens: int) -> Document:
    """The contract of CUAD's test part whose number of tokens is closest to ``n_tokens``."""
    examples = read_dataset(CuadConfig(reader="cuad", files=("cuad",), part="test"))
    pipeline = Pipeline.from_pretrained(encoder="windows")
    tokenizer = pipeline.model.tokenizer
    lengths = {e.id: len(tokenizer.encode(e.text, add_special_tokens=False).ids) for e in examples}
    nearest = min(examples, key=lambda e: abs(lengths[e.id] - n_tokens))
    return Document.from_text(nearest.text, name=nearest.id)


def readings_of(reader: Reader, document: Document, head: str, questions: list[str]) -> list[Reading]:
    """Each question with the windows of the document."""
    tokens = reader.tokenize(document)
    return [reader.read(document, tokens, [head], question=question) for question in questions]


def forward_seconds(pipeline: Pipeline, document: Document, questions: list[str], name: str) -> tuple[float, int, int]:
    """Seconds of the encoder and the head on all windows in longdoc's batches; how many windows, and their tokens."""
    (reader,) = pipeline.readers
    readings = readings_of(reader, document, name, questions)
    windows = [(r, w) for r in readings for w in r.windows]
    lengths = [len(w) + len(r.special) for r, w in windows]
    scorer: Any = reader.scorer
    encoder, head = scorer.encoder, scorer.model.head(name)
    batches = []
    for rows in length_batches(lengths, reader.batch_tokens):
        chosen = [windows[row] for row in rows]
        slices = [r.tokens.ids[w.start : w.end] for r, w in chosen]
        batches.append(encoder.batch(slices, [r.special for r, _ in chosen]).inputs)
    started_at = time.perf_counter()
    with torch.inference_mode(), torch.autocast("cpu", dtype=scorer.dtype, enabled=scorer.dtype != torch.float32):
        for inputs in batches:
            head.scores(encoder(**inputs), inputs.get("attention_mask"))
    return time.perf_counter() - started_at, len(windows), sum(lengths)


def compare_cost(pipeline: Pipeline, rounds: int) -> list[list[str]]:
    document, questions, name = contract_of(10_000), first_questions(), "qa"
    pipeline.ask(document, questions[:2])
    whole, forward = [], []
    for _ in range(rounds):
        seconds, n_windows, n_tokens = forward_seconds(pipeline, document, questions, name)
        forward.append(seconds)
        started_at = time.perf_counter()
        pipeline.ask(document, questions)
        whole.append(time.perf_counter() - started_at)
    ratio = statistics.median(w / f for w, f in zip(whole, forward, strict=True))
    n = len(pipeline.readers[0].tokenize(document))
    times = [f"{statistics.median(forward):.1f}", f"{statistics.median(whole):.1f}", f"{ratio:.3f}"]
    return [[f"{len(questions)} questions, {n:,} tokens", f"{n_windows:,}", f"{n_tokens:,}", *times]]


Feature: TypeAlias = tuple[list[float], list[float], list[int | None], list[bool]]


def score_whole_rows(reader: Reader, reading: Reading) -> tuple[list[np.ndarray], list[Feature]]:
    """Scores of the windows, and the same logits as the reference code takes them: of all tokens of a window."""
    n_tokens, prefix = len(reading.tokens), len(reading.special.prefix)
    spans = [(window.start, window.end, n_tokens) for window in reading.windows]
    slices = [reading.tokens.ids[window.start : window.end] for window in reading.windows]
    scorer: Any = reader.scorer
    batch = scorer.encoder.batch(slices, reading.special)
    with torch.inference_mode(), torch.autocast("cpu", dtype=scorer.dtype, enabled=scorer.dtype != torch.float32):
        logits = scorer.model.head("qa")(scorer.encoder(**batch.inputs)).float()
    features: list[Feature] = []
    for number, window in enumerate(reading.windows):
        row = logits[number, : len(reading.special) + len(window)].tolist()
        inside = [reference.max_context(spans, token) == number for token in range(window.start, window.end)]
        others = len(reading.special) - prefix
        numbers = [*[None] * prefix, *range(window.start, window.end), *[None] * others]
        owned = [*[False] * prefix, *inside, *[False] * others]
        features.append(([start for start, _ in row], [end for _, end in row], numbers, owned))
    return batch.content(with_null(logits).numpy()), features


class Outcome(NamedTuple):
    """The best answer to a question: its probability, and exact match and F1 if it is given or withheld."""

    probability: float
    given: tuple[float, float]
    withheld: tuple[float, float]


def compare_decoding(pipeline: Pipeline, limit: int | None) -> tuple[int, list[Outcome]]:
    """For how many questions the reference code has the same best answer, and the outcome of each question."""
    data = SquadConfig(reader="squad", files=("squad2_half/dev-v2.0-half.json",), limit=limit)
    (reader,), config = pipeline.readers, pipeline.heads["qa"]
    same, outcomes = 0, []
    for example in tqdm(read_dataset(data)):
        document = Document.from_text(example.text, name=example.id)
        asked = readings_of(reader, document, "qa", [question.text for question in example.questions])
        for reading, question in zip(asked, example.questions, strict=True):
            (scores, features), tokens = score_whole_rows(reader, reading), reading.tokens
            limits = {"n_best": config.n_best, "max_tokens": config.max_answer_tokens}
            best = next(iter(decode_answers(scores, reading.windows, len(tokens), **limits)), None)
            expected, _ = reference.squad_answer(features, config.n_best, config.max_answer_tokens)
            agreed = (None if best is None else (best.first, best.last)) == (expected and expected[1:])
            same += agreed
            if not agreed:
                print(question.id, best, expected, len(reading.windows), file=sys.stderr)
            golds = [example.text[s.start : s.end] for s in question.answers]
            withheld = (exact_match("", golds), token_f1("", golds))
            if best is None:
                outcomes.append(Outcome(0.0, withheld, withheld))
                continue
            text = example.text[tokens.offsets[best.first, 0] : tokens.offsets[best.last, 1]]
            given = (exact_match(text, golds), token_f1(text, golds))
            outcomes.append(Outcome(config.calibration.probability(best.score), given, withheld))
    return same, outcomes


def figures_at(outcomes: list[Outcome], threshold: float) -> list[str]:
    """Exact match, F1, F1 of answerable questions, and the share answered; answers below the threshold are withheld."""
    kept = [one.given if one.probability >= threshold else one.withheld for one in outcomes]
    exact, f1 = (statistics.fmean(values) for values in zip(*kept, strict=True))
    answerable = statistics.fmean(f for (_, f), one in zip(kept, outcomes, strict=True) if not one.withheld[1])
    answered = statistics.fmean(one.probability >= threshold for one in outcomes)
    return [f"{exact:.4f}", f"{f1:.4f}", f"{answerable:.4f}", f"{answered:.3f}"]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=["cost", "squad"])
    parser.add_argument("--model", default="default")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=int)
    arguments = parser.parse_args()
    pipeline = Pipeline.from_pretrained(arguments.model)
    if arguments.what == "cost":
        header = ["", "windows", "tokens in them", "forward passes, s", "`ask`, s", "ratio"]
        rows = compare_cost(pipeline, arguments.rounds)
        write_table("questions_cost", "All questions of a schema on one contract", header, rows)
    else:
        threshold = pipeline.heads["qa"].min_score
        same, outcomes = compare_decoding(pipeline, arguments.limit)
        header = ["questions", "same best answer", "exact match", "F1", "F1, answerable", "answered"]
        row = [f"{len(outcomes):,}", f"{same:,}", *figures_at(outcomes, threshold)]
        write_table("questions_squad", "Decoding compared with SQuAD's reference code, `squad2_half`", header, [row])
        header = ["threshold", "exact match", "F1", "F1, answerable", "answered"]
        levels = sorted({threshold, *(n / 10 for n in range(11))})
        rows = [[f"{level:.2f}", *figures_at(outcomes, level)] for level in levels]
        note = f"The model's own threshold, {threshold:.2f}, was fitted on contracts."
        write_table("questions_least_score", "Results by threshold on `squad2_half`", header, rows, note)


if __name__ == "__main__":
    main()
