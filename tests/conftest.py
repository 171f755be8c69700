import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import BertConfig, BertModel

from longdoc.model import HeadConfig, Model, ModelConfig, WindowConfig
from longdoc.pipeline import Pipeline

torch.set_num_threads(1)  # the models are tiny

CORPUS = [
    "This Agreement is made on June 21, 1999 by and between Acme Incorporated and Zenith LLC (the Distributor).",
    "The patient was given aspirin and developed severe nausea; famotidine reversed the antihypertensive effect.",
    "0123456789 abcdefghijklmnopqrstuvwxyz . , ; : ! ? ( ) - ' \" / % $ & * + = < > [ ]",
]


def make_tokenizer() -> Tokenizer:
    """A WordPiece tokenizer in BERT's form, trained on three sentences."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(CORPUS, trainers.WordPieceTrainer(vocab_size=130, special_tokens=special))
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return tokenizer


def make_model(**windows) -> Model:
    """Two layers of width 16 with random weights, 64 positions, two heads."""
    torch.manual_seed(0)
    encoder = BertConfig(
        vocab_size=300,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
        initializer_range=0.5,
    )
    heads = {
        "contract": HeadConfig(labels=("PARTY", "DOCUMENT_NAME", "AGREEMENT_DATE")),
        "biomedical": HeadConfig(labels=("CHEMICAL", "DISEASE")),
    }
    settings = WindowConfig(**{"size": 32, "overlap": 8, **windows})
    model = Model(
        BertModel(encoder, add_pooling_layer=False), make_tokenizer(), ModelConfig(heads=heads, windows=settings)
    )
    return model.eval()


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return make_tokenizer()


@pytest.fixture(scope="session")
def model() -> Model:
    return make_model()


@pytest.fixture(scope="session")
def pipeline(model) -> Pipeline:
    return Pipeline(model, device=torch.device("cpu"), dtype=torch.float32)
