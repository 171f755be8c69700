"""The type of a contract, one of CUAD's 25, from the whole document and from its first 512 tokens.

The encoder is frozen: the mean state of each window of 256 tokens is computed once, and longdoc's classification head
is trained on them, once per seed. The number of steps for each pooling is chosen on the development part. Contracts are
read from the folder ``LONGDOC_DATA``.
"""

import argparse
import statistics
from collections.abc import Sequence
from pathlib import Path

import torch
from _table import write_table
from tqdm import tqdm

from longdoc.datasets import CuadConfig, read_dataset
from longdoc.heads import ClassifyConfig, ClassifyHead, EmbedConfig, EmbedHead
from longdoc.inputs import length_batches
from longdoc.metrics import ClassCounts, class_counts
from longdoc.model import Model
from longdoc.model_config import ModelConfig
from longdoc.training.given_model import base_folder
from longdoc.windows import split, tokenize

PARTS = ("train", "dev", "test")
POOLINGS = ("mean", "max", "attention")
STEPS = (50, 100, 200)
FIRST = 2
"""Number of windows in the first 512 positions: 476 tokens of the document, since windows overlap by 32."""


def window_states(model: Model, texts: Sequence[str], batch_tokens: int = 4096) -> list[torch.Tensor]:
    """The mean states of the windows of each text, float32 of shape ``(B, D)``."""
    special = model.encoder.template.plain
    slices, counts = [], []
    for text in texts:
        tokens = tokenize(text, model.tokenizer)
        windows = split(len(tokens), size=256 - len(special), overlap=32)
        slices += [tokens.ids[window.start : window.end] for window in windows]
        counts.append(len(windows))
    head = EmbedHead(EmbedConfig().pooling)
    width = model.encoder.backbone.config.hidden_size
    states = torch.empty(len(slices), width)
    with torch.inference_mode(), tqdm(total=len(slices)) as progress:
        for rows in length_batches([len(ids) for ids in slices], batch_tokens):
            inputs = model.encoder.batch([slices[row] for row in rows]).inputs
            states[rows] = head.scores(model.encoder(**inputs), inputs.get("attention_mask"))[:, 0].float()
            progress.update(len(rows))
    return list(states.split(counts))


class Views:
    """The contracts of a part: the states of all or of the first windows, ``(B, 1, D)``, and the types."""

    def __init__(self, states: Sequence[torch.Tensor], labels: Sequence[int], first: int | None) -> None:
        kept = [rows[:first] for rows in states]
        self.states = torch.cat(kept)[:, None]
        self.counts = [len(rows) for rows in kept]
        self.groups = torch.repeat_interleave(torch.arange(len(kept)), torch.tensor(self.counts))
        self.targets = torch.tensor(labels)


def trained_heads(train: Views, config: ClassifyConfig, seed: int) -> dict[int, ClassifyHead]:
    """Trains a head on all contracts at once and returns a copy of it at each number of ``STEPS``."""
    torch.manual_seed(seed)
    head = ClassifyHead(train.states.shape[-1], config, dropout=0.3)
    optimizer = torch.optim.AdamW(head.parameters(), lr=0.02, weight_decay=0.05)
    content = torch.ones(train.states.shape[:2], dtype=torch.bool)
    kept = {}
    for step in range(1, max(STEPS) + 1):
        loss = head.loss(train.states, content=content, groups=train.groups, targets=train.targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step in STEPS:
            kept[step] = ClassifyHead(train.states.shape[-1], config, dropout=0.0)
            kept[step].load_state_dict(head.state_dict())
    return kept


@torch.inference_mode()
def evaluate(head: ClassifyHead, part: Views) -> tuple[float, float]:
    """Returns macro F1 and accuracy."""
    scores = head.eval().scores(part.states)[:, 0]
    found = [int(head.pool(own).argmax()) for own in scores.split(part.counts)]
    names = head.config.labels
    pairs = zip(found, part.targets.tolist(), strict=True)
    total = sum((class_counts([names[one]], [names[other]]) for one, other in pairs), ClassCounts())
    return total.macro_f1, total.accuracy


def compare(
    states: dict[str, list[torch.Tensor]], labels: dict[str, list[int]], names: tuple[str, ...], seeds: int
) -> list[list[str]]:
    rows = []
    for title, first in (("first 512 tokens", FIRST), ("whole document", None)):
        parts = {part: Views(states[part], labels[part], first) for part in PARTS}
        mean, scale = parts["train"].states.mean(0), parts["train"].states.std(0)
        for part in parts.values():
            part.states = (part.states - mean) / scale
        heads = {
            (pooling, seed, steps): head
            for pooling in POOLINGS
            for seed in range(seeds)
            for steps, head in trained_heads(
                parts["train"], ClassifyConfig(labels=names, pooling=pooling), seed
            ).items()
        }
        dev = {key: evaluate(head, parts["dev"])[0] for key, head in heads.items()}
        for pooling in POOLINGS:
            by_steps = {s: statistics.mean(dev[pooling, seed, s] for seed in range(seeds)) for s in STEPS}
            steps = max(by_steps, key=by_steps.__getitem__)
            found = [evaluate(heads[pooling, seed, steps], parts["test"]) for seed in range(seeds)]
            figures = [
                f"{statistics.mean(values):.3f} ± {statistics.stdev(values):.3f}" for values in zip(*found, strict=True)
            ]
            rows.append([title, pooling, str(steps), f"{by_steps[steps]:.3f}", *figures])
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="default", help="a model, or package:NAME")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--states", type=Path, help="file to cache the states of the windows in")
    parser.add_argument("--name", default="contract_types")
    args = parser.parse_args()
    examples = {part: read_dataset(CuadConfig(reader="cuad types", files=("cuad",), part=part)) for part in PARTS}
    names = tuple(sorted({example.labels[0] for part in examples.values() for example in part}))
    if args.states and args.states.exists():
        states = torch.load(args.states)
    else:
        model = Model.from_base(base_folder(args.base), ModelConfig(heads={"embed": EmbedConfig()})).eval()
        states = {part: window_states(model, [example.text for example in examples[part]]) for part in PARTS}
        if args.states:
            torch.save(states, args.states)
    labels = {part: [names.index(example.labels[0]) for example in examples[part]] for part in PARTS}
    rows = compare(states, labels, names, args.seeds)
    sizes = ", ".join(f"{len(examples[part])} {part}" for part in PARTS)
    notes = f"{sizes}; {len(names)} types; mean and deviation of {args.seeds} seeds. Encoder: {args.base}, not tuned."
    header = ["read", "pooling", "steps", "dev macro F1", "test macro F1", "test accuracy"]
    write_table(args.name, "Types of contracts", header, rows, notes)


if __name__ == "__main__":
    main()
