"""The files of a model, which are data: each is checked before anything is built from it.

A folder or a repository of the hub chooses numbers and weights. It does not choose code, files elsewhere, downloads,
or how longdoc computes: ``files`` reads JSON and finds files, ``configs`` keeps the settings of an architecture,
``weights`` compares its sizes with the stored weights before memory is allocated, and ``tokenizers`` refuses
tokenizers that could hang, grow without bound or crash.
"""

from longdoc.model_files.configs import checked_settings, encoder_config
from longdoc.model_files.files import file_in, read_json, read_object
from longdoc.model_files.foreign import FOREIGN_FILES, in_folder, in_place_of_weights
from longdoc.model_files.tokenizers import TOKENIZER_FILES, VOCABULARIES, check_tokens, read_tokenizer, tokenizer_copy
from longdoc.model_files.weights import check_numbers, check_size, misfit, misfits, part_names, stored_shapes

__all__ = [
    "FOREIGN_FILES",
    "TOKENIZER_FILES",
    "VOCABULARIES",
    "check_numbers",
    "check_size",
    "check_tokens",
    "checked_settings",
    "encoder_config",
    "file_in",
    "in_folder",
    "in_place_of_weights",
    "misfit",
    "misfits",
    "part_names",
    "read_json",
    "read_object",
    "read_tokenizer",
    "stored_shapes",
    "tokenizer_copy",
]
