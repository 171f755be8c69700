"""Which labels ``longdoc redact`` can remove, and what finds each: heads of the model, rules, the preset's patterns."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterator, Mapping
from itertools import chain
from typing import Any

from longdoc.errors import ConfigError, did_you_mean

PATTERNS = "deidentify"
"""What finds the labels of the preset by its patterns."""


def finders(heads: Mapping[str, Any], rules: Collection[str]) -> dict[str, tuple[str, ...]]:
    """What finds labels, and the labels of each: heads of a model by name, ``rules`` and :data:`PATTERNS`.

    Args:
        heads: the configurations of the heads.
        rules: the labels of the rules.
    """
    from longdoc.deidentification.preset import load_preset

    known = {name: tuple(head.labels) for name, head in heads.items() if head.kind in ("ner", "spans")}
    if rules:
        known["rules"] = tuple(rules)
    return {**known, PATTERNS: tuple(dict.fromkeys(["PHONE", *(each.label for each in load_preset().patterns)]))}


def known_finders(arguments: argparse.Namespace) -> dict[str, tuple[str, ...]] | None:
    """The finders of the model that the arguments choose, which is not loaded; None if only loading it tells."""
    from longdoc.model_config import known_heads
    from longdoc.rules import Rules

    if (heads := known_heads(arguments.model)) is None:
        return None
    return finders(heads, Rules.of(["default", *(arguments.rules or ())]).labels)


def check(labels: Collection[str], known: Mapping[str, Collection[str]]) -> None:
    """Refuses labels that nothing finds.

    Raises:
        ConfigError: there is one.
    """
    every = list(dict.fromkeys(chain.from_iterable(known.values())))
    if unknown := sorted(set(labels) - set(every)):
        raise ConfigError(
            f"--labels: unknown {', '.join(unknown)}{did_you_mean(unknown[0], every)}; `longdoc redact --list-labels` "
            f"prints the {len(every)} that the model, the rules and the preset know"
        )


def lines(known: Mapping[str, Collection[str]]) -> Iterator[str]:
    """What finds which labels, in words."""
    for name, labels in known.items():
        what = {"rules": "rules", PATTERNS: "patterns of the preset"}.get(name, f"head {name}")
        yield f"{what}: {', '.join(labels)}"
