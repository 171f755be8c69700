"""Whether a model reads texts alike whoever they are about: ``longdoc audit MODEL -o REPORT/``.

    texts ──swap names, pronouns, origins──▶ a variant for each group ──model──▶ names, classes, answers found
          ──compare with the first group, resample texts──▶ report, gate

``job`` puts it together: ``persons``, ``pronouns`` and ``origins`` make the variants (``swaps``), ``measures`` counts,
``statistics`` and ``comparisons`` compare, ``likelihood`` asks about pairs of sentences, ``report`` and ``plots`` show.
"""

from longdoc.auditing.comparisons import Comparison
from longdoc.auditing.job import PERSON, audit
from longdoc.auditing.report import AuditReport, Texts, load_report
from longdoc.auditing.wording import AGAIN

__all__ = ["AGAIN", "PERSON", "AuditReport", "Comparison", "Texts", "audit", "load_report"]
