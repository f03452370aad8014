"""The cases of ONNX's own backend test suite: their models, inputs and expected outputs, and their classes."""

from __future__ import annotations

import copy
import csv
import functools
import glob
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, numpy_helper
from onnx.backend.test.case.test_case import TestCase
from onnx.backend.test.loader import load_model_tests
from onnx.backend.test.runner import Runner
from smalti.compiler.onnx_import.model.subgraphs import subgraphs

FOLDER = Path(__file__).parent
SCOPE = FOLDER / "scope.csv"
KINDS = ("node", "simple", "pytorch-operator", "pytorch-converted", "real")
RUN = ("in-scope", "in-scope-frozen", "control-flow")
"""The classes of cases that are run; those of the class out-of-scope need what Smalti is not for."""
WHOLE = {"ConstantOfShape", "Range", "MelWeightMatrix"}
"""Ops all of whose inputs say what the result's shape is."""
DECIDING = {"Loop": 2, "Range": 3, "ConstantOfShape": 1}
"""Ops whose first inputs, so many, say how often a body runs or how many elements the result has."""
REST = {"Resize", "Upsample"}
"""Ops whose inputs after the first are frozen, the floats among them too."""


@dataclass(frozen=True)
class Case:
    """A model, its sets of inputs and expected outputs, and the tolerance that the suite compares with.

    `group` is the class from `scope.csv`, `reason` says why a case is out of scope.
    """

    kind: str
    name: str
    group: str
    reason: str
    source: TestCase

    def load(self) -> tuple[ModelProto, list[tuple[list[Any], list[Any]]]]:
        """Return the model and its sets of data; operands that say shapes, or how often loops run, are initializers if
        the class says so.
        """
        if self.source.model is not None:
            model = self.source.model
            sets = [_arrays(each) for each in self.source.data_sets or ()]
        elif self.source.model_dir is not None:
            model, sets = _on_disk(Path(self.source.model_dir))
        else:
            model, sets = _light(self.source)
        if self.group == "in-scope-frozen":
            return _frozen(model, sets, _shape_operands)
        return _frozen(model, sets, _deciding) if self.group == "control-flow" else (model, sets)


@functools.cache
def scope() -> dict[tuple[str, str], tuple[str, str]]:
    """The class and the reason of each case, by kind and name."""
    with SCOPE.open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {(row["kind"], row["name"]): (row["class"], row["reason"]) for row in rows}


@functools.cache
def cases() -> list[Case]:
    """Every case that the installed onnx has and `scope.csv` names, in a fixed order."""
    known = scope()
    return [
        Case(kind, each.name, *known[kind, each.name], each)
        for kind, each in loaded()
        if (kind, each.name) in known
    ]


def case_named(name: str) -> Case:
    """Return the one case of a name."""
    (case,) = (each for each in cases() if each.name == name)
    return case


@functools.cache
def loaded() -> list[tuple[str, TestCase]]:
    """Every case that the installed onnx has, with its kind."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [
            (kind, each)
            for kind in KINDS
            for each in sorted(load_model_tests(kind=kind), key=lambda case: case.name)
        ]


def _arrays(data: Sequence[Sequence[Any]]) -> tuple[list[Any], list[Any]]:
    inputs, outputs = ([_array(each) for each in side] for side in data)
    return inputs, outputs


def _array(value: Any) -> Any:
    """Return a tensor as an array; sequences and maps as they are."""
    return numpy_helper.to_array(value) if isinstance(value, TensorProto) else value


def _on_disk(folder: Path) -> tuple[ModelProto, list[tuple[list[Any], list[Any]]]]:
    model = onnx.load(folder / "model.onnx")
    sets = []
    for each in sorted(glob.glob(str(folder / "test_data_set*"))):
        sets.append((_tensors(Path(each), "input"), _tensors(Path(each), "output")))
    return model, sets


def _tensors(folder: Path, side: str) -> list[np.ndarray]:
    count = len(list(folder.glob(f"{side}_*.pb")))
    return [
        numpy_helper.to_array(onnx.load_tensor(folder / f"{side}_{i}.pb")) for i in range(count)
    ]


def _light(case: TestCase) -> tuple[ModelProto, list[tuple[list[Any], list[Any]]]]:
    """Load a network whose weights are constants that a node makes; its input is what the suite's runner makes."""
    assert case.url is not None
    path = Path(onnx.__file__).parent.parent / case.url
    model = onnx.load(path)
    constants = {tensor.name for tensor in model.graph.initializer}
    given = [value for value in model.graph.input if value.name not in constants]
    inputs = [Runner.generate_dummy_data(value) for value in given]
    outputs = [
        numpy_helper.to_array(onnx.load_tensor(path.with_name(f"{path.stem}_output_{index}.pb")))
        for index in range(len(model.graph.output))
    ]
    return model, [(inputs, outputs)]


def _frozen(
    model: ModelProto,
    sets: list[tuple[list[Any], list[Any]]],
    choose: Callable[[ModelProto, Sequence[Any]], Iterable[int]],
) -> tuple[ModelProto, list[tuple[list[Any], list[Any]]]]:
    """Return the model with the inputs that `choose` numbers as initializers, and the data without them."""
    ((inputs, outputs),) = sets
    model = copy.deepcopy(model)
    graph = model.graph
    chosen = set(choose(model, inputs))
    values = list(graph.input)
    del graph.input[:]
    graph.input.extend(value for index, value in enumerate(values) if index not in chosen)
    for index in sorted(chosen):
        graph.initializer.append(numpy_helper.from_array(inputs[index], values[index].name))
    return model, [([each for i, each in enumerate(inputs) if i not in chosen], outputs)]


def _shape_operands(model: ModelProto, inputs: Sequence[Any]) -> Iterator[int]:
    """Yield the numbers of the inputs that say a shape, axes, sizes or positions."""
    ops = {node.op_type for node in model.graph.node}
    for index, value in enumerate(inputs):
        if ops & WHOLE or (ops & REST and index):
            yield index
        elif "OneHot" in ops:
            # Its indices and values are data.
            if index == 1:
                yield index
        elif value.dtype.kind in "iu" and (index or len(inputs) == 1):
            yield index


def _deciding(model: ModelProto, inputs: Sequence[Any]) -> Iterator[int]:
    """Yield the numbers of the inputs that decide how often a loop runs, or how long a result is."""
    nodes = list(_nodes(model.graph))
    sources = {name: [*node.input, *_results(node)] for node in nodes for name in node.output}
    wanted = [name for node in nodes for name in node.input[: DECIDING.get(node.op_type, 0)]]
    reached: set[str] = set()
    while wanted:
        name = wanted.pop()
        if name not in reached:
            reached.add(name)
            wanted += sources.get(name, [])
    for index, value in enumerate(model.graph.input):
        if value.name in reached:
            yield index


def _nodes(graph: GraphProto) -> Iterator[NodeProto]:
    """Yield the nodes of a graph and of the graphs inside."""
    for node in graph.node:
        yield node
        for inner in subgraphs(node):
            yield from _nodes(inner)


def _results(node: NodeProto) -> list[str]:
    return [value.name for graph in subgraphs(node) for value in graph.output]
