"""Which sources of a schema's fields can be used: what a model's heads find, rules, and the record of a document."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from longdoc.errors import ConfigError, did_you_mean
from longdoc.records import RECORDS
from longdoc.rules import RULES, Rules
from longdoc.schema import Field, Schema

_NAMED = ("clause", "entity", "rule", "record")
"""Kinds of source whose names are known before a document is read."""
_FINDS = {"clause": "clauses", "entity": "entities", "question": "answers to questions"}


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
        return not self._lacks("question", "")

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
                    tasks |= dict.fromkeys(each for each in labels.get(source.name, ()) if self._may_run(each))
        unsought = self.unsought(schema)
        if len(unsought) == len(schema.fields):
            name, reason = next(iter(unsought.items()))
            wanted = ", ".join(str(source) for source in schema.fields[name].trusted)
            raise ConfigError(f"fields.{name}: cannot use {wanted}: {reason}; give the field another source")
        return list(tasks)

    def unsought(self, schema: Schema, no_record: str = "") -> dict[str, str]:
        """The fields of which no source can be used, each with the reason.

        Args:
            schema: the fields.
            no_record: why the document has no record; empty if it has one.
        """
        return {name: reason for name, own in schema.fields.items() if (reason := self._reason(own, no_record))}

    def _reason(self, wanted: Field, no_record: str) -> str:
        """Why none of the sources of a field can be used; empty if one can."""
        reasons: dict[str, None] = {}
        for source in wanted.trusted:
            reason = no_record if source.kind == "record" else self._lacks(source.kind, source.name)
            if not reason:
                return ""
            reasons[reason] = None
        return "; ".join(reasons)

    def _lacks(self, kind: str, name: str) -> str:
        """Why nothing finds a source; empty if something does, or if it needs no task."""
        if kind not in self.names:
            return ""
        if not self.names[kind]:
            return f"the model has no head that finds {_FINDS[kind]}" if kind in _FINDS else "no rules are loaded"
        tasks = self.names[kind].get("" if kind == "question" else name, ())
        if not tasks or any(map(self._may_run, tasks)):
            return ""
        return f"the tasks leave out {', '.join(tasks)}"

    def _may_run(self, task: str) -> bool:
        return self.allowed is None or task in self.allowed
