"""A value of a wrong type, of any argument of the public functions, is a typed error that names the argument."""

import inspect
import re

import pytest

import longdoc
from conftest import CORPUS, make_asking_model, make_model
from longdoc import Document, Pipeline, extract_many
from longdoc.batch.request import RequestOptions
from longdoc.errors import ConfigError, DocumentError

ODD = [5, -1, 2.5, float("nan"), True, b"x", [], ["x"], [5], {"a": 1}, {1}, object(), print, [[]], None]
DOCUMENT = Document.from_text(CORPUS[0])
FIELDS = {"fields": {"date": {"question": "When is it made?", "type": "date"}}}
CPU = {"device": "cpu", "precision": "float32"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    make_model().save(folder := tmp_path_factory.mktemp("model"))
    return folder


@pytest.fixture(scope="module")
def public(folder):
    """Public functions by name, each with arguments that it accepts and the names of those that it does not show."""
    model, asking = make_model(), Pipeline(make_asking_model(), **CPU)
    pipeline, nowhere = Pipeline(model, **CPU), str(folder / "none" / "out.jsonl")
    return {
        "from_pretrained": (Pipeline.from_pretrained, {"model": folder, "rules": "clinical", **CPU}, ["ner", "qa"]),
        "Pipeline": (lambda **given: Pipeline(model, **given), CPU, ["encoder", "rules", "batch_tokens", "progress"]),
        "call": (pipeline, {"document": DOCUMENT}, []),
        "pipe": (pipeline.pipe, {"documents": [DOCUMENT]}, []),
        "ask": (asking.ask, {"document": DOCUMENT, "question": "Who?"}, []),
        "extract": (asking.extract, {"document": DOCUMENT, "schema": FIELDS}, []),
        "record": (pipeline.record, {"document": DOCUMENT}, []),
        "infer": (asking.infer, {"document": DOCUMENT, "hypotheses": ["It is made."]}, []),
        "embed": (asking.embed, {"document": DOCUMENT}, []),
        "fill": (asking.fill, {"text": "This [MASK] is made."}, []),
        "load": (longdoc.load, {"source": b"The rent is due."}, []),
        "extract_many": (extract_many, {"paths": ["nowhere/x.txt"], "out": nowhere}, [*RequestOptions.__annotations__]),
        "save": (pipeline(DOCUMENT).save, {"path": folder / "out.jsonl"}, []),
        "save_model": (model.save, {"folder": folder / "copy"}, []),
    }


ALIASES = {
    "document": "source",
    "documents": "source",
    "hypotheses": "hypothesis",
    "kind": "no record",
    "paths": "documents",
    "ray_gpus": "share of a GPU",
    "schema": "fields|key",
    "timeout": "seconds",
}


def messages_of(function, given, name):
    """What is said of the odd values of an argument; anything but a typed error fails."""
    for value in ODD:
        try:
            result = function(**given | {name: value})
            if inspect.isgenerator(result) or hasattr(result, "__next__"):
                list(result)
        except ConfigError as error:
            yield str(error)
        except DocumentError:
            continue  # the argument was accepted


@pytest.mark.parametrize(
    "name",
    "from_pretrained Pipeline call pipe ask extract record infer embed fill load extract_many save save_model".split(),
)
def test_odd_values_of_every_argument_are_told_by_its_name(public, name):
    function, given, hidden = public[name]
    shown = [key for key, each in inspect.signature(function).parameters.items() if each.kind is not each.VAR_KEYWORD]
    for argument in {*given, *hidden, *shown}:
        told = list(messages_of(function, given, argument))
        wanted = rf"\b{argument.removesuffix('s')}|{ALIASES.get(argument, argument)}"
        assert len(told) >= 7 and all(re.search(wanted, each) for each in told), (argument, told)
