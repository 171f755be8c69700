"""What an audit found: JSON to read again, Markdown with plots for people, and the gate for continuous integration."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

from longdoc.auditing.comparisons import SMALL, Comparison, by_measure, is_shown, shown_of
from longdoc.auditing.measures import KINDS, Kind
from longdoc.auditing.statistics import CLEAR, LEAST, RESAMPLES
from longdoc.auditing.wording import AGAIN
from longdoc.durable import replacing_files
from longdoc.errors import ConfigError, DataError, did_you_mean
from longdoc.evaluation.tables import Table
from longdoc.stored import Reader, parse
from longdoc.summary import count

VERSION = 1
"""Of the form of ``report.json``."""
REPORT = "report.json"
Limits: TypeAlias = Mapping[Kind, float]
"""The largest gaps that are allowed, by kind of measure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """How many texts words of one kind could be swapped in."""

    used: int
    skipped: dict[str, int]
    """Reason → number of texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """The result of an audit."""

    model: str
    longdoc: str
    """The version of longdoc."""
    data: tuple[str, ...]
    """Where the texts and pairs are from."""
    seed: int
    texts: dict[str, Texts]
    """By kind of swap."""
    comparisons: tuple[Comparison, ...]
    unmeasured: dict[str, str]
    """What was not measured → why."""
    version: int = VERSION

    @property
    def clear(self) -> list[Comparison]:
        """The differences that are clear, largest first; those of other names of the same group are not among them."""
        found = [each for each in self.comparisons if each.verdict == "differs" and each.group != AGAIN]
        return sorted(found, key=lambda each: -abs(each.gap))

    @property
    def named(self) -> list[Comparison]:
        """Those of them that are not small."""
        return [each for each in self.clear if abs(each.gap) >= SMALL]

    def failures(self, max_gap: float | Limits) -> list[str]:
        """Why the model does not pass: a line for each clear difference that is larger than allowed.

        A difference fails if it is clear, adjusted for all comparisons, and its size is above the limit; of many groups
        some exceed any limit by chance. If there was nothing to judge, that is a failure, too.

        Args:
            max_gap: the largest gap that is allowed, for all measures, or by their kind (``recall``, ``classes``,
                ``answers``, ``likelihood``).

        Raises:
            ConfigError: a limit is not a number from 0 to 1, or the kind unknown.
        """
        limits = checked_limits(max_gap)
        judged = {each.kind for each in self.comparisons if each.verdict != "too few texts"}
        asked: Sequence[str] = [*limits] if isinstance(max_gap, Mapping) else [] if judged else ["the report"]
        lines = [f"{kind}: nothing could be judged, since {self._why(kind)}" for kind in asked if kind not in judged]
        return lines + [
            f"{_line(each)}; allowed: {limits[each.kind]:g}"  # type: ignore[index]  # a kind
            for each in self.clear
            if abs(each.gap) > limits.get(each.kind, 1.0)  # type: ignore[call-overload]
        ]

    def _why(self, kind: str) -> str:
        return self.unmeasured.get(kind, f"no group has {LEAST} texts")

    def lines(self) -> list[str]:
        """The report in short: how many differences are clear, and which."""
        return [self._summary(), *(f"  {_line(each)}" for each in self.named)]

    def to_dict(self) -> dict[str, Any]:
        """Returns plain values that JSON can hold; :func:`load_report` reads them."""
        return dataclasses.asdict(self)

    def __str__(self) -> str:
        """The report in Markdown, without pictures."""
        return "\n\n".join(self._parts({}))

    def save(self, folder: str | Path) -> None:
        """Writes ``report.json``, ``report.md`` and, if matplotlib is installed, a picture of each kind of swap.

        Raises:
            ConfigError: the folder cannot be written.
        """
        pictures: dict[str, str] = {}
        try:
            with replacing_files(Path(folder), REPORT) as part:
                if can_draw():
                    from longdoc.auditing.plots import plot_gaps

                    for swap in dict.fromkeys(each.swap for each in self.comparisons):
                        if own := shown_of(self.comparisons, swap):
                            pictures[swap] = f"{swap}.png"
                            plot_gaps(own, part / pictures[swap])
                (part / "report.md").write_text("\n\n".join(self._parts(pictures)) + "\n", encoding="utf-8")
                text = json.dumps(self.to_dict(), indent=1, ensure_ascii=False)
                (part / REPORT).write_text(text + "\n", encoding="utf-8")
        except OSError as error:
            raise ConfigError(
                f"{folder}: cannot be written ({error.strerror or error}); name another folder"
            ) from error

    def _parts(self, pictures: Mapping[str, str]) -> Iterator[str]:
        yield f"# Bias audit of {self.model}"
        yield self._summary()
        yield "\n".join(f"- {_line(each)}" for each in self.named) or f"No clear difference of {SMALL:g} or more."
        for swap in dict.fromkeys(each.swap for each in self.comparisons):
            if not (own := shown_of(self.comparisons, swap)):
                continue
            yield f"## {_TITLES[swap]}"
            yield _EXPLAINED[swap]
            if swap in pictures:
                yield f"![Gaps by group]({pictures[swap]})"
            yield from (table.to_markdown() for table in _tables(own))
        yield "## What was not measured, and texts that were left out"
        yield "\n".join(self._left_out())
        yield _HOW
        yield f"Texts: {'; '.join(self.data)}. longdoc {self.longdoc}, seed {self.seed}, {RESAMPLES:,} resamples."

    def _summary(self) -> str:
        judged = sum(each.verdict != "too few texts" for each in self.comparisons)
        few, small = len(self.comparisons) - judged, len(self.clear) - len(self.named)
        left = f" Not judged, on fewer than {LEAST} texts: {few:,}." if few else ""
        found = f"{len(self.named):,} of {count(judged, 'comparison')} differ clearly by {SMALL:g} or more"
        return f"{found}, and {small:,} by less (adjusted for the number of comparisons).{left}"

    def _left_out(self) -> Iterator[str]:
        if not can_draw():
            yield "- pictures: they need matplotlib: pip install 'longdoc[plot]'"
        yield from (f"- {what}: {why}" for what, why in self.unmeasured.items())
        for (swap, measure), own in by_measure(self.comparisons).items():
            texts = max(each.texts for each in own)
            if not is_shown(own):
                small = f"all gaps are below {SMALL:g}; report.json has them"
                yield f"- {swap}, {measure}: {small if texts >= LEAST else f'{texts} texts, fewer than {LEAST}'}"
        for swap, read in self.texts.items():
            reasons = "; ".join(f"{number:,} with {reason}" for reason, number in read.skipped.items())
            yield f"- {swap}: {count(read.used, 'text')} used{f'; left out: {reasons}' if reasons else ''}"


def can_draw() -> bool:
    """Whether pictures can be drawn."""
    return find_spec("matplotlib") is not None


def load_report(path: str | Path) -> AuditReport:
    """Reads a ``report.json``, or that of a folder.

    Raises:
        DataError: it is none, or of another version.
    """
    file = Path(path) / REPORT if Path(path).is_dir() else Path(path)
    try:
        found = parse(file.read_text(encoding="utf-8"))
        if isinstance(found, Mapping) and found.get("version", VERSION) != VERSION:
            raise ValueError(f"version {found['version']!r:.20}; this longdoc reads version {VERSION}")
        report: AuditReport = Reader().read(AuditReport, found, "report")
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror or error})") from error
    except ValueError as error:
        raise DataError(f"{file}: no report of longdoc audit ({error})") from error
    return report


def checked_limits(max_gap: float | Limits) -> Limits:
    """The largest gaps that are allowed, by kind.

    Raises:
        ConfigError: one is not a number from 0 to 1, or the kind unknown.
    """
    limits: dict[Any, Any] = dict(max_gap) if isinstance(max_gap, Mapping) else dict.fromkeys(KINDS, max_gap)
    for kind, limit in limits.items():
        if kind not in KINDS:
            raise ConfigError(f"unknown measure {kind!r:.40}; allowed: {', '.join(KINDS)}{did_you_mean(kind, KINDS)}")
        if isinstance(limit, bool) or not isinstance(limit, (int, float)) or not 0 <= limit <= 1:
            raise ConfigError(f"the largest gap must be a number from 0 to 1; got {limit!r:.40} for {kind}")
    return limits


def _line(each: Comparison) -> str:
    interval = "" if each.low is None or each.high is None else f" (95 % {each.low:+.3f} to {each.high:+.3f})"
    values = f"{each.value:.3f} against {each.reference_value:.3f} of {each.reference}"
    number = f"{each.counted:,} {each.unit}"
    return f"{each.swap}, {each.measure}, {each.group}: {values}, gap {each.gap:+.3f}{interval}, {number}"


def _tables(comparisons: Sequence[Comparison]) -> Iterator[Table]:
    """A table for each kind of measure: a row a group, a column a measure."""
    for kind in dict.fromkeys(each.kind for each in comparisons):
        own = [each for each in comparisons if each.kind == kind]
        measures = list(dict.fromkeys(each.measure for each in own))
        cells = {(each.group, each.measure): _cell(each) for each in own}
        references = {(each.reference, each.measure): f"{each.reference_value:.3f}" for each in own}
        rows = [
            (group, *(cells.get((group, measure), references.get((group, measure), "")) for measure in measures))
            for group in sorted(
                dict.fromkeys([*(each.reference for each in own), *(each.group for each in own)]),
                key=lambda group: group == AGAIN,
            )
        ]
        heads = [f"{each} ({_size(own, each)})" for each in measures]
        yield Table(("group", *heads), rows, n_names=1)


def _size(comparisons: Sequence[Comparison], measure: str) -> str:
    sizes = {each.counted: each for each in comparisons if each.measure == measure}
    return f"{sizes[max(sizes)].counted:,} {sizes[max(sizes)].unit}"


def _cell(each: Comparison) -> str:
    if each.verdict == "too few texts" or each.low is None or each.high is None:
        return f"{each.value:.3f} (too few texts: {each.texts})"
    marked = "**" if each.verdict == "differs" else ""
    return f"{marked}{each.gap:+.3f}{marked} ({each.low:+.3f} to {each.high:+.3f})"


_TITLES = {"names": "Names", "pronouns": "Pronouns", "origins": "Origins", "pairs": "Pairs of sentences"}
_EXPLAINED = {
    "names": (
        "Names of persons in real sentences are replaced by names of each group. A row gives the difference to the "
        f"first group; changes are compared with those that {AGAIN} cause."
    ),
    "pronouns": (
        "The pronouns of sentences about one he or she are changed, with the verbs; names in them are replaced by "
        'names of either gender. A row gives the difference to "he".'
    ),
    "origins": (
        "The word that says where somebody or something is from is replaced. A row gives the difference to the first "
        "origin; the names in the sentences stay as they are."
    ),
    "pairs": (
        "Of two sentences that differ in who they are about, how often the model finds the more stereotyped one "
        "likelier (pseudo-log-likelihood of the words that both share). Without a preference it is one half."
    ),
}
_HOW = (
    "Bold: the difference is clear, that is, its p-value is below "
    f"{CLEAR:g} after adjustment for all comparisons of this report (Holm). Intervals are of the paired bootstrap over "
    "texts, not adjusted. Other differences may be chance; that they are not clear does not show that there are none, "
    f"and nothing is said of groups with fewer than {LEAST} texts. The intervals are for these names and words: "
    "other ones would give somewhat other numbers."
)
