"""Annotated documents: readers of corpora and annotation formats, and checks of what they read.

:mod:`longdoc.datasets.readers` has the table of readers. A reader yields :class:`Example` objects whose spans were
checked against their text; :func:`from_datasets` converts a data set of the ``datasets`` library and
:func:`from_records` records in memory, which :class:`MemoryConfig` makes a data set of a configuration.
:func:`check_overlaps` and :func:`misaligned` find the spans that a flat head cannot learn; :class:`Remarks` counts what
a reader does not read.
"""

from longdoc.datasets.brat import BratConfig, read_brat
from longdoc.datasets.checks import Misaligned, check_overlaps, misaligned, misaligned_in
from longdoc.datasets.classes import ClassesConfig, read_classes
from longdoc.datasets.config import ReaderConfig, data_root
from longdoc.datasets.conll import ConllConfig, read_conll
from longdoc.datasets.contract_nli import ContractNliConfig, read_contract_nli, read_contract_nli_questions
from longdoc.datasets.cuad import (
    Contract,
    CuadConfig,
    CuadQuestionsConfig,
    contract_clauses,
    contract_example,
    contract_questions,
    contract_type,
    cuad_part,
    is_party_name,
    party_names,
    read_cuad,
)
from longdoc.datasets.examples import Example, Question, first_wordings
from longdoc.datasets.hub import from_datasets
from longdoc.datasets.jsonl import JsonlConfig, read_jsonl
from longdoc.datasets.label_studio import LabelStudioConfig, read_label_studio
from longdoc.datasets.marks import read_contract_marks
from longdoc.datasets.memory import MemoryConfig, from_records
from longdoc.datasets.pubtator import PubtatorConfig, read_pubtator
from longdoc.datasets.readers import (
    READERS,
    AnnotationKind,
    DatasetConfig,
    Labelled,
    Reader,
    read_dataset,
    read_labelled,
    relabel,
    yields,
)
from longdoc.datasets.remarks import Remarks
from longdoc.datasets.spacy_docs import SpacyConfig, read_spacy
from longdoc.datasets.squad import SquadConfig, read_squad

__all__ = [
    "READERS",
    "AnnotationKind",
    "BratConfig",
    "ClassesConfig",
    "ConllConfig",
    "Contract",
    "ContractNliConfig",
    "CuadConfig",
    "CuadQuestionsConfig",
    "DatasetConfig",
    "Example",
    "JsonlConfig",
    "LabelStudioConfig",
    "MemoryConfig",
    "Labelled",
    "Misaligned",
    "PubtatorConfig",
    "Question",
    "Reader",
    "ReaderConfig",
    "Remarks",
    "SpacyConfig",
    "SquadConfig",
    "check_overlaps",
    "contract_clauses",
    "contract_example",
    "contract_questions",
    "contract_type",
    "cuad_part",
    "data_root",
    "first_wordings",
    "from_datasets",
    "from_records",
    "is_party_name",
    "misaligned",
    "misaligned_in",
    "party_names",
    "read_brat",
    "read_classes",
    "read_conll",
    "read_contract_marks",
    "read_contract_nli",
    "read_contract_nli_questions",
    "read_cuad",
    "read_dataset",
    "read_jsonl",
    "read_label_studio",
    "read_labelled",
    "read_pubtator",
    "read_spacy",
    "read_squad",
    "relabel",
    "yields",
]
