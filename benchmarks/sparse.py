"""Sparse attention compared with dense attention and transformers' own sparse models: time and memory by length.

The encoder has 6 layers of width 384 with 12 heads (``--size base``: 12 layers of width 768) and reads one row of
random tokens. ``blocked`` and ``flex`` see 256 tokens to each side and one global token, as Longformer does here;
BigBird has its own pattern; ``windows`` is plain BERT on 512 tokens at a time, without overlap. Each measurement runs
in a process of its own. Memory is the peak above what the process used once its model was loaded. TFLOP/s are those of
matrix products and of pairs of tokens that the pattern has; their share is of the GPU's bfloat16 peak.
"""

import argparse
import json
import math
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from _flops import SIZES, speed_cells, teraflops
from _table import RESULTS, provenance, write_table
from torch import Tensor, nn

from longdoc.attention import SparsePattern, sparsify
from longdoc.evaluation import peak_memory

ENGINES = ("dense", "longformer", "big_bird", "windows", "blocked", "flex")
NAMES = {
    "dense": "BERT, dense SDPA",
    "longformer": "transformers Longformer",
    "big_bird": "transformers BigBird",
    "windows": "BERT, windows of 512",
    "blocked": "longdoc, blocked",
    "flex": "longdoc, flex",
}
SPEEDS = ("TFLOP/s", "of peak")
WINDOW = 256
BLOCKS, BLOCK = 3 + 2 + 3, 64
"""Of BigBird: key blocks of its window, global and random ones, for a query block; tokens in one."""
Measured = dict[str, Any]


def keys_of(engine: str, n_tokens: int) -> int:
    """How many keys a token sees."""
    keys = {"dense": n_tokens, "windows": 512, "big_bird": BLOCKS * BLOCK}.get(engine, 2 * WINDOW + 2)
    return min(n_tokens, keys)


# ------------------------------------------------------------------------------------------------- one measurement


def build(engine: str, size: str, n_tokens: int) -> nn.Module:
    """The encoder, with random weights and positions for ``n_tokens``."""
    from transformers import BertConfig, BertModel, BigBirdConfig, BigBirdModel, LongformerConfig, LongformerModel

    layers, width, heads = SIZES[size]
    shape: dict[str, Any] = dict(
        vocab_size=1000,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * width,
        max_position_embeddings=n_tokens + 2,
        attention_probs_dropout_prob=0.0,
        hidden_dropout_prob=0.0,
    )
    if engine == "longformer":
        return LongformerModel(LongformerConfig(**shape, attention_window=2 * WINDOW), add_pooling_layer=False)
    if engine == "big_bird":
        return BigBirdModel(BigBirdConfig(**shape, attention_type="block_sparse"), add_pooling_layer=False)
    model = BertModel(BertConfig(**shape), add_pooling_layer=False)
    if engine in ("blocked", "flex"):
        sparsify(model, SparsePattern(window=WINDOW, global_tokens=(0,)), backend=engine)
    return model


def call(engine: str, model: nn.Module, ids: Tensor) -> Tensor:
    """States ``(1, T, D)`` of the row ``ids``, int64 ``(1, T)``; ``(T / 512, 512, D)`` for windows."""
    if engine == "longformer":
        first = torch.zeros_like(ids)
        first[:, 0] = 1
        return model(ids, global_attention_mask=first).last_hidden_state
    if engine == "windows":
        ids = ids.view(-1, min(512, ids.shape[1]))
        return torch.cat([model(part).last_hidden_state for part in ids.split(4)])
    return model(ids).last_hidden_state


def step(engine: str, model: nn.Module, ids: Tensor, training: bool) -> None:
    """A forward pass, or a forward and a backward pass."""
    with torch.inference_mode(not training):
        states = call(engine, model, ids)
    if training:
        states.float().square().mean().backward()
        model.zero_grad(set_to_none=True)


def measure(engine: str, size: str, n_tokens: int, training: bool, device: str, precision: str) -> Measured:
    """Seconds of the fastest step, and peak memory above the model in megabytes."""
    torch.manual_seed(0)
    model = build(engine, size, n_tokens).to(device, getattr(torch, precision)).train(training)
    ids = torch.randint(5, 1000, (1, n_tokens), device=device)
    on_gpu = device == "cuda"
    step(engine, model, ids if on_gpu else ids[:, :1024], training)
    seconds: list[float] = []
    with peak_memory(torch.device(device)) as peak:
        while len(seconds) < 2 or (sum(seconds) < 4 and len(seconds) < 10):
            started_at = time.perf_counter()
            step(engine, model, ids, training)
            if on_gpu:
                torch.cuda.synchronize()
            seconds.append(time.perf_counter() - started_at)
            if sum(seconds) > 60:
                break
    whole = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": min(seconds), **peak, "whole_megabytes": whole}


# ------------------------------------------------------------------------------------------------------ all of them


def in_a_process(arguments: argparse.Namespace, engine: str, n_tokens: int, training: bool) -> Measured:
    """One measurement in a subprocess; if it failed, ``failed`` is the reason."""
    command = [sys.executable, __file__, "--one", engine, str(n_tokens), str(int(training))]
    command += ["--size", arguments.size, "--device", arguments.device, "--precision", arguments.precision]
    n_bytes = int(arguments.gigabytes * 2**30)

    def limit_memory() -> None:
        if arguments.device == "cpu":
            resource.setrlimit(resource.RLIMIT_DATA, (n_bytes, n_bytes))

    try:
        result = subprocess.run(
            command, capture_output=True, text=True, timeout=arguments.seconds, preexec_fn=limit_memory, check=False
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"over {arguments.seconds} s"}
    if result.returncode:
        out_of_memory = any(words in result.stderr for words in ("allocate", "out of memory", "MemoryError"))
        limit = f"over {arguments.gigabytes:g} GB" if arguments.device == "cpu" else "out of memory"
        reason = limit if out_of_memory or result.returncode < 0 else "error"
        return {"failed": reason, "detail": result.stderr.strip().splitlines()[-1:]}
    found: Measured = json.loads(result.stdout.splitlines()[-1])
    return found


def run(arguments: argparse.Namespace) -> list[Measured]:
    """All measurements, all engines of a length in a row, so that a busy machine slows all of them."""
    found: list[Measured] = []
    given_up: set[tuple[str, bool]] = set()
    for n_tokens in arguments.tokens:
        for training in [False, True] if arguments.training else [False]:
            for engine in arguments.engines:
                if (engine, training) in given_up or (training and n_tokens > arguments.longest_training):
                    continue
                one = in_a_process(arguments, engine, n_tokens, training)
                if "failed" in one:
                    given_up.add((engine, training))
                found.append({"engine": engine, "tokens": n_tokens, "training": training, **one})
                print(json.dumps(found[-1]), file=sys.stderr, flush=True)
    return found


def table(found: Sequence[Measured], size: str, device: str) -> list[list[object]]:
    """Rows of the Markdown table, with the speed relative to dense attention."""
    rows: list[list[object]] = []
    for one in found:
        job = "training step" if one["training"] else "forward"
        if "failed" in one:
            rows.append([job, f"{one['tokens']:,}", NAMES[one["engine"]], one["failed"], *[""] * 5])
            continue
        same = [o for o in found if (o["tokens"], o["training"]) == (one["tokens"], one["training"])]
        dense = next((o["seconds"] for o in same if o["engine"] == "dense" and "failed" not in o), math.nan)
        speed = f"{one['tokens'] / one['seconds']:,.0f}"
        ratio = "" if math.isnan(dense) else f"{dense / one['seconds']:.2f}"
        operations = teraflops(size, one["tokens"], keys_of(one["engine"], one["tokens"]), training=one["training"])
        numbers = [f"{one['seconds']:.3g}", speed, ratio, *speed_cells(operations, one["seconds"], device)]
        rows.append([job, f"{one['tokens']:,}", NAMES[one["engine"]], *numbers, f"{one['megabytes']:,.0f}"])
    return rows


def draw(found: Sequence[Measured], target: Path) -> None:
    """Plots seconds and memory by length, on logarithmic axes."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    colours = dict(zip(ENGINES, ("#7f7f7f", "#d95f02", "#7570b3", "#a6a6a6", "#1b9e77", "#0b5d45"), strict=True))
    jobs = sorted({one["training"] for one in found})
    figure, axes = pyplot.subplots(2, len(jobs), figsize=(5.2 * len(jobs), 7.6), sharex=True, squeeze=False)
    for column, training in enumerate(jobs):
        for row, (field, label) in enumerate((("seconds", "seconds"), ("megabytes", "MB above the model"))):
            axis = axes[row][column]
            for engine in ENGINES:
                points = [o for o in found if (o["engine"], o["training"]) == (engine, training) and "failed" not in o]
                if points:
                    style = "--" if engine == "windows" else "-"
                    axis.plot(
                        [o["tokens"] for o in points],
                        [max(o[field], 1e-3) for o in points],
                        style,
                        marker="o",
                        markersize=4,
                        color=colours[engine],
                        label=NAMES[engine],
                    )
            axis.set(xscale="log", yscale="log", ylabel=label)
            axis.set_xscale("log", base=2)
            axis.grid(True, which="major", alpha=0.3)
            axis.spines[["top", "right"]].set_visible(False)
        axes[0][column].set_title("training step" if training else "forward pass")
        axes[-1][column].set_xlabel("tokens in the row")
        ticks = sorted({o["tokens"] for o in found})
        axes[-1][column].set_xticks(ticks, [f"{t // 1024}k" if t >= 1024 else str(t) for t in ticks])
    axes[0][0].legend(frameon=False, fontsize=9)
    figure.tight_layout()
    figure.savefig(target, dpi=130)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, nargs="+", default=[2**n for n in range(9, 17)])
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--size", choices=list(SIZES), default="small")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--precision", default="float32", choices=["float32", "bfloat16"])
    parser.add_argument("--training", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument("--longest-training", type=int, default=16384)
    parser.add_argument("--seconds", type=float, default=600, help="give up on an engine that takes longer")
    parser.add_argument("--gigabytes", type=float, default=20, help="give up on an engine that takes more, on a CPU")
    parser.add_argument("--name", default="sparse", help="name of the files in benchmarks/results")
    parser.add_argument("--one", nargs=3, metavar=("ENGINE", "TOKENS", "TRAINING"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        engine, n_tokens, training = arguments.one
        options = (arguments.size, int(n_tokens), training == "1", arguments.device, arguments.precision)
        print(json.dumps(measure(engine, *options)))
        return
    if arguments.device == "cpu":
        arguments.engines = [engine for engine in arguments.engines if engine != "flex"]
    found = run(arguments)
    RESULTS.mkdir(exist_ok=True)
    record = {"provenance": provenance(), "size": SIZES[arguments.size], "measurements": found}
    (RESULTS / f"{arguments.name}.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    draw(found, RESULTS / f"{arguments.name}.png")
    header = ["job", "tokens", "engine", "seconds", "tokens/s", "times dense", *SPEEDS, "MB above the model"]
    notes = f"![seconds and memory by length]({arguments.name}.png)\n\n{' '.join((__doc__ or '').split())}"
    write_table(
        arguments.name,
        "Sparse attention: time and memory by length",
        header,
        table(found, arguments.size, arguments.device),
        notes,
    )


if __name__ == "__main__":
    main()
