"""One record a document: what a paper or a note says, cell by cell, each with its place and what gave it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from longdoc.records.note import Note, note_record
from longdoc.records.paper import Paper, paper_record

__all__ = ["RECORDS", "Note", "Paper", "note_record", "paper_record"]

RECORDS: Mapping[str, Callable[..., Any]] = MappingProxyType({"paper": paper_record, "note": note_record})
"""Kind of document -> the function that makes its record."""
