"""The files of a model, which are data: each is checked before anything is built from it.

A folder or a repository of the hub chooses numbers and weights. It does not choose code, files elsewhere, downloads,
or how longdoc computes: ``files`` reads JSON and finds files, ``configs`` keeps the settings of an architecture,
``weights`` compares its sizes with the stored weights before memory is allocated, ``tokenizers`` refuses
tokenizers that could hang, grow without bound or crash, and ``segments`` has them number what the encoder is given.
``repository`` fetches files from the hub, for which it imports huggingface_hub.
``weights`` imports torch, and ``tokenizers`` and ``segments`` the library of that name; they are not imported here.
"""

from longdoc.model_files.configs import checked_settings, encoder_config
from longdoc.model_files.files import DEFAULT_MODEL, file_in, is_folder, read_json, read_object
from longdoc.model_files.foreign import FOREIGN_FILES, in_folder, in_place_of_weights

__all__ = [
    "DEFAULT_MODEL",
    "FOREIGN_FILES",
    "checked_settings",
    "encoder_config",
    "file_in",
    "in_folder",
    "in_place_of_weights",
    "is_folder",
    "read_json",
    "read_object",
]
