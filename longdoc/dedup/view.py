"""Near-duplicates → a web page of its own: each cluster with its usual wording, and how the others differ from it.

The page is written as HTML, and read without its script, which only filters. Its policy lets nothing else run or load.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files

from longdoc.dedup.differences import Run, runs
from longdoc.dedup.duplicates import Cluster, Duplicates, Member
from longdoc.dedup.parts import Part, word_ranges, words_of
from longdoc.outputs.viewer.page import digest
from longdoc.outputs.viewer.page import text as escaped
from longdoc.summary import count, on_one_line, shortened

CLUSTERS = 1000
"""Clusters shown; the others are counted."""
MEMBERS = 40
"""Parts of a cluster whose differences are shown; the others are counted."""
_PLACES = 12
"""Places of the same words that are named."""
_OPEN = 3
"""Clusters that are open at first."""
_CONTEXT = 12
"""Words shown at each end of a long run that is the same."""
_LONGEST = 120
"""Words shown of a run that is left out or added, and three times as many of the usual wording."""
_RUNS = 200
"""Runs shown of a text."""
_ROLES = {
    "by way": "like another of these, not the usual wording",
    "meaning": "alike in meaning, in other words",
}


def page(found: Duplicates) -> str:
    """The page as HTML."""
    title = f"{count(len(found.clusters), 'cluster')} of near-duplicates"
    names = _short_names(found.names)
    shown = found.clusters[:CLUSTERS]
    body = [_cluster(number, cluster, names, found.settings.unit) for number, cluster in enumerate(shown)]
    if len(found.clusters) > len(shown):
        more = len(found.clusters) - len(shown)
        body.append(f'<p class="faint">{count(more, "smaller cluster")} more in <code>clusters.parquet</code></p>')
    if not shown:
        body.append('<p class="faint">No two parts are alike enough.</p>')
    values = {
        "policy": _policy(),
        "title": escaped(title),
        "style": _part("view.css"),
        "facts": " · ".join(map(escaped, _facts(found))),
        "clusters": "\n".join(body),
        "script": _part("view.js"),
    }
    before, *pieces = _part("view.html").split("{{")
    return before + "".join(values[name] + rest for name, rest in (piece.split("}}", 1) for piece in pieces))


@cache
def _part(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8").replace("\r\n", "\n")


def _policy() -> str:
    style, script = digest(_part("view.css")), digest(_part("view.js"))
    return f"default-src 'none'; style-src '{style}'; script-src '{script}'; base-uri 'none'; form-action 'none'"


def _facts(found: Duplicates) -> Iterator[str]:
    settings = found.settings
    yield count(len(found.names), "document")
    yield f"{count(found.n_parts, settings.unit)} compared"
    if found.n_short:
        yield f"{found.n_short:,} of fewer than {count(settings.min_words, 'word')} left out"
    yield f"at least {settings.min_similarity:.0%} of the words in common, in the same order"
    if found.n_left_out:
        yield f"up to {count(found.n_left_out, 'comparison')} left out"


def _short_names(names: Sequence[str]) -> list[str]:
    """The names of documents without the folder that all of them are in."""
    parts = [name.split("/") for name in names]
    n_common = next((n for n in range(min(map(len, parts), default=1)) if len({own[n] for own in parts}) > 1), 0)
    return ["/".join(own[n_common:]) if len(parts) > 1 else own[-1] for own in parts]


# ----------------------------------------------------------------------------------------------------------- clusters


def _cluster(number: int, cluster: Cluster, names: Sequence[str], unit: str) -> str:
    usual = cluster.usual
    lowest = min(member.similarity for member in cluster.members)
    spread = "all the same words" if lowest == 1 else f"similarity from {_value(lowest)}"
    places = f"{count(len(cluster.members), unit)} in {count(cluster.n_documents, 'document')}"
    same = [member.part for member in cluster.members[1:] if member.role == "same words"]
    others = _different([member for member in cluster.members[1:] if member.role != "same words"])
    # Several members may have the same words, which need not be those of the usual wording.
    items = "\n".join(_member(member, cluster, names) for member in others[:MEMBERS])
    left = len(others) - MEMBERS
    more = (
        f'<p class="faint">{count(left, "other wording")} more in <code>clusters.parquet</code></p>' if left > 0 else ""
    )
    return (
        f'<details class="cluster" id="c{number}"{" open" * (number < _OPEN)}><summary>'
        f'<span class="name">{escaped(shortened(usual.text, 110))}</span>'
        f'<span class="facts"><b>{places}</b> · {spread}</span></summary>\n'
        f'<section class="usual"><h3>Usual wording {_sources([usual, *same], names)}</h3>'
        f"<blockquote>{_whole(usual.text)}</blockquote></section>\n{items}{more}</details>"
    )


def _different(members: Sequence[Member]) -> list[list[Member]]:
    """The members, those with the same words together."""
    groups: dict[tuple[str, ...], list[Member]] = {}
    for member in members:
        groups.setdefault(tuple(words_of(member.part.text)), []).append(member)
    return list(groups.values())


def _member(members: Sequence[Member], cluster: Cluster, names: Sequence[str]) -> str:
    first = members[0]
    note = f' <span class="note">{_ROLES[first.role]}</span>' if first.role in _ROLES else ""
    return (
        f'<article><h3><span class="value" title="similarity">{_value(first.similarity)}</span> '
        f"{_sources([member.part for member in members], names)}{note}</h3>"
        f"<p>{difference(cluster.usual.text, first.part.text)}</p></article>\n"
    )


def _value(similarity: float) -> str:
    """A similarity, never rounded up to 1."""
    return f"{int(similarity * 100) / 100:.2f}"


def _sources(parts: Sequence[Part], names: Sequence[str]) -> str:
    """Where parts are: the first one, and the others in a list."""
    first, *others = [_source(part, names) for part in parts]
    if not others:
        return f'<span class="source">{first}</span>'
    listed = "".join(f"<li>{each}</li>" for each in others[:_PLACES])
    left = len(others) - _PLACES
    listed += f"<li>and {left:,} more in <code>clusters.parquet</code></li>" if left > 0 else ""
    return (
        f'<span class="source">{first}</span> <details class="places"><summary>the same words in '
        f"{count(len(others), 'other place')}</summary><ul>{listed}</ul></details>"
    )


def _source(part: Part, names: Sequence[str]) -> str:
    section = f", § {part.section}" if part.section else ""
    return escaped(on_one_line(f"{names[part.document]}{section}, page {part.page}"))


# -------------------------------------------------------------------------------------------------------- differences


def difference(usual: str, other: str) -> str:
    """How a text differs from the usual wording, as HTML: ``<del>`` is left out of it, ``<ins>`` is added."""
    ours, theirs = word_ranges(usual), word_ranges(other)
    found = runs(words_of(usual), words_of(other))
    pieces = [_run(run, place, len(found), (usual, ours), (other, theirs)) for place, run in enumerate(found[:_RUNS])]
    if len(found) > _RUNS:
        pieces.append(_omitted(f"{len(found) - _RUNS:,} more runs of words"))
    return re.sub(r"(?<=\S)<del>", " <del>", _after(0, (other, theirs)) + "".join(pieces))


_Words = tuple[str, list[tuple[int, int]]]
"""A text, and the ranges of its words."""


def _run(run: Run, place: int, n_runs: int, usual: _Words, other: _Words) -> str:
    if run.is_same:
        return _same(run.other, other, is_first=place == 0, is_last=place == n_runs - 1)
    left_out, added = _changed(run.usual, usual), _changed(run.other, other)
    gone = f'<del><span class="unseen">[left out: </span>{left_out}<span class="unseen">]</span></del> ' * bool(
        left_out
    )
    new = f'<ins><span class="unseen">[added: </span>{added}<span class="unseen">]</span></ins>' * bool(added)
    return f"{gone}{new}{_after(run.other[1], other) if new else ''}"


def _same(words: tuple[int, int], other: _Words, *, is_first: bool, is_last: bool) -> str:
    first, last = words
    if last - first <= 3 * _CONTEXT:
        return _slice(first, last, other) + _after(last, other)
    head = "" if is_first else _slice(first, first + _CONTEXT, other) + " "
    tail = "" if is_last else " " + _slice(last - _CONTEXT, last, other) + _after(last, other)
    shown = _CONTEXT * ((not is_first) + (not is_last))
    return f"{head}{_omitted(f'{last - first - shown:,} words are the same')}{tail}"


def _changed(words: tuple[int, int], text: _Words) -> str:
    first, last = words
    if last - first <= _LONGEST:
        return _slice(first, last, text)
    return f"{_slice(first, first + _LONGEST, text)} {_omitted(f'{last - first - _LONGEST:,} more words')}"


def _whole(text: str) -> str:
    ranges = word_ranges(text)
    if len(ranges) <= 3 * _LONGEST:
        return escaped(on_one_line(text))
    cut = escaped(on_one_line(text[: ranges[3 * _LONGEST][0]]))
    return f"{cut} {_omitted(f'{len(ranges) - 3 * _LONGEST:,} more words')}"


def _omitted(what: str) -> str:
    return f'<span class="omitted">… {what} …</span>'


def _slice(first: int, last: int, text: _Words) -> str:
    own, ranges = text
    return escaped(on_one_line(own[ranges[first][0] : ranges[last - 1][1]])) if first < last else ""


def _after(word: int, text: _Words) -> str:
    """What stands between a word and the one before it: punctuation and white space."""
    own, ranges = text
    end = ranges[word][0] if word < len(ranges) else len(own)
    start = ranges[word - 1][1] if word else 0
    return escaped(re.sub(r"\s+", " ", own[start:end]))
