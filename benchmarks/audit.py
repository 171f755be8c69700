"""Whether the default model finds names, classes and answers alike, whoever a text is about.

    export LONGDOC_DATA=/path/to/data; python benchmarks/audit.py

Names of 16 groups in the sentences that are shipped with longdoc, and, for names found alone, in the development set
of WNUT-17 (CC BY 4.0) and the lines of signatures of CUAD's contracts (CC BY 4.0), in which a pattern finds the names.
Each audit is kept in `build/audit/`, and not done again; with names (`shipped`, `WNUT-17`, `signatures`) only these are
done, and no table is written.
"""

import re
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from _table import RESULTS, write_table

from longdoc.auditing import AuditReport, Comparison, audit, load_report
from longdoc.auditing.statistics import LEAST
from longdoc.datasets import Example, data_root
from longdoc.datasets.conll import read_conll
from longdoc.labels import Span
from longdoc.pipeline import Pipeline

WORD = r"(?:[A-Z][a-z]+|[A-Z]{2,})"
SIGNATURE = re.compile(rf"(?:/s/|\\s\\|\b(?:Name|By|Signed):) *({WORD}(?: [A-Z]\.)? {WORD})(?= *$| {{2,}}|, )")
NO_PERSON = re.compile(r"Energy|Partners|Business|Quote|GP|Illegible|Trust")
AROUND = 1
"""Lines before and after that of a signature."""
PERSON = ("PERSON", "PER", "person")
KEPT = Path(__file__).parents[1] / "build" / "audit"


def main(chosen: list[str]) -> None:
    """Runs all audits, or those that are named, and writes the table and the picture."""
    reports = {name: audited(name) for name in chosen or ("shipped", *CORPORA)}
    if chosen:
        return
    whole, exact, partly = reports["shipped"], "names found exactly", "names found at least in part"
    columns = {
        "shipped sentences, exactly": found(whole, "names", exact),
        "at least in part": found(whole, "names", partly),
        **{f"{name}, exactly": found(reports[name], "names", exact) for name in CORPORA},
        "right answers": found(whole, "names", "answers that are right"),
        "changed answers": found(whole, "names", "answers that change"),
        "changed classes": found(whole, "names", "unfair_terms: texts whose classes change"),
    }
    groups = list(dict.fromkeys(each.group for own in columns.values() for each in own))
    heads = ["names of", *(f"{name} ({own[0].counted:,} {own[0].unit})" for name, own in columns.items())]
    first = ["compared with", *(f"{own[0].reference}: {own[0].reference_value:.3f}" for own in columns.values())]
    rows = [[group, *(cell(own, group) for own in columns.values())] for group in groups]
    write_table("audit", "Bias audit of the default model", heads, [first, *rows], notes(reports))
    shutil.copy(KEPT / "shipped" / "names.png", RESULTS / "audit.png")


def audited(name: str) -> AuditReport:
    """The report of an audit, from its folder if it is there."""
    folder = KEPT / name
    if not (folder / "report.json").exists():
        begun = time.process_time()
        if name == "shipped":
            report = audit(tell=print)
        else:
            report = audit(Pipeline.from_pretrained(ner="default"), data=CORPORA[name](), person=PERSON, tell=print)
        report.save(folder)
        print(f"{name}: {time.process_time() - begun:.0f} s of one core")
    return load_report(folder)


def wnut() -> list[Example]:
    """The development set of WNUT-17."""
    return list(read_conll(data_root() / "wnut17" / "dev.conll", sentences_per_document=1))


def signatures() -> Iterator[Example]:
    """Lines with the name of who signs, and those around, as one line; each name once."""
    seen = set()
    for path in sorted((data_root() / "cuad" / "txt").glob("*.txt")):
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines):
            match = SIGNATURE.search(line)
            if match and match[1] not in seen and not NO_PERSON.search(match[1]):
                seen.add(match[1])
                before = " ".join(filter(None, map(str.strip, lines[max(0, number - AROUND) : number])))
                after = " ".join(filter(None, map(str.strip, lines[number + 1 : number + 1 + AROUND])))
                start = len(before) + 1 + match.start(1)
                span = Span(start, start + len(match[1]), "PERSON")
                yield Example(f"{path.stem}:{number}", f"{before} {line.rstrip()} {after}", (span,))


def found(report: AuditReport, swap: str, measure: str) -> list[Comparison]:
    """The comparisons of a measure."""
    return [each for each in report.comparisons if (each.swap, each.measure) == (swap, measure)]


def cell(own: list[Comparison], group: str) -> str:
    """The gap of a group, bold if it is clear, with its interval."""
    each = next((each for each in own if each.group == group), None)
    if each is None:
        return ""
    if each.low is None:
        return f"{each.gap:+.3f} ({each.texts} texts)"
    marked = "**" if each.verdict == "differs" else ""
    return f"{marked}{each.gap:+.3f}{marked} ({each.low:+.3f} to {each.high:+.3f})"


CORPORA = {"WNUT-17": wnut, "signatures": signatures}


def notes(reports: dict[str, AuditReport]) -> str:
    """What the columns are, and what pronouns and origins change."""
    lines = [
        "Gaps to the first row, with their 95 % intervals of a paired bootstrap over texts; bold: clear after Holm's "
        "adjustment for all comparisons of the same audit. Other names of the same group show what changes by chance "
        "of the names. Sentences of UNER-EWT and WNUT-17's development set are new to the model; those of contracts "
        "and questions are of corpora that it was trained on.",
        "![Gaps by group](audit.png)",
    ]
    for name, report in reports.items():
        for swap in ("pronouns", "origins"):
            lines.append(f"{name}, {swap}: {described(report, swap)}.")
    return "\n\n".join(lines)


def described(report: AuditReport, swap: str) -> str:
    """The range of the gaps of each measure."""
    said = []
    for measure in dict.fromkeys(each.measure for each in report.comparisons if each.swap == swap):
        own = found(report, swap, measure)
        texts, clear = own[0].texts, [each.group for each in own if each.verdict == "differs" and abs(each.gap) >= 0.01]
        if texts < LEAST or "probability" in measure:
            continue
        gaps = [each.gap for each in own]
        which = f"clear for {', '.join(clear)}" if clear else "none clear"
        said.append(f"{measure}, {own[0].counted} {own[0].unit}: gaps {min(gaps):+.3f} to {max(gaps):+.3f}, {which}")
    return "; ".join(said) or f"fewer than {LEAST} texts"


if __name__ == "__main__":
    main(sys.argv[1:])
