"""Number formats on a CPU: speed and F1 in float32, bfloat16 and int8, and of ``transformers.pipeline`` in float32.

    python benchmarks/precision.py

All have the same weights and read the same documents, of ``entities.py`` and sentences of the web, from the folder
``LONGDOC_DATA``. Times are CPU seconds of one thread, in rounds in which the engines alternate, so that other load on
the machine matters less; of all rounds the fastest counts. The encoder and the head alone are measured on the batches
that longdoc makes, in tokens that are encoded, overlaps and special tokens among them.
"""

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import accumulate
from typing import Any, get_args

import torch
from _table import write_table
from entities import DATA, as_transformers

from longdoc.datasets import ConllConfig, Example, read_dataset
from longdoc.document import Document
from longdoc.inputs import Precision
from longdoc.labels import Span
from longdoc.metrics import add_counts, micro, span_counts
from longdoc.model import Model
from longdoc.model_files import DEFAULT_MODEL
from longdoc.pipeline import Pipeline
from longdoc.windows import tokenize, unseen

Found = list[tuple[int, int, str]]
N_TOKENS = 30_000
"""About how many tokens speed is measured on."""
PEER = "transformers, float32"
NAMES = {"PER": "PERSON", "ORG": "ORG", "LOC": "LOCATION"}
EWT = ConllConfig(reader="conll", files=("uner_ewt/dev.iob2",), labels=NAMES, token_column=1, tag_column=2)
SETS = {**DATA, "uner_ewt/dev": ("general", EWT)}


def ours(pipeline: Pipeline, head: str, texts: Sequence[str]) -> list[Found]:
    """From documents to predictions with offsets and coverage."""
    predictions = list(pipeline.pipe([Document.from_text(text) for text in texts], tasks=[head]))
    return [[(e.start, e.end, e.label) for e in prediction.entities] for prediction in predictions]


def encoding(pipeline: Pipeline, head: str, texts: Sequence[str]) -> float:
    """Tokens a second of the encoder and the head, special tokens and overlaps counted."""
    reader = pipeline.readers[0]
    readings = [r for text in texts for r in pipeline.engine.read(Document.from_text(text), [head])]
    n_tokens = sum(len(window) + len(r.special) for r in readings for window in r.windows)
    started_at = time.process_time()
    reader.score(readings)
    return n_tokens / (time.process_time() - started_at)


def f1(examples: Sequence[Example], found: Sequence[Found], labels: set[str]) -> float:
    def gold(spans: Sequence[Span]) -> Found:
        return [(span.start, span.end, span.label) for span in spans]

    pairs = zip(examples, found, strict=True)
    return micro(add_counts(span_counts(gold(e.spans), [s for s in own if s[2] in labels]) for e, own in pairs)).f1


def quality(data: str, pipelines: Mapping[str, Pipeline]) -> list[list[object]]:
    """Returns a row with the F1 of each engine on all documents."""
    head, config = SETS[data]
    examples = read_dataset(config)
    labels = {span.label for e in examples for span in e.spans}
    texts = [e.text for e in examples]
    scores = {name: f1(examples, ours(pipeline, head, texts), labels) for name, pipeline in pipelines.items()}
    exact = scores["float32"]
    differences = [f"{score:.4f} ({score - exact:+.4f})" for score in scores.values()]
    n_gold = sum(len(e.spans) for e in examples)
    return [[f"{data}, head `{head}`", len(texts), n_gold, *differences]]


def speed(data: str, model: Model, pipelines: Mapping[str, Pipeline], n_rounds: int) -> list[list[object]]:
    """Returns a row with the speed of each engine on the first documents."""
    head, config = SETS[data]
    # The tokenizer drops some characters of some contracts; no engine can see those, so such contracts are left out.
    texts = [e.text for e in read_dataset(config) if not unseen(e.text, tokenize(e.text, model.tokenizer))]
    lengths = [len(model.tokenizer.encode(text, add_special_tokens=False).ids) for text in texts]
    n_documents = 1 + sum(total <= N_TOKENS for total in accumulate(lengths))
    texts, n_tokens = texts[:n_documents], sum(lengths[:n_documents])
    seconds: dict[str, list[float]] = defaultdict(list)
    speeds: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        tagger = as_transformers(model, head, folder)(stride=128, aggregation_strategy="first")
        runs: dict[str, Any] = {PEER: tagger}
        runs |= {name: partial(ours, pipeline, head) for name, pipeline in pipelines.items()}
        for _ in range(n_rounds):
            for name, run in runs.items():
                started_at = time.process_time()
                run(texts)
                seconds[name].append(time.process_time() - started_at)
            for name, pipeline in pipelines.items():
                speeds[name].append(encoding(pipeline, head, texts))
    return [
        [
            f"{data}, head `{head}`, {n_tokens:,} tokens",
            name,
            f"{n_tokens / min(own):,.0f}",
            f"{min(seconds[PEER]) / min(own):.2f}",
            f"{max(speeds[name]):,.0f}" if name in speeds else "",
        ]
        for name, own in seconds.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quality", nargs="*", choices=list(SETS), default=list(SETS))
    parser.add_argument("--speed", nargs="*", choices=list(SETS), default=["craft/dev", "cuad/test"])
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    model = Model.from_pretrained(DEFAULT_MODEL)
    pipelines = {each: Pipeline(model, device="cpu", precision=each) for each in get_args(Precision) if each != "auto"}
    if arguments.speed:
        header = ["data", "engine", "document tokens/s", "times transformers", "encoder and head alone, tokens/s"]
        notes = (
            "The shipped model, one thread, CPU seconds. transformers: `pipeline(stride=128)`, float32, windows of 512 "
            "tokens. Wanted: 2.1 times transformers in bfloat16, 3.5 times in int8."
        )
        rows = [row for data in arguments.speed for row in speed(data, model, pipelines, arguments.rounds)]
        write_table("precision_speed", "Number formats on a CPU: speed", header, rows, notes)
    if arguments.quality:
        header = ["data", "documents", "entities", *(f"F1, {name}" for name in pipelines)]
        notes = "In brackets: less float32. Wanted: within 0.001 in bfloat16, within 0.003 in int8."
        rows = [row for data in arguments.quality for row in quality(data, pipelines)]
        write_table("precision_quality", "Number formats on a CPU: micro F1 of entities", header, rows, notes)


if __name__ == "__main__":
    main()
