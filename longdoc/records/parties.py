"""Who the parties of a contract are: namings from all sources, joined to one party each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from longdoc.document import Document
from longdoc.labels import Answer, Entity
from longdoc.record_types import Party
from longdoc.records.blanks import blank_value
from longdoc.records.evidence import cell
from longdoc.records.forms import defined_namings, labelled_namings, signature_namings, signing_people
from longdoc.records.names import has_legal_form, is_legal_form, is_name, key, shown, without_legal_form
from longdoc.records.openings import Naming, Range, opening_namings
from longdoc.roles import is_role
from longdoc.summary import on_one_line


def find_parties(document: Document, entities: Sequence[Entity] = ()) -> tuple[tuple[Party, ...], Range | None]:
    """The parties in the order in which they are named, and the range of the text that names them.

    Args:
        document: the contract.
        entities: ``PARTY`` mentions of a model: they confirm names and complete cut ones; they make a party only if
            nothing else names any, and then to be checked.
    """
    text = document.text
    opening = opening_namings(text)
    signed = signature_namings(text)
    votes = [entity for entity in entities if entity.label == "PARTY"]
    blanks = [naming for naming in opening if blank_value(text[slice(*naming.name)])]
    named = [naming for naming in opening if naming not in blanks]
    chosen = _chosen(document, named, signed, votes)
    chosen = _joined(text, [_completed(text, naming, signed, votes) for naming in chosen])
    if len(blanks) > len(chosen) - len(named):  # no other place says whose names they are
        chosen = sorted([*chosen, *blanks], key=lambda naming: naming.tail)
    where = (
        (min(n.name[0] for n in chosen), max(n.tail[1] for n in chosen))
        if chosen and chosen[0].source == "opening paragraph"
        else None
    )
    known = {key(text[slice(*naming.name)]) for naming in signed}
    return tuple(_party(document, naming, known, votes) for naming in chosen), where


def _chosen(document: Document, opening: list[Naming], signed: list[Naming], votes: Sequence[Entity]) -> list[Naming]:
    """The namings of the source that says most; weaker sources only complete it."""
    text = document.text
    opening = [n for n in opening if _is_supported(text, n, signed, votes)]
    others = {key(text[slice(*n.name)]) for n in signed} | {key(vote.text) for vote in votes}
    if any(n.role for n in opening) or any(key(text[slice(*n.name)]) in others for n in opening):
        # Where some parties have roles or sign, a bare name that does neither is a part of the text.
        supported = [n for n in opening if n.role or n.kind or key(text[slice(*n.name)]) in others]
        opening = supported if len(supported) > 1 else opening
    if len(opening) == 1:
        opening = _split(text, opening[0])
    if len(opening) > 1:
        return opening
    opening = [n for n in opening if n.role or n.kind or key(text[slice(*n.name)]) in others]
    forms = labelled_namings(document)
    if len(_joined(text, forms)) > 1:
        return forms
    found = [*opening, *forms]
    known = tuple(f" {key(text[slice(*n.name)])}" for n in found)
    signed = [n for n in signed if not key(text[slice(*n.name)]).endswith(known)]  # two names on one line
    sources: tuple[Callable[[], list[Naming]], ...] = (
        lambda: defined_namings(document),
        lambda: signed,
        lambda: signing_people(text),
    )
    for more in sources:
        if len(_joined(text, found)) > 1:
            break
        taken = {key(text[slice(*n.role)]) for n in found if n.role}
        found += [n for n in more() if not n.role or key(text[slice(*n.role)]) not in taken or n.full]
    return found or _voted(text, votes)


def _split(text: str, naming: Naming) -> list[Naming]:
    """The parties of "between Acme and Bolt Inc.": the only name of an opening, in two if it names two."""
    start, end = naming.name
    mark = re.search(r"\s+and\s+", text[start:end])
    if not mark or naming.role or not is_name(text[start : start + mark.start()]):
        return [naming]
    second = (start + mark.end(), end)
    if not is_name(text[slice(*second)]):
        return [naming]
    return [replace(naming, name=(start, start + mark.start()), kind=None, full=False), replace(naming, name=second)]


def _voted(text: str, votes: Sequence[Entity]) -> list[Naming]:
    """The best names of a model, if nothing else names a party."""
    best: dict[str, Entity] = {}
    for vote in votes:
        if is_name(vote.text) and has_legal_form(vote.text) and vote.score >= 0.5:
            best.setdefault(key(vote.text), vote)
    return [Naming((v.start, v.end), "entity PARTY", full=True) for v in list(best.values())[:4]]


def _is_supported(text: str, naming: Naming, signed: Sequence[Naming], votes: Sequence[Entity]) -> bool:
    """Whether a name of the opening is that of a party: something is said about it, or another source has it."""
    single = " " not in text[slice(*naming.name)].strip()
    if naming.full or ((naming.role or naming.kind) and not single) or (naming.role and naming.kind):
        return True
    name = key(text[slice(*naming.name)])
    others = [text[slice(*other.name)] for other in signed] + [vote.text for vote in votes]
    if any(key(other) == name for other in others):
        return True
    if naming.role and single:  # "Intel (the "Buyer")", but not a word that the text uses in lower case
        return not re.search(rf"\b{re.escape(text[slice(*naming.name)].lower())}s?\b", text)
    return 1 <= name.count(" ") <= 3 and name in key(text[len(text) // 2 :])


def _completed(text: str, naming: Naming, signed: Sequence[Naming], votes: Sequence[Entity]) -> Naming:
    """A name without its legal form, completed from the signature block or a model's mentions."""
    if naming.full:
        return naming
    name = key(text[slice(*naming.name)])
    for start, end, source in [
        *((*other.name, other.source) for other in signed),
        *((vote.start, vote.end, "entity PARTY") for vote in votes if vote.score >= 0.5),
    ]:
        longer = key(text[start:end])
        if longer.startswith(name + " ") and all(
            is_legal_form(word) or word in _LOOSE for word in _words(text[start:end])[len(name.split()) :]
        ):
            return replace(
                naming,
                name=(start, end),
                source=f"{naming.source}, {source}",
                full=True,
                aliases=(*naming.aliases, naming.name),
            )
    return naming


def _words(name: str) -> list[str]:
    return re.sub(r"(?i)\Athe ", "", name).replace(",", " ").split()


def _joined(text: str, namings: Iterable[Naming]) -> list[Naming]:
    """The namings without those of a name that stands already, or that are a piece of one."""
    kept: list[Naming] = []
    namings = list(namings)
    terms = {key(text[slice(*term)]) for n in namings for term in (n.role, *n.aliases) if term and term != n.name}
    for naming in namings:
        name = key(text[slice(*naming.name)])
        if name in terms and not naming.full and not naming.role:
            continue  # it stands for a party that is named in full
        same = next((i for i, other in enumerate(kept) if _is_same(text, naming, other)), None)
        if same is None:
            kept.append(naming)
            continue
        old = kept[same]
        better = naming if (naming.full, naming.weight) > (old.full, old.weight) else old
        other = old if better is naming else naming
        kept[same] = replace(
            better,
            role=better.role or other.role,
            kind=better.kind or other.kind,
            jurisdiction=better.jurisdiction or other.jurisdiction,
            aliases=tuple(dict.fromkeys([*better.aliases, *other.aliases])),
        )
    return kept


def _is_same(text: str, first: Naming, second: Naming) -> bool:
    one, two = (key(text[slice(*naming.name)]) for naming in (first, second))
    if one == two:
        return True
    short, long = (first, second) if len(one) < len(two) else (second, first)
    shorter, longer = sorted((one, two), key=len)
    roles = {key(text[slice(*naming.role)]) for naming in (first, second) if naming.role}
    if len(roles) > 1 and first.source == second.source:
        return False  # a person, and the company of the same name
    return not short.full and longer.startswith(shorter + " ") and (long.full or short.full)


def _party(document: Document, naming: Naming, signed: set[str], votes: Sequence[Entity]) -> Party:
    text = document.text
    name = shown(text[slice(*naming.name)])
    blank = blank_value(name)
    confirmed = []
    if key(name) in signed and "signature block" not in naming.source:
        confirmed.append("signature block")
    if any(key(vote.text) == key(name) for vote in votes) and "entity PARTY" not in naming.source:
        confirmed.append("entity PARTY")
    base = _BASE.get(naming.source.split(",")[0], 0.5) - 0.15 * (naming.weight < 2 and not confirmed)
    score = 0.5 if blank else min(0.98, base + 0.03 * max(naming.weight, 0) + 0.1 * len(confirmed))
    source = ", ".join([naming.source, *confirmed])

    def of(range_: Range | None, label: str) -> Answer | None:
        if range_ is None:
            return None
        return cell(
            document, *range_, label=label, source=naming.source, score=score, value=on_one_line(text[slice(*range_)])
        )

    aliases = tuple(a for a in (of(alias, "alias") for alias in naming.aliases) if a)
    return Party(
        name=cell(
            document, *naming.name, label="party", source=source, score=score, value=blank or name, check=bool(blank)
        ),
        role=of(naming.role, "role"),
        kind=of(naming.kind, "kind"),
        jurisdiction=of(naming.jurisdiction, "jurisdiction"),
        aliases=aliases,
        mentions=() if blank else tuple(_mentions(document, naming, score)),
    )


_LOOSE = frozenset(("Corporation", "CORPORATION", "Company", "COMPANY", "Limited", "LIMITED"))
_BASE = {"opening paragraph": 0.75, "form": 0.7, "definition": 0.55, "signature block": 0.6, "entity PARTY": 0.3}
"""How far each source is trusted."""


def _mentions(document: Document, naming: Naming, score: float) -> Iterator[Answer]:
    """Every place with the name or with a name of its own that stands for it."""
    text = document.text
    forms = {
        on_one_line(text[slice(*r)]) for r in [naming.name, *naming.aliases, *([naming.role] if naming.role else [])]
    }
    forms.add(without_legal_form(on_one_line(text[slice(*naming.name)])))
    own = sorted((form for form in forms if not is_role(form) and len(form) > 1), key=len, reverse=True)
    if own:
        spelled = "|".join(
            r"\s+".join(map(re.escape, spelling.split())) for f in own for spelling in dict.fromkeys([f, f.upper()])
        )
        for match in re.finditer(rf"(?<!\w)(?:{spelled})(?!\w)", text):
            yield cell(document, *match.span(), label="party", source="name", score=score)
