"""Pairs → clusters: around a usual wording, what differs from it.

A chain of pairs, A like B like C, is no cluster in which A need be like C. So a cluster is a text, the usual wording,
with the texts that make a pair with it. The usual wording is the text that most others are like. What makes pairs only
with texts of clusters joins the cluster of the one that it is most like, and counts as joined by way of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Star:
    """A usual wording and the texts around it; all of them are numbers of texts."""

    centre: int
    direct: tuple[int, ...]
    """Those that make a pair with it."""
    by_way: tuple[int, ...]
    """Those that make a pair with one of these only."""


def stars(copies: Sequence[int], pairs: Sequence[tuple[int, int]], similarities: Sequence[float]) -> list[Star]:
    """The clusters of texts: each text that makes a pair, or has copies, is in one of them.

    Args:
        copies: how often each text occurs, at least 1.
        pairs: of different texts, each pair once.
        similarities: of each pair, 0..1.
    """
    near: list[dict[int, float]] = [{} for _ in copies]
    for (one, other), similarity in zip(pairs, similarities, strict=True):
        near[one][other] = near[other][one] = similarity
    mass = [n - 1 + sum(copies[other] * each for other, each in near[i].items()) for i, n in enumerate(copies)]
    home: dict[int, int] = {}
    waiting = []
    for text in sorted((i for i, n in enumerate(copies) if near[i] or n > 1), key=lambda i: (-mass[i], i)):
        free = [other for other in near[text] if other not in home]
        if text in home:
            continue
        if free or copies[text] > 1:
            home |= dict.fromkeys([text, *free], text)
        else:
            waiting.append(text)
    joined: dict[int, list[int]] = {}
    for text in waiting:
        nearest = max(near[text], key=lambda other: (near[text][other], -other))
        joined.setdefault(home[nearest], []).append(text)
    direct: dict[int, list[int]] = {}
    for text, centre in sorted(home.items()):
        direct.setdefault(centre, []).append(text)
    return [
        Star(centre, tuple(text for text in own if text != centre), tuple(sorted(joined.get(centre, ()))))
        for centre, own in direct.items()
    ]
