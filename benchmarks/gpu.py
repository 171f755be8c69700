"""Encoders on a GPU: speed, share of its peak, the longest document, and how busy `longdoc extract` keeps it.

Weights and tokens are random. ``small`` has the size of the default model, ``base`` that of BERT-base. A batch has
65,536 tokens: windows of 512, windows of 32 to 512 (sorted by length, as the library has them), or rows of 16,384 with
sparse attention to 256 tokens to each side and a global one. Tokens are real ones, without padding. ``transformers`` is
its BERT or Longformer with weights in bfloat16; ``padded`` is what longdoc computes for architectures other than BERT,
in training, and on GPUs without FlashAttention. A training step is a forward and a backward pass. TFLOP/s are those of
matrix products and of pairs of tokens that the pattern has; their share is of the GPU's bfloat16 peak. Each measurement
runs in a process of its own. The longest document is the last of a doubling length that fits into memory, as one row,
with gradients in training. Busy is the mean of what nvidia-smi tells, from the first sample above 0 to the last.

``--device cpu --tokens 512 --longest 2048 --seconds 0.2`` shows on a CPU that it runs, and writes nothing.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from _flops import speed_cells, teraflops
from _table import table, write_table
from sparse import SPEEDS, build, call, keys_of
from torch import Tensor, nn

from longdoc.encoders import Encoder
from longdoc.model import Model
from longdoc.model_files import DEFAULT_MODEL
from longdoc.packed import attend_each, can_unpad, pack_for_gpu

LENGTH, ROW = 512, 16384
FORWARD = ("transformers", "transformers, compiled", "padded", "unpadded", "unpadded, compiled")
TRAINING = ("padded", "padded, compiled")
SPARSE = ("longformer", "blocked", "flex", "flex, compiled")
HEADER = ("job", "size", "input", "engine", "seconds", "tokens/s", *SPEEDS)


@dataclass(frozen=True)
class Job:
    """One measurement."""

    input: str
    """``windows``, ``mixed`` or ``sparse``; ``longest`` for the longest document."""
    engine: str
    size: str
    training: bool


def jobs(device: str) -> Iterator[Job]:
    """All measurements."""
    sparse = [engine for engine in SPARSE if device != "cpu" or "flex" not in engine]
    for size in ("small", "base"):
        for training in (False, True):
            engines = TRAINING if training else FORWARD
            yield from (Job(name, engine, size, training) for name in ("windows", "mixed") for engine in engines)
            yield from (Job("sparse", engine, size, training) for engine in sparse)
            yield Job("longest", "blocked" if device == "cpu" else "flex", size, training)


# ------------------------------------------------------------------------------------------------- one measurement


def seconds_of(step: Callable[[], object], device: str, at_least: float) -> float:
    """Seconds of a step, when one follows the other: several are begun, and waited for at the end."""
    wait = torch.cuda.synchronize if device.startswith("cuda") else lambda: None
    for _ in range(3):
        step()
    wait()
    count = 1
    while True:
        started = time.perf_counter()
        for _ in range(count):
            step()
        wait()
        seconds = time.perf_counter() - started
        if seconds >= at_least:
            return seconds / count
        count *= 2


def step_of(forward: Callable[[], Tensor], model: nn.Module, training: bool, autocast: torch.autocast) -> Any:
    """A function that computes a pass."""

    def step() -> None:
        with torch.inference_mode(not training), autocast:
            states = forward()
        if training:
            states.float().square().mean().backward()
            model.zero_grad(set_to_none=True)

    return step


def autocast_to(dtype: torch.dtype, device: str, *, enabled: bool) -> torch.autocast:
    return torch.autocast(device.partition(":")[0], dtype=dtype, enabled=enabled and dtype != torch.float32)


def measure_windows(job: Job, arguments: argparse.Namespace) -> dict[str, float]:
    """A batch of windows."""
    engine, _, compiled = job.engine.partition(", ")
    device, dtype = arguments.device, getattr(torch, arguments.precision)
    lengths = lengths_of(job.input, arguments.tokens)
    ids = torch.randint(5, 1000, (len(lengths), max(lengths)))
    mask = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
    inputs = {"input_ids": ids.to(device), "attention_mask": mask.to(device)}
    if job.input == "windows":
        del inputs["attention_mask"]
    bert: Any = build("dense", job.size, LENGTH).to(device).train(job.training)
    if engine == "transformers":
        bert = bert.to(dtype)
        model: nn.Module = torch.compile(bert) if compiled else bert
        forward = lambda: model(**inputs).last_hidden_state  # noqa: E731
    else:
        encoder = Encoder(bert, Model.from_pretrained(DEFAULT_MODEL).encoder.template)
        if engine == "unpadded":
            at_once = can_unpad(torch.device(device), dtype)
            encoder = pack_for_gpu(encoder, dtype, None if at_once else attend_each)
        model, further = encoder, {"lengths": lengths} if engine == "unpadded" else {}
        for layer in (encoder.backbone.layers if engine == "unpadded" else bert.encoder.layer) if compiled else ():
            layer.compile(dynamic=True)
        forward = lambda: encoder(**inputs, **further)  # noqa: E731
    autocast = autocast_to(dtype, device, enabled=job.training or engine != "transformers")
    seconds = seconds_of(step_of(forward, model, job.training, autocast), device, arguments.seconds)
    n_tokens = sum(lengths)
    keys = sum(length**2 for length in lengths) / n_tokens
    operations = teraflops(job.size, n_tokens, keys, training=job.training)
    return {"seconds": seconds, "tokens": n_tokens, "operations": operations}


def lengths_of(name: str, n_tokens: int) -> list[int]:
    """Lengths of windows of so many tokens in all, or a little fewer."""
    if name == "windows":
        return [LENGTH] * max(n_tokens // LENGTH, 1)
    drawn = torch.randint(32, LENGTH + 1, (n_tokens // 32 + 1,), generator=torch.Generator().manual_seed(0))
    return sorted(drawn[drawn.cumsum(0) <= max(n_tokens, LENGTH)].tolist(), reverse=True)


def measure_sparse(job: Job, arguments: argparse.Namespace) -> dict[str, float]:
    """Rows of 16,384 tokens, or of fewer if the batch has fewer."""
    engine, _, compiled = job.engine.partition(", ")
    device, dtype, length = arguments.device, getattr(torch, arguments.precision), min(ROW, arguments.tokens)
    model = build(engine, job.size, length).to(device).train(job.training)
    model = model if job.training else model.to(dtype)
    ids = torch.randint(5, 1000, (arguments.tokens // length, length), device=device)
    computing: Any = torch.compile(model) if compiled else model
    autocast = autocast_to(dtype, device, enabled=job.training)
    step = step_of(lambda: call(engine, computing, ids), model, job.training, autocast)
    seconds, n_tokens = seconds_of(step, device, arguments.seconds), ids.numel()
    operations = teraflops(job.size, n_tokens, keys_of(engine, length), training=job.training)
    return {"seconds": seconds, "tokens": n_tokens, "operations": operations}


def measure_longest(job: Job, arguments: argparse.Namespace) -> dict[str, float]:
    """The longest row that fits; positions are repeated every 512, as the library does."""
    device, dtype = arguments.device, getattr(torch, arguments.precision)
    model: Any = build(job.engine, job.size, LENGTH).to(device).train(job.training)
    model = model if job.training else model.to(dtype)
    autocast = autocast_to(dtype, device, enabled=job.training)
    fits, n_tokens = 0, 2 * LENGTH
    while n_tokens <= arguments.longest:
        ids = torch.randint(5, 1000, (1, n_tokens), device=device)
        places = torch.arange(n_tokens, device=device)[None] % LENGTH
        step = step_of(lambda: model(ids, position_ids=places).last_hidden_state, model, job.training, autocast)  # noqa: B023
        try:
            step()
            if device.startswith("cuda"):
                torch.cuda.synchronize()
        except torch.OutOfMemoryError:
            break
        fits, n_tokens = n_tokens, 2 * n_tokens
    return {"tokens": fits}


MEASURES = {"windows": measure_windows, "mixed": measure_windows, "sparse": measure_sparse, "longest": measure_longest}


# ------------------------------------------------------------------------------------------------------ all of them


def in_a_process(job: Job, arguments: argparse.Namespace) -> dict[str, Any]:
    """One measurement in a subprocess; if it failed, ``failed`` is the reason."""
    command = [sys.executable, __file__, "--one", json.dumps(asdict(job))]
    for name in ("device", "precision", "tokens", "longest", "seconds"):
        command += [f"--{name}", str(getattr(arguments, name))]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=arguments.limit, check=False)
    except subprocess.TimeoutExpired:
        return {"failed": f"over {arguments.limit:g} s"}
    if result.returncode:
        reason = "out of memory" if "out of memory" in result.stderr else "error"
        print(result.stderr[-2000:], file=sys.stderr)
        return {"failed": reason}
    found: dict[str, Any] = json.loads(result.stdout.splitlines()[-1])
    return found


def row(job: Job, found: dict[str, Any], arguments: argparse.Namespace) -> list[object]:
    names = {
        "windows": f"windows of {LENGTH}",
        "mixed": f"windows of 32 to {LENGTH}",
        "sparse": f"rows of {min(ROW, arguments.tokens):,}",
    }
    engine = f"{'transformers ' if job.engine == 'longformer' else ''}{job.engine}"
    cells = ["training step" if job.training else "forward", job.size, names.get(job.input, "longest document"), engine]
    if "failed" in found:
        return [*cells, found["failed"], "", "", ""]
    if job.input == "longest":
        return [*cells, f"{found['tokens']:,} tokens", "", "", ""]
    speed = f"{found['tokens'] / found['seconds']:,.0f}"
    return [
        *cells,
        f"{found['seconds']:.3g}",
        speed,
        *speed_cells(found["operations"], found["seconds"], arguments.device),
    ]


def busy(paths: list[str]) -> str:
    """How busy a GPU is while documents are extracted, as a sentence, which may be why it is not known."""
    names = ", ".join(Path(path).name for path in paths)
    query = ["nvidia-smi", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "--id=0"]
    samples: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "longdoc", "extract", *paths, "-o", f"{folder}/out/", "--quiet"]
        started = time.perf_counter()
        with subprocess.Popen([*command, "--format", "jsonl", "--device", "cuda:0"]) as process:
            while process.poll() is None:
                try:
                    samples.append(float(subprocess.run(query, capture_output=True, text=True, check=True).stdout))
                except (OSError, subprocess.CalledProcessError, ValueError) as error:
                    process.kill()
                    return f"How busy the GPU is in `longdoc extract` of {names} is not known: nvidia-smi: {error}."
                time.sleep(0.1)
        seconds = time.perf_counter() - started
    if process.returncode:
        sys.exit(f"`longdoc extract` of {names} failed with exit status {process.returncode}")
    working = [number for number, sample in enumerate(samples) if sample]
    share = sum(samples[working[0] : working[-1] + 1]) / (working[-1] + 1 - working[0]) if working else 0.0
    return f"`longdoc extract` of {names}: the GPU is busy {share:.0f} % of the time; {seconds:.0f} s with its start."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    on_gpu = torch.cuda.is_available()
    parser.add_argument("--device", default="cuda" if on_gpu else "cpu", choices=["cuda", "cpu"])
    parser.add_argument("--precision", choices=["float32", "bfloat16"], help="default: bfloat16 on a GPU")
    parser.add_argument("--tokens", type=int, default=2**16, help="in a batch")
    parser.add_argument("--longest", type=int, default=2**24, help="tokens of the longest document to try")
    parser.add_argument("--seconds", type=float, default=2.0, help="that a measurement takes at least")
    parser.add_argument("--limit", type=float, default=600, help="seconds after which one is given up")
    parser.add_argument("--sizes", nargs="+", default=["small", "base"])
    parser.add_argument("--inputs", nargs="+", choices=list(MEASURES), default=list(MEASURES))
    parser.add_argument("--documents", nargs="*", help="to extract from, for how busy it is; default: the examples")
    parser.add_argument("--one", type=lambda text: Job(**json.loads(text)), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    arguments.precision = arguments.precision or ("float32" if arguments.device == "cpu" else "bfloat16")
    if arguments.one:
        torch.manual_seed(0)
        print(json.dumps(MEASURES[arguments.one.input](arguments.one, arguments)))
        return
    rows = []
    for job in jobs(arguments.device):
        if job.size in arguments.sizes and job.input in arguments.inputs:
            rows.append(row(job, in_a_process(job, arguments), arguments))
            print(*rows[-1], sep=" | ", file=sys.stderr, flush=True)
    notes, title = " ".join((__doc__ or "").split()), "Encoders on a GPU"
    if arguments.device == "cpu":
        print(table(f"{title}: on a CPU, to see that it runs", HEADER, rows, notes))
        return
    documents = arguments.documents
    if documents is None:
        documents = [str(Path(__file__).parents[1] / "examples")]
    write_table("gpu", title, HEADER, rows, notes)
    if documents:
        write_table("gpu", title, HEADER, rows, f"{busy(documents)}\n\n{notes}")


if __name__ == "__main__":
    main()
