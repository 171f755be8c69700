import gc
import os
from collections.abc import Generator
from pathlib import Path

# Before the libraries are imported; the processes that tests start inherit it.
os.environ["HF_HUB_OFFLINE"] = "1"  # no test downloads a checkpoint
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"  # one worker per core is faster
os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["LONGDOC_DATA"] = str(Path(__file__).parent / "data")

import json

import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel

from longdoc.heads import ClassifyConfig, EmbedConfig, FillConfig, NerConfig, NliConfig, QaConfig
from longdoc.model import Model
from longdoc.model_config import ModelConfig
from longdoc.pipeline import Pipeline
from longdoc.windows import WindowConfig


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Modules with slow tests first, and pages of the documentation, so that no worker has a long one left at the end.

    Whole modules: what the tests of one share is made again if tests of another run between them.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow") or item.path.suffix == ".md"}
    items.sort(key=lambda item: item.path not in slow)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collects no garbage meanwhile, nor later what is imported by then: it stays, and to walk all of it takes long."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


CORPUS = [
    "This Agreement is made on June 21, 1999 by and between Acme Incorporated and Zenith LLC (the Distributor).",
    "The patient was given aspirin and developed severe nausea; famotidine reversed the antihypertensive effect.",
    "0123456789 abcdefghijklmnopqrstuvwxyz . , ; : ! ? ( ) - ' \" / % $ & * + = < > [ ]",
]


SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
PIECES = """
an th and the be by as ab ac ag dis ef fa deve 01 21 199
##en ##ed ##ve ##ti ##or ##de ##re ##ri ##rs ##ne ##is ##op ##eve ##ent ##99
"""


def make_tokenizer() -> Tokenizer:
    """A WordPiece tokenizer in BERT's format, with a fixed vocabulary: a trained one differs between processes."""
    letters = sorted(set("".join(CORPUS).lower().replace(" ", "")))
    inside = [f"##{letter}" for letter in letters if letter.isalnum()]
    pieces = [*SPECIAL, *letters, *inside, *PIECES.split()]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return tokenizer


def make_model(spread: float = 0.5, **windows) -> Model:
    """Two layers of width 16, 64 positions, two heads; weights from a wide distribution, so that scores differ."""
    torch.manual_seed(0)
    encoder = BertConfig(
        vocab_size=300,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        initializer_range=spread,
    )
    heads = {
        "contract": NerConfig(labels=("PARTY", "DOCUMENT_NAME", "AGREEMENT_DATE")),
        "biomedical": NerConfig(labels=("CHEMICAL", "DISEASE")),
    }
    settings = WindowConfig(**{"size": 32, "overlap": 8, **windows})
    model = Model(
        BertModel(encoder, add_pooling_layer=False), make_tokenizer(), ModelConfig(heads=heads, windows=settings)
    )
    return model.eval()


def make_asking_model() -> Model:
    """The same encoder with one head of every kind except entities."""
    windows = WindowConfig(size=48, overlap=8)
    plain = make_model()
    heads = {
        "qa": QaConfig(windows=windows, max_answer_tokens=12),
        "nli": NliConfig(windows=windows),
        "kind": ClassifyConfig(labels=("lease", "licence", "loan"), pooling="attention", over="tokens"),
        "clause": ClassifyConfig(labels=("fees", "term"), unit="section", multi_label=True),
        "embed": EmbedConfig(),
        "fill": FillConfig(),
    }
    config = ModelConfig(heads=heads, windows=WindowConfig(size=32, overlap=8))
    return Model(plain.encoder.backbone, plain.tokenizer, config).eval()


@pytest.fixture(autouse=True)
def _same_random_numbers():
    """The same random numbers in every test, regardless of the tests before it."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return make_tokenizer()


@pytest.fixture(scope="session")
def model() -> Model:
    return make_model()


@pytest.fixture(scope="session")
def pipeline(model) -> Pipeline:
    return Pipeline(model, device=torch.device("cpu"), precision="float32")


PARTIES = ["Acme Incorporated", "Zenith LLC"]


def annotated(repeat=1):
    text = " ".join([CORPUS[0]] * repeat)
    spans = []
    for name in PARTIES:
        start = text.find(name)
        while start >= 0:
            spans.append({"start": start, "end": start + len(name), "text": name, "label": "party"})
            start = text.find(name, start + 1)
    return {"text": text, "entities": spans}


def write_corpus(folder):
    """Writes one file of contracts, and a base encoder in the format of transformers."""
    lines = [json.dumps(annotated(repeat)) for repeat in (1, 2, 3, 4) * 8]
    (folder / "contracts.jsonl").write_text("\n".join(lines) + "\n")
    model = make_model(spread=0.02)  # saturated attention would not learn
    model.encoder.backbone.save_pretrained(folder / "base")
    model.tokenizer.save(str(folder / "base" / "tokenizer.json"))


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """A folder of labelled data, to which ``LONGDOC_DATA`` points."""
    monkeypatch.setenv("LONGDOC_DATA", str(tmp_path))
    write_corpus(tmp_path)
    return tmp_path
