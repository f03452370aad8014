"""Stands in for results of nodes that cannot be imported, so that what is wrong with the nodes behind is found, too.

A result whose type and shape are known is an argument of a block that nobody runs. They are those that the model
declares, or that onnx infers of the node; if its attributes are wrong, of the node without them, where that has the
type of its first input. A result of which less is known is unknown, but in trials: there it has an assumed type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import TYPE_CHECKING

import numpy as np
from xdsl.dialects.builtin import TensorType, f32, i32
from xdsl.ir import Attribute, Block, SSAValue

from ...backends.numerics.storage import dtype_of
from ...dialects.ir.text.value_name import value_name
from ...dialects.quant.element_type import element_storage
from .graph.value import Constant, Value, dtype_of_value, element_of_onnx, shape_of
from .model.input_shapes import declared_dimensions
from .model.op_name import is_default_domain

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, ValueInfoProto

_SMALL_ELEMENTS = 4096
"""Constants with at most so many elements go into inference with their values, since they may be shapes."""


@dataclass(frozen=True)
class Facts:
    """What is known of a tensor: its element type, its shape."""

    element: Attribute | None = None
    shape: tuple[int, ...] | None = None

    def or_else(self, other: Facts) -> Facts:
        """Return these facts, completed by those of `other`."""
        return Facts(
            self.element or other.element, other.shape if self.shape is None else self.shape
        )


@dataclass(frozen=True)
class Missing:
    """A tensor that a node which cannot be imported would have made: its elements are unknown, and all or some of its
    type.

    `is_constant`: it may be computed at import. `is_shape_arithmetic`: it is, from shapes of such tensors only.
    """

    is_shape_arithmetic: bool = False
    is_constant: bool = False
    facts: Facts = field(default_factory=Facts)


@dataclass(frozen=True)
class Assumption:
    """What a trial takes unknown results for: the size of each axis, how many more axes there are than the first input
    of the node has, and the element type.
    """

    size: int
    more_axes: int
    element: Attribute


ASSUMPTIONS = (Assumption(64, 0, f32), Assumption(128, 1, i32), Assumption(1000, -1, f32))
"""What is wrong with all of these alike, to the letter of the message, is wrong with any. Their sizes are far apart."""


def declared_facts(graph: GraphProto, *, with_shapes: bool) -> dict[str, Facts]:
    """Return what a graph declares of its inner tensors and outputs; no shapes if the user has changed those of its
    inputs.
    """
    declared = {}
    for value in (*graph.value_info, *graph.output):
        facts = _facts_of(value)
        declared[value.name] = facts if with_shapes else Facts(facts.element)
    return declared


@dataclass
class LostResults:
    """Makes the values that stand in for lost results.

    `declared`: what the model says of its tensors. `infers`: whether onnx is asked, too. `assumption`: given in trials
    only. `is_any_unknown` becomes true with a result that is lost at run time and of which too little is known.
    """

    declared: Mapping[str, Facts]
    infers: bool
    assumption: Assumption | None = None
    is_any_unknown: bool = False

    def stand_ins(
        self,
        proto: NodeProto,
        opset: int,
        inputs: Mapping[str, Value | Missing],
        lost: Missing,
    ) -> dict[str, SSAValue | Missing]:
        """Return what stands for each result of a node with these inputs: if it may be a constant, whose elements would
        be needed, `lost` with what is known of its type.
        """
        inferred = _inferred(proto, opset, inputs) if self.infers else {}
        results: dict[str, SSAValue | Missing] = {}
        for name in filter(None, proto.output):
            facts = self.declared.get(name, Facts()).or_else(inferred.get(name, Facts()))
            if lost.is_constant:
                results[name] = Missing(lost.is_shape_arithmetic, is_constant=True, facts=facts)
                continue
            if self.assumption is not None:
                facts = facts.or_else(_assumed(self.assumption, list(inputs.values())))
            if facts.element is None or facts.shape is None:
                self.is_any_unknown = True
                results[name] = Missing(facts=facts)
                continue
            (stand_in,) = Block(arg_types=[TensorType(facts.element, facts.shape)]).args
            stand_in.name_hint = value_name(name)
            results[name] = stand_in
        return results


def _assumed(assumption: Assumption, inputs: Sequence[Value | Missing]) -> Facts:
    known = [shape for value in inputs if (shape := _facts(value).shape) is not None]
    rank = (len(known[0]) if known else 2) + assumption.more_axes
    return Facts(assumption.element, (assumption.size,) * max(rank, 0))


def _facts(value: Value | Missing) -> Facts:
    if isinstance(value, Missing):
        return value.facts
    from onnx.helper import np_dtype_to_tensor_dtype

    dtype = dtype_of_value(value)
    element = None if dtype.hasobject else element_of_onnx(np_dtype_to_tensor_dtype(dtype))
    return Facts(element, shape_of(value))


def _facts_of(declared: ValueInfoProto) -> Facts:
    """Return what is declared of a tensor; its shape only if all sizes are."""
    if not declared.type.HasField("tensor_type"):
        return Facts()
    sizes = declared_dimensions(declared)
    shape = None
    if sizes is not None and all(isinstance(size, int) for size in sizes):
        shape = tuple(size for size in sizes if isinstance(size, int))
    return Facts(element_of_onnx(declared.type.tensor_type.elem_type), shape)


def _inferred(
    proto: NodeProto, opset: int, inputs: Mapping[str, Value | Missing]
) -> dict[str, Facts]:
    """Return what onnx infers of the results of a node."""
    if not is_default_domain(proto):
        return {}
    inferred = _infer(_alone(proto, opset, inputs))
    if not proto.attribute or any(facts.shape is not None for facts in inferred.values()):
        return inferred
    bare = type(proto)()
    bare.CopyFrom(proto)
    del bare.attribute[:]
    first = _facts(inputs[proto.input[0]]) if proto.input and proto.input[0] in inputs else Facts()
    guessed = _infer(_alone(bare, opset, inputs))
    kept = {name: facts for name, facts in guessed.items() if facts == first}
    return {**inferred, **kept} if first.shape is not None else inferred


def _alone(proto: NodeProto, opset: int, inputs: Mapping[str, Value | Missing]) -> ModelProto:
    """Return a model of one node, with what is known of its inputs; small constants are initializers."""
    from onnx import ValueInfoProto, helper, numpy_helper
    from onnx.helper import np_dtype_to_tensor_dtype

    declared, initializers = [], []
    for name, value in inputs.items():
        facts = _facts(value)
        if facts.element is None:
            declared.append(ValueInfoProto(name=name))
        elif isinstance(value, Constant) and prod(value.shape) <= _SMALL_ELEMENTS:
            initializers.append(numpy_helper.from_array(np.asarray(value.array), name))
        else:
            element = np_dtype_to_tensor_dtype(dtype_of(element_storage(facts.element)))
            declared.append(helper.make_tensor_value_info(name, element, facts.shape))
    outputs = [ValueInfoProto(name=name) for name in proto.output if name]
    graph = helper.make_graph([proto], "node", declared, outputs, initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


def _infer(model: ModelProto) -> dict[str, Facts]:
    """Return what onnx infers of the outputs of a model, which may be nothing."""
    import onnx

    try:
        inferred = onnx.shape_inference.infer_shapes(model)
    except (onnx.shape_inference.InferenceError, RuntimeError, ValueError):
        return {}
    return {value.name: _facts_of(value) for value in inferred.graph.output}
