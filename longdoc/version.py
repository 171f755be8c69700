"""The version of longdoc."""

__version__ = "0.1.0"
