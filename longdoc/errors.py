"""The errors a caller may want to catch. Each says what was given, what is allowed and what to do."""


class LongdocError(Exception):
    """Root of every error longdoc raises on purpose."""


class DocumentError(LongdocError):
    """A document could not be read. In a batch it becomes that document's status; alone it is raised."""


class DocumentNotFoundError(DocumentError, FileNotFoundError):
    """The path does not exist, is a folder, or may not be read."""


class UnsupportedFormatError(DocumentError):
    """The content is of a kind no loader reads."""


class EncryptedDocumentError(DocumentError):
    """The document needs a password, or another one than was given."""


class CorruptDocumentError(DocumentError):
    """The content claims a format and breaks its rules beyond repair."""


class NoTextLayerError(DocumentError):
    """The document has pages and none of them carries text (scanned pages, drawings)."""


class LimitExceededError(DocumentError):
    """The document asks more of the machine than the limits allow: size, pages, nesting, unpacked bytes, pixels."""


class TruncationError(LongdocError):
    """The model could not see the whole document, and the caller did not allow that."""


class ConfigError(LongdocError, ValueError):
    """A configuration, schema or model folder has an unknown key, a wrong type or a value out of range."""


class DataError(LongdocError, ValueError):
    """A training or evaluation record is malformed; the message names the file and the line."""


class MissingDependencyError(LongdocError, ImportError):
    """A library that is not installed is needed; the message names the extra that brings it."""


class TrainingError(LongdocError):
    """Training stopped: the loss is no number, or a checkpoint could not be written."""
