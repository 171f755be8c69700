"""Entities: speed and F1 of longdoc and of ``transformers.pipeline`` with the same weights, in one run.

Both read the same documents (``bc5cdr/test`` abstracts or ``craft/dev`` papers) in float32 on the CPU with the same
window (512) and overlap (128); longdoc also with its default window and overlap, and with every merge rule. Documents
are read from the folder ``LONGDOC_DATA``.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import get_args

from _table import write_table
from transformers import BertConfig, BertForTokenClassification, PreTrainedTokenizerFast, pipeline

from longdoc.datasets import CuadConfig, Example, JsonlConfig, read_dataset
from longdoc.document import Document
from longdoc.evaluation import entity_counts, evaluate_entities
from longdoc.findings import WindowScores
from longdoc.heads import DecodeOptions
from longdoc.heads.ner import NER
from longdoc.labels import Entity
from longdoc.metrics import add_counts, micro, span_counts
from longdoc.model import Model
from longdoc.model_files import DEFAULT_MODEL
from longdoc.pipeline import Pipeline
from longdoc.prediction import Prediction
from longdoc.windows import MergeRule, WindowConfig, tokenize, unseen

CRAFT = {
    "PR": "PROTEIN",
    "UBERON": "ANATOMY",
    "NCBITaxon": "ORGANISM",
    "CHEBI": "COMPOUND",
    "CL": "CELL",
    "MONDO": "CONDITION",
}
CUAD = {label: label for label in ("PARTY", "DOCUMENT_NAME", "AGREEMENT_DATE")}
BC5CDR = {"Chemical": "CHEMICAL", "Disease": "DISEASE"}
DATA = {
    "bc5cdr/test": ("biomedical", JsonlConfig(reader="jsonl", files=("bc5cdr/test.jsonl",), labels=BC5CDR)),
    "craft/dev": ("ontology", JsonlConfig(reader="jsonl", files=("craft/dev.jsonl",), labels=CRAFT)),
    "cuad/test": ("contract", CuadConfig(reader="cuad", files=("cuad",), part="test", limit=20, labels=CUAD)),
}
WINDOWS = [(size, overlap) for size in (128, 256, 512) for overlap in (0, 64, 128, 256) if overlap <= size // 2]


def as_transformers(model: Model, head: str, folder: str) -> Callable[..., object]:
    """Converts the encoder and a head to a transformers token-classification pipeline."""
    tags = dict(enumerate(model.heads[head].tags))
    config = BertConfig.from_dict({**model.encoder.backbone.config.to_dict(), "id2label": tags})
    tagger = BertForTokenClassification(config).eval()
    tagger.bert.load_state_dict(model.encoder.backbone.state_dict())
    tagger.classifier.load_state_dict(model.heads[head].linear.state_dict())
    model.tokenizer.save(f"{folder}/tokenizer.json")
    names = {f"{name}_token": f"[{name.upper()}]" for name in ("unk", "sep", "pad", "cls", "mask")}
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=f"{folder}/tokenizer.json", model_max_length=512, **names)
    return partial(pipeline, "token-classification", model=tagger, tokenizer=tokenizer, device="cpu")


def peer_run(tagger: Callable[[list[str]], list], examples: Sequence[Example]) -> tuple[float, float]:
    """Returns seconds and micro F1 of a transformers pipeline."""
    started_at = time.perf_counter()
    results = tagger([example.text for example in examples])
    seconds = time.perf_counter() - started_at
    tables = []
    for example, entities in zip(examples, results, strict=True):
        found = [(e["start"], e["end"], e["entity_group"]) for e in entities]
        tables.append(span_counts([(s.start, s.end, s.label) for s in example.spans], found))
    return seconds, micro(add_counts(tables)).f1


def our_run(model: Model, windows: WindowConfig, head: str, examples: Sequence[Example]) -> tuple[float, float]:
    """Returns seconds and micro F1 of longdoc, from documents to predictions with offsets and coverage."""
    reader = with_windows(model, windows)
    documents = [Document.from_text(example.text) for example in examples]
    started_at = time.perf_counter()
    predictions = list(reader.pipe(documents, tasks=[head]))
    seconds = time.perf_counter() - started_at
    tables = []
    for example, prediction in zip(examples, predictions, strict=True):
        assert prediction.coverage == 1.0
        found = [(e.start, e.end, e.label) for e in prediction.entities]
        tables.append(span_counts([(s.start, s.end, s.label) for s in example.spans], found))
    return seconds, micro(add_counts(tables)).f1


def with_windows(model: Model, windows: WindowConfig) -> Pipeline:
    model.config = replace(model.config, windows=windows)
    return Pipeline(model, device="cpu", precision="float32")


def engines(model: Model, head: str, folder: str) -> dict[str, Callable[[Sequence[Example]], tuple[float, float]]]:
    """The functions to compare, by the name of the engine."""
    peer, shipped = as_transformers(model, head, folder), model.config.windows
    runs: dict[str, Callable[[Sequence[Example]], tuple[float, float]]] = {}
    for size in (1, 8):
        tagger = peer(stride=128, aggregation_strategy="first", batch_size=size)
        runs[f"transformers, 512/128, batch {size}"] = partial(peer_run, tagger)
    for windows in (WindowConfig(size=512, overlap=128, merge=shipped.merge), shipped):
        runs[f"longdoc, {windows.size}/{windows.overlap}"] = partial(our_run, model, windows, head)
    return runs


def compare(folder: str, data: str, repeats: int) -> list[list[object]]:
    """Returns a table row with the speed and F1 of each engine on a data set."""
    head, config = DATA[data]
    model = Model.from_pretrained(folder)
    # The tokenizer drops some characters of some contracts; no engine can see those, so such contracts are left out.
    examples = [e for e in read_dataset(config) if not unseen(e.text, tokenize(e.text, model.tokenizer))]
    n_tokens = sum(len(model.tokenizer.encode(e.text, add_special_tokens=False).ids) for e in examples)
    with tempfile.TemporaryDirectory() as temporary:
        runs = engines(model, head, temporary)
        # Engines alternate within each round, so that other load on the machine affects all of them.
        rounds = [{name: run(examples) for name, run in runs.items()} for _ in range(repeats)]
    best = {name: min(results[name] for results in rounds) for name in runs}
    base = best["transformers, 512/128, batch 1"][0]
    return [
        [data, name, f"{n_tokens / seconds:,.0f}", f"{base / seconds:.2f}", f"{f1:.3f}"]
        for name, (seconds, f1) in best.items()
    ]


def decode(scores: WindowScores, head: str, model: Model) -> list[Entity]:
    """The entities of a document."""
    return NER.decode(scores, head, model.config.heads[head], DecodeOptions())


def merge_rules(folder: str) -> list[list[object]]:
    """Returns F1 on craft/dev by window, overlap and merge rule; each window is encoded once for all merge rules."""
    head, config = DATA["craft/dev"]
    examples, model = read_dataset(config), Model.from_pretrained(folder)
    labels = {span.label for example in examples for span in example.spans}
    rows: list[list[object]] = []
    for size, overlap in WINDOWS:
        reader = with_windows(model, WindowConfig(size=size, overlap=overlap))
        readings = [reader.engine.read(Document.from_text(example.text), [head])[0] for example in examples]
        scored = [by_head[head] for by_head in reader.readers[0].score(readings)]
        encoded = sum(len(window) + 2 for reading in readings for window in reading.windows)
        scores = []
        for merge in get_args(MergeRule):
            predictions = [
                Prediction(document=own.document, entities=tuple(decode(replace(own, merge=merge), head, model)))
                for own in scored
            ]
            pairs = zip(examples, predictions, strict=True)
            scores.append(f"{micro(add_counts(entity_counts(e, p, labels) for e, p in pairs)).f1:.4f}")
        n_tokens = sum(len(reading.tokens) for reading in readings)
        rows.append([size, overlap, f"{encoded / n_tokens:.2f}", *scores])
    return [*rows, *_others(folder, head, examples, len(get_args(MergeRule)))]


def _others(folder: str, head: str, examples: Sequence[Example], n_rules: int) -> list[list[object]]:
    """The same weights with sparse attention over whole documents, and by transformers with its own merge rule."""
    model = Model.from_pretrained(folder)
    labels = {span.label for example in examples for span in example.spans}
    options = {"device": "cpu", "precision": "float32"}
    sparse = micro(evaluate_entities(Pipeline(model, encoder="sparse", **options), examples, labels)).f1
    with tempfile.TemporaryDirectory() as temporary:
        tagger = as_transformers(model, head, temporary)(stride=128, aggregation_strategy="first", batch_size=8)
        _, peer = peer_run(tagger, examples)
    blank = [""] * (n_rules - 1)
    return [
        ["sparse, whole", "", "1.00", f"{sparse:.4f}", *blank],
        ["transformers, 512", 128, "", f"{peer:.4f}", *blank],
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default=str(DEFAULT_MODEL))
    parser.add_argument("--repeats", type=int, default=3, help="number of runs, of which the fastest is reported")
    parser.add_argument("--merge-rules", action="store_true", help="compare windows and merge rules instead")
    parser.add_argument("--data", choices=list(DATA), default="craft/dev")
    arguments = parser.parse_args()
    if arguments.merge_rules:
        header = ["window", "overlap", "encoded / document tokens", *get_args(MergeRule)]
        write_table("merge_rules", "Merge rules: micro F1 on craft/dev, float32", header, merge_rules(arguments.model))
        return
    rows = compare(arguments.model, arguments.data, arguments.repeats)
    header = ["data", "engine, window/overlap", "document tokens/s", "speed ratio", "micro F1"]
    notes = "Same weights, float32, CPU. Speed ratio: relative to transformers with its default batch size of 1."
    name = "entities_" + arguments.data.replace("/", "_")
    write_table(name, "Entities: longdoc against transformers.pipeline", header, rows, notes)


if __name__ == "__main__":
    main()
