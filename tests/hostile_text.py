"""A document that tries to run scripts in whatever shows it."""

from dataclasses import replace

import numpy as np

from fakes import entity
from longdoc import Answer, Document, Gap, Label, Notice, Prediction
from longdoc.document import Furniture, OutlineItem, Section
from longdoc.edits import Edits
from longdoc.parts import Cell, Link, Table

HOSTILE = (
    "</script><script>globalThis.ran = 1</script><img src=x onerror='globalThis.ran = 2'><!--<script> ]]> --!>"
    "<svg/onload=globalThis.ran=3> javascript:globalThis.ran=4 \u202edesrever\u202c \u2028\u2029\x00\x1b[2J"
    '{{policy}} ${globalThis.ran = 5} __proto__ constructor 😀 =HYPERLINK("x") &lt;b&gt; "\'` </style></title>'
)


def hostile_prediction(more: str = "") -> Prediction:
    """Hostile text in every part of a document and of what was found in it."""
    text = f"{HOSTILE}\n\n{HOSTILE} {more}"
    document = Document.from_text(text, name=HOSTILE, edits=Edits.of([]))
    n = len(HOSTILE)
    table = Table(start=n + 2, end=2 * n + 2, cells=(Cell(text=HOSTILE, row=0, column=0, start=n + 2, end=2 * n + 2),))
    document = replace(
        document,
        source=replace(document.source, metadata={"Title": HOSTILE, HOSTILE: HOSTILE}),
        sections=(Section(number=HOSTILE, title=HOSTILE, kind=HOSTILE, level=1, start=0, end=len(text)),),
        outline=(OutlineItem(title=HOSTILE, level=1, page=1),),
        links=(Link(start=0, end=5, uri="javascript:globalThis.ran=6"),),
        furniture=(Furniture(kind=HOSTILE, text=HOSTILE, page=1, raw_start=0, raw_end=1),),
        tables=(table,),
        warnings=(HOSTILE,),
        boxes=np.full((len(text), 4), np.nan, np.float32),
    )
    answer = Answer(question=HOSTILE, text=HOSTILE, start=0, end=n, score=0.5, page=1, section=HOSTILE, source=HOSTILE)
    labels = [HOSTILE, "__proto__", "constructor"]
    found = [replace(answer, label=label, value=HOSTILE, check=True) for label in labels]
    return Prediction(
        document=document,
        entities=tuple(entity(document, start, start + n, label) for start in (0, n + 2) for label in labels),
        spans=(entity(document, 0, len(text), HOSTILE),),
        answers=tuple(found),
        rejected=(replace(found[0], label="law"),),
        sought=(*labels, "law"),
        notices=(Notice(HOSTILE, HOSTILE),),
        labels=(Label(name=HOSTILE, score=0.5, section=HOSTILE, start=0, end=n),),
        gaps=(Gap(0, 2, HOSTILE),),
    )
