"""Writes what ``longdoc.sentences`` knows of English from the installed spaCy: its patterns, exceptions and full stops.

Run it when spaCy's rules have changed; ``tests/test_sentences.py`` says whether they have.
"""

import json
from importlib import metadata
from pathlib import Path
from typing import Any

import spacy
from spacy.attrs import ORTH

from longdoc.sentences import RULES_FILE

PATTERNS = {"prefix": "prefix_search", "suffix": "suffix_search", "infix": "infix_finditer", "url": "url_match"}


def rules() -> dict[str, Any]:
    nlp = spacy.blank("en")
    tokenizer: Any = nlp.tokenizer
    words = [[part[ORTH] for part in parts] for parts in tokenizer.rules.values()]
    return {
        **{name: getattr(tokenizer, method).__self__.pattern for name, method in PATTERNS.items()},
        "closers": sorted(nlp.add_pipe("sentencizer").punct_chars),  # type: ignore[attr-defined]
        "whole": sorted(parts[0] for parts in words if len(parts) == 1),
        "divided": sorted(parts for parts in words if len(parts) > 1),
    }


def main() -> None:
    lines = [f"{json.dumps(name)}: {json.dumps(value, ensure_ascii=False)}" for name, value in rules().items()]
    RULES_FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
    licence = next(file for file in metadata.files("spacy") or () if Path(file).name == "LICENSE")
    (RULES_FILE.parent / "LICENSE").write_text(licence.read_text(encoding="utf-8"), encoding="utf-8")


if __name__ == "__main__":
    main()
