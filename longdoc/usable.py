"""Which sources of a schema's fields can be used: what a model's heads find, rules, and the record of a document."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from longdoc.arguments import check_score
from longdoc.document_type import Kind
from longdoc.errors import ConfigError, did_you_mean
from longdoc.records import ANY, RECORDS
from longdoc.rules import RULES, Rules
from longdoc.schema import Schema, Source

_NAMED = ("clause", "entity", "rule", "record")
"""Kinds of source whose names are known before a document is read."""
_NO_RULES = "no rules are loaded"
_FINDS = {"clause": "clauses", "entity": "entities", "question": "answers to questions"}


@dataclass(frozen=True, slots=True)
class Recorded:
    """The record of one document, as a source of fields."""

    kind: Kind = "other"
    """Its kind, that of the document; "other" if there is none."""
    why_none: str = ""
    """Why there is none, in a word or two; empty if there is one, or the document is not known yet."""
    tasks: Sequence[str] = ()
    """The tasks whose findings make it, those that are not allowed, too."""


UNKNOWN = Recorded()
"""The record of a document that is not known yet."""


@dataclass(frozen=True, slots=True)
class Usable:
    """The sources that a pipeline has, by kind: their names. Kinds that do not depend on it are left out."""

    names: Mapping[str, Mapping[str, Sequence[str]]]
    """Kind of source → label → the tasks that find it, those that are not allowed, too."""
    least: Mapping[str, float] = field(default_factory=lambda: defaultdict(float))
    """By source, such as "clause Governing Law", the score from which its answers are accepted."""
    allowed: Collection[str] | None = None
    """The tasks that may be run; None for all."""

    @classmethod
    def of(
        cls,
        heads: Mapping[str, Any],
        rules: Rules | None,
        min_score: float | None = None,
        allowed: Collection[str] | None = None,
    ) -> Usable:
        """The sources of a pipeline.

        Args:
            heads: configurations of its heads by name.
            rules: its rules, if there are any.
            min_score: threshold of every answer; by default that of the head that gives it, and none for other sources.
            allowed: the tasks that may be run; all by default.
        """
        check_score("min_score", min_score)
        names: dict[str, dict[str, list[str]]] = {"clause": {}, "entity": {}, "question": {}}
        kinds = {"spans": "clause", "ner": "entity", "qa": "question"}
        for name, config in heads.items():
            for label in getattr(config, "labels", ("",)) if config.kind in kinds else ():
                names[kinds[config.kind]].setdefault(label, []).append(name)
        names["rule"] = {label: [RULES] for label in (rules.labels if rules else ())}
        names["record"] = {each: [] for kind in RECORDS.values() for each in kind.fields}
        spans = [config for config in heads.values() if config.kind == "spans"]
        own = {f"clause {label}": config.min_score for config in spans for label in config.labels}
        own["question"] = min((config.min_score for config in heads.values() if config.kind == "qa"), default=0.0)
        least = defaultdict(float, own) if min_score is None else defaultdict(lambda: min_score)
        return cls(names, least, allowed)

    @property
    def can_ask(self) -> bool:
        """Whether there is a head that answers questions, and it may be used."""
        return any(map(self.may_run, self.names["question"].get("", ())))

    def tasks(self, schema: Schema) -> list[str]:
        """The tasks to run for the sources of a schema; questions are asked later.

        Raises:
            ConfigError: a label belongs to no task, or no field has a source that can be used.
        """
        tasks: dict[str, None] = {}
        for name, own in schema.fields.items():
            for source in own.trusted:
                labels = self.names.get(source.kind, {})
                if source.kind in _NAMED and labels and source.name not in labels:
                    hint = did_you_mean(source.name, labels) or "."
                    raise ConfigError(
                        f"fields.{name}: no {source.kind} {source.name!r}{hint} It has: {', '.join(labels)}"
                    )
                if source.kind != "question":
                    tasks |= dict.fromkeys(each for each in labels.get(source.name, ()) if self.may_run(each))
        unsought = self.unsought(schema)
        if len(unsought) == len(schema.fields):
            name, reason = next(iter(unsought.items()))
            wanted = ", ".join(str(source) for source in schema.fields[name].trusted)
            raise ConfigError(f"fields.{name}: cannot use {wanted}: {reason}; give the field another source")
        return list(tasks)

    def unsought(self, schema: Schema, recorded: Recorded = UNKNOWN) -> dict[str, str]:
        """The fields of which no source can be used, each with the reason.

        Args:
            schema: the fields.
            recorded: the record of the document; if it is not known yet, every record is taken to be there.
        """
        unsought: dict[str, str] = {}
        for name, own in schema.fields.items():
            reasons = [self._lacks(source, recorded) for source in own.trusted]
            unsought |= {name: _joined(reasons)} if all(reasons) else {}
        return unsought

    def sought_in_part(self, schema: Schema, recorded: Recorded) -> dict[str, str]:
        """The fields of which some sources can be used and others not, or only in part, each with the reason."""
        partly: dict[str, str] = {}
        for name, own in schema.fields.items():
            lacking = [self._lacks(source, recorded) for source in own.trusted]
            reasons = [why or self._lacks_in_part(own, recorded) for why, own in zip(lacking, own.trusted, strict=True)]
            partly |= {name: _joined(reasons)} if any(reasons) and not all(lacking) else {}
        return partly

    def _lacks(self, source: Source, recorded: Recorded = UNKNOWN) -> str:
        """Why nothing finds a source; empty if something does, or if it needs no task."""
        if source.kind == "record":
            return self._lacks_record(source.name, recorded)
        if source.kind not in self.names:
            return ""
        if not self.names[source.kind]:
            return f"the model has no head that finds {_FINDS[source.kind]}" if source.kind in _FINDS else _NO_RULES
        tasks = self.names[source.kind].get("" if source.kind == "question" else source.name, ())
        return self._left_out(tasks) if tasks and not any(map(self.may_run, tasks)) else ""

    def _lacks_record(self, name: str, recorded: Recorded) -> str:
        """Why the record of a document cannot have a field."""
        if recorded.why_none or recorded.kind not in RECORDS:
            return recorded.why_none
        kind = RECORDS[recorded.kind]
        if name not in kind.fields:
            return f"the record of a {recorded.kind} has no such field"
        if kind.reads.get(name) != ANY or any(map(self.may_run, recorded.tasks)):
            return ""
        return self._left_out(recorded.tasks) or f"the model has no head that finds {_FINDS['entity']}"

    def _lacks_in_part(self, source: Source, recorded: Recorded) -> str:
        """Which heads that may find a source, beside others or the document's structure, are not allowed."""
        if source.kind in ("clause", "entity"):
            return self._left_out(self.names[source.kind].get(source.name, ()))
        if source.kind != "record" or recorded.kind not in RECORDS:
            return ""
        labels = RECORDS[recorded.kind].reads.get(source.name, ())
        finders = {
            task
            for kind in ("clause", "entity")
            for label, tasks in self.names[kind].items()
            if labels == ANY or label.upper() in map(str.upper, labels)
            for task in tasks
        }
        return self._left_out([task for task in recorded.tasks if task in finders])

    def _left_out(self, tasks: Sequence[str]) -> str:
        left_out = [task for task in tasks if not self.may_run(task)]
        return f"the tasks leave out {', '.join(left_out)}" if left_out else ""

    def may_run(self, task: str) -> bool:
        """Whether a task is allowed."""
        return self.allowed is None or task in self.allowed


def _joined(reasons: Sequence[str]) -> str:
    """Reasons in one line, each once."""
    return "; ".join(dict.fromkeys(filter(None, reasons)))
