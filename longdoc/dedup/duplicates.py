"""Parts → pairs → clusters. The file of this package to read first.

    documents ──parts_of──▶ parts ──same words──▶ texts ──likely_pairs, close_pairs──▶ candidates
              ──alignment of words──▶ pairs ──stars──▶ clusters: a usual wording, and what differs from it

Candidates are cheap guesses; a pair is what the words themselves confirm.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import IOBase
from os import PathLike
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

import numpy as np

from longdoc.arguments import check_choice, check_count, check_score, check_type
from longdoc.dedup.candidates import likely_pairs
from longdoc.dedup.clusters import Star, stars
from longdoc.dedup.meaning import close_pairs
from longdoc.dedup.parts import Part, Unit, parts_of, words_of
from longdoc.errors import ConfigError, require
from longdoc.loaders import DocumentLike, as_document
from longdoc.summary import count

if TYPE_CHECKING:
    from longdoc.pipeline import Pipeline

logger = logging.getLogger(__name__)

MIN_SIMILARITY = 0.6
MIN_WORDS = 20
MIN_COSINE = 0.85

Method: TypeAlias = Literal["same words", "words", "meaning"]
Role: TypeAlias = Literal["usual", "same words", "words", "meaning", "by way"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two parts that are near-duplicates; ``first`` is the earlier one."""

    first: Part
    second: Part
    similarity: float
    """The share of the words of both that stand in both, in the same order, 0..1."""
    cosine: float | None
    """Of the vectors; None if they were not looked at."""
    method: Method
    """``"same words"``: all are the same; ``"words"``: enough of them; ``"meaning"``: the vectors are close alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A part of a cluster."""

    part: Part
    similarity: float
    """To the usual wording, as in `Pair`; that of a member that joined by way of another may be low."""
    role: Role
    """``"usual"`` for the usual wording; how it makes a pair with that, as in `Pair`; or ``"by way"``: it makes a pair
    with another member only."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Parts around a usual wording, which is the first member; the others follow by falling similarity."""

    members: tuple[Member, ...]

    @property
    def usual(self) -> Part:
        """The usual wording: the part that most others are like."""
        return self.members[0].part

    @property
    def n_documents(self) -> int:
        """In how many documents it occurs."""
        return len({member.part.document for member in self.members})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What counts as a near-duplicate."""

    unit: Unit = "section"
    """What is compared: whole documents, sections, or clauses, which are the paragraphs of sections."""
    min_similarity: float = MIN_SIMILARITY
    """The least similarity of a pair."""
    min_words: int = MIN_WORDS
    """Shorter parts are left out: "has the meaning given in Section 2" is like any other of its kind."""
    min_cosine: float = MIN_COSINE
    """The least cosine of a pair that says the same in other words."""

    def __post_init__(self) -> None:
        check_choice("unit", self.unit, get_args(Unit))
        check_count("min_words", self.min_words, 1)
        for name in ("min_similarity", "min_cosine"):
            check_score(name, getattr(self, name))
            if not getattr(self, name):
                raise ConfigError(f"{name} must be above 0 and at most 1, such as 0.6; got {getattr(self, name)!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates:
    """What was found, and in how much."""

    settings: Settings
    names: tuple[str, ...]
    """Of the documents, by their numbers: where each was read from."""
    clusters: tuple[Cluster, ...]
    """Those in most documents first."""
    pairs: tuple[Pair, ...]
    """Parts with the same words are compared with others once: only the first of them makes pairs with others."""
    n_parts: int
    """How many parts were compared."""
    n_short: int
    """How many were not, since they have fewer words than ``min_words``."""
    n_left_out: int
    """How many comparisons were left out at most, as in `longdoc.dedup.candidates.likely_pairs`."""

    def lines(self) -> list[str]:
        """What was found, in words."""
        unit, found = self.settings.unit, len(self.clusters)
        members = sum(len(cluster.members) for cluster in self.clusters)
        told = [
            f"{count(self.n_parts, unit)} of {count(len(self.names), 'document')} compared; {self.n_short:,} of fewer "
            f"than {count(self.settings.min_words, 'word')} left out",
            f"{count(found, 'cluster')} of near-duplicates with {count(members, unit)}, "
            f"{count(len(self.pairs), 'pair')}",
        ]
        if self.n_left_out:
            told.append(
                f"up to {count(self.n_left_out, 'comparison')} left out, among texts that very many others resemble"
            )
        return told


def find_duplicates(
    documents: Iterable[DocumentLike],
    *,
    unit: Unit = "section",
    min_similarity: float = MIN_SIMILARITY,
    min_words: int = MIN_WORDS,
    pipeline: Pipeline | None = None,
    min_cosine: float = MIN_COSINE,
    head: str | None = None,
) -> Duplicates:
    """Finds near-duplicates among documents, their sections or clauses, however far apart they stand.

    :func:`longdoc.dedup_many` does the same for files, in worker processes, and writes tables and a page.

    Args:
        documents: documents, or the paths, bytes or open binary files of some. They are read in this process.
        unit: what is compared: ``"document"``, ``"section"`` (from a heading to the next one, of whatever level), or
            ``"clause"`` (a paragraph of a section).
        min_similarity: the share of the words of two parts that must stand in both, in the same order; above 0, at
            most 1. With 0.6, about every other pair of texts is found of which one is the other with 40 % of its words
            replaced, and nearly all of those of which a third of the changes each replace, delete and insert a word.
        min_words: shorter parts are left out, and counted.
        pipeline: with a head that embeds texts: also find what says the same in other words.
        min_cosine: of the vectors of such a pair at least.
        head: name of the head, if several embed.

    Raises:
        ConfigError: an argument is invalid, or the pipeline has no such head.
        DocumentError: a document cannot be read.
        MissingDependencyError: datasketch or rapidfuzz is not installed (the extra ``dedup``).
    """
    settings = Settings(unit=unit, min_similarity=min_similarity, min_words=min_words, min_cosine=min_cosine)
    check_libraries()
    meaning = None if pipeline is None else Meaning(pipeline, head)
    if isinstance(documents, (str, bytes, PathLike, IOBase)) or not isinstance(documents, Iterable):
        raise ConfigError(f"documents must be a list of documents, such as [{documents!r:.80}]")
    names: list[str] = []
    parts: list[Part] = []
    n_short = 0
    for number, each in enumerate(documents):
        document = as_document(each)
        names.append(document.source.name)
        own = parts_of(document, unit, number=number, address=names[-1], min_words=min_words)
        parts += own.compared
        n_short += own.n_short
    return duplicates_among(parts, settings, names=names, n_short=n_short, meaning=meaning)


def check_libraries() -> None:
    """Checks that the libraries are installed.

    Raises:
        MissingDependencyError: one is not.
    """
    for library in ("datasketch", "rapidfuzz"):
        require(library, extra="dedup", needed_by="the search for duplicates")


class Meaning:
    """Vectors of texts, by a head of a pipeline."""

    def __init__(self, pipeline: Pipeline, head: str | None = None) -> None:
        from longdoc.pipeline import Pipeline  # it imports tokenizers

        check_type("pipeline", pipeline, "a Pipeline, or None", Pipeline)
        self._engine = pipeline.engine
        self._head = self._engine.name_of("embed", head)

    def vectors(self, texts: Sequence[str]) -> np.ndarray:
        """A vector of length 1 for each text, float32 ``(N, D)``; zeros for a text without tokens."""
        from longdoc.stream import progress_bar

        with progress_bar(None) as bar:
            return self._engine.text_vectors(texts, self._head, bar)


def duplicates_among(
    parts: Sequence[Part], settings: Settings, *, names: Sequence[str], n_short: int, meaning: Meaning | None = None
) -> Duplicates:
    """The near-duplicates among parts.

    Args:
        parts: in the order of their documents.
        settings: what counts as one.
        names: of the documents, by their numbers.
        n_short: how many parts were left out.
        meaning: for pairs that say the same in other words; None for none of these.
    """
    texts = Texts.of(parts)
    logger.info("%s of %s compared", count(len(parts), settings.unit), count(len(names), "document"))
    candidates, n_left_out = likely_pairs(texts.words)
    cosines: dict[tuple[int, int], float] = {}
    if meaning is not None:
        vectors = meaning.vectors([parts[own[0]].text for own in texts.copies])
        close, values = close_pairs(vectors, settings.min_cosine)
        cosines = {(a, b): c for (a, b), c in zip(close.tolist(), values.tolist(), strict=True)}
        candidates = np.unique(np.concatenate([candidates, close]), axis=0)
    found = _confirmed(texts, candidates, settings, cosines)
    clusters = [
        _cluster(star, texts, parts, found)
        for star in stars(
            [len(own) for own in texts.copies], [*found], [similarity for similarity, _, _ in found.values()]
        )
    ]
    return Duplicates(
        settings=settings,
        names=tuple(names),
        clusters=tuple(sorted(clusters, key=_rank)),
        pairs=tuple(_pairs(texts, parts, found)),
        n_parts=len(parts),
        n_short=n_short,
        n_left_out=n_left_out,
    )


@dataclass(frozen=True, slots=True)
class Texts:
    """Different texts: lists of words, each with the numbers of the parts that have these words."""

    words: tuple[tuple[str, ...], ...]
    copies: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, parts: Sequence[Part]) -> Texts:
        """The texts of parts, in the order of their first parts."""
        places: dict[tuple[str, ...], list[int]] = {}
        for number, part in enumerate(parts):
            places.setdefault(tuple(words_of(part.text)), []).append(number)
        return cls(tuple(places), tuple(map(tuple, places.values())))


def similarity(one: Sequence[str], other: Sequence[str], at_least: float = 0.0) -> float:
    """The share of the words of both that stand in both, in the same order; 0 if that is less than ``at_least``.

    That is twice the longest common subsequence, divided by the number of words of both.

    >>> round(similarity("the fee is due in may".split(), "the fee was due".split()), 2)
    0.6
    """
    from rapidfuzz.distance import Indel

    # Identical words are found by their hashes, which Python keeps with each string.
    return float(Indel.normalized_similarity(one, other, score_cutoff=at_least))


_Found: TypeAlias = "dict[tuple[int, int], tuple[float, float | None, Method]]"
"""Pairs of texts, the first one first → similarity, cosine, method."""


def _confirmed(
    texts: Texts, candidates: np.ndarray, settings: Settings, cosines: dict[tuple[int, int], float]
) -> _Found:
    """The candidates that are pairs."""
    numbers = _numbered(texts.words)
    counts = [Counter(words) for words in numbers]
    found: _Found = {}
    for one, other in candidates.tolist():
        cosine = cosines.get((one, other))
        at_least = settings.min_similarity if cosine is None else 0.0
        # No alignment has more words than both have in whatever order, which is known in a tenth of the time.
        most = 2 * (counts[one] & counts[other]).total() / (counts[one].total() + counts[other].total())
        value = similarity(numbers[one], numbers[other], at_least) if most > at_least - 1e-9 else 0.0
        if value >= settings.min_similarity:
            found[one, other] = value, cosine, "words"
        elif cosine is not None:
            found[one, other] = value, cosine, "meaning"
    return found


def _numbered(texts: Sequence[Sequence[str]]) -> list[list[int]]:
    """The texts with a number for each word, which are compared in half the time."""
    numbers: dict[str, int] = {}
    return [[numbers.setdefault(word, len(numbers)) for word in words] for words in texts]


def _pairs(texts: Texts, parts: Sequence[Part], found: _Found) -> Iterable[Pair]:
    """The pairs of parts: each copy with the first of its text, and the first ones of different texts."""
    for first, *others in texts.copies:
        for other in others:
            yield Pair(first=parts[first], second=parts[other], similarity=1.0, cosine=None, method="same words")
    for (one, other), (value, cosine, method) in found.items():
        a, b = parts[texts.copies[one][0]], parts[texts.copies[other][0]]
        yield Pair(first=a, second=b, similarity=value, cosine=cosine, method=method)


def _cluster(star: Star, texts: Texts, parts: Sequence[Part], found: _Found) -> Cluster:
    usual = texts.words[star.centre]
    roles: list[tuple[int, float, Role]] = [(star.centre, 1.0, "same words")]
    for text in star.direct:
        value, _, method = found[min(text, star.centre), max(text, star.centre)]
        roles.append((text, value, method))
    roles += [(text, similarity(usual, texts.words[text]), "by way") for text in star.by_way]
    members = [
        Member(part=parts[number], similarity=value, role=role)
        for text, value, role in sorted(roles, key=lambda own: -own[1])
        for number in texts.copies[text]
    ]
    return Cluster((Member(part=members[0].part, similarity=1.0, role="usual"), *members[1:]))


def _rank(cluster: Cluster) -> tuple[int, int, int, int]:
    usual = cluster.usual
    return -cluster.n_documents, -len(cluster.members), usual.document, usual.start
