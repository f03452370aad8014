"""Folds constants: computes nodes whose inputs are all known with onnx's reference implementation, up to a size."""

from __future__ import annotations

import math

import numpy as np

from ...backends.diagnostics.diagnostic import DiagnosticError
from .graph.node import Node
from .graph.value import Constant
from .model.limits import FoldingBudget
from .model.validation import is_registered

_INLINED_ELEMENTS = 4096
"""Inputs with at most so many elements go into shape inference with their values, since they may be shapes."""

_NOT_FOLDED = frozenset(
    [
        "RandomNormal",
        "RandomNormalLike",
        "RandomUniform",
        "RandomUniformLike",
        "Multinomial",
        "Bernoulli",
        "If",
        "Loop",
        "Scan",
        "SequenceMap",
        "ImageDecoder",
    ]
)
_SHRINKING = frozenset({"NonZero", "Compress", "Unique", "NonMaxSuppression", "StringSplit"})
"""Ops whose result's size is known only afterward, but is bounded by the size of their input."""


def can_fold(node: Node) -> bool:
    """Return whether a node of this kind can be computed at import if all its inputs are constants."""
    return is_registered(node.proto, node.opset) and node.op_type not in _NOT_FOLDED


def fold(node: Node, budget: FoldingBudget) -> list[Constant | None] | None:
    """Return the outputs of a node whose inputs are all constants (or left out), or None if it cannot be computed here.

    Raises:
        DiagnosticError: if a result would be more than the budget has, or computing the node fails.
    """
    inputs = {}
    for name, value in zip(node.proto.input, node.inputs, strict=True):
        assert value is None or isinstance(value, Constant)
        if value is not None:
            inputs[name] = value.array
    if not can_fold(node) or not _is_bounded(node, inputs, budget):
        return None
    outputs = _evaluate(node, inputs)
    if not all(isinstance(output, np.ndarray | np.generic) for output in outputs):
        return None
    names = [name for name in node.proto.output if name]
    constants = {
        name: Constant(np.asarray(output), name)
        for name, output in zip(names, outputs, strict=True)
    }
    for constant in constants.values():
        budget.spend(constant.array.nbytes, constant.array.shape, node.place)
    return [constants.get(name) for name in node.proto.output]


def _evaluate(node: Node, inputs: dict[str, np.ndarray]) -> list[object]:
    from onnx.reference import ReferenceEvaluator

    model = _single_node_model(node, inputs, {})
    try:
        with np.errstate(all="ignore"):
            return list(ReferenceEvaluator(model).run(None, inputs))
    except DiagnosticError:
        raise
    except (
        Exception
    ) as error:  # whatever NumPy and the reference implementation raise on wrong operands
        text = (str(error).splitlines() or [type(error).__name__])[0]
        raise node.error(
            f"it cannot be computed from its constant inputs: {text}",
            "check the model with onnx.checker and onnx.shape_inference",
        ) from error


def _is_bounded(node: Node, inputs: dict[str, np.ndarray], budget: FoldingBudget) -> bool:
    """Return whether the results' sizes are known to be small before anything is computed.

    Raises:
        DiagnosticError: if the sizes are known and too big.
    """
    import onnx

    if node.op_type in _SHRINKING:
        return True
    small = {
        name: array
        for name, array in inputs.items()
        if array.size <= _INLINED_ELEMENTS and not array.dtype.hasobject
    }
    try:
        model = onnx.shape_inference.infer_shapes(
            _single_node_model(node, inputs, small), strict_mode=True, data_prop=True
        )
    except (onnx.shape_inference.InferenceError, RuntimeError, ValueError) as error:
        text = (str(error).splitlines() or [type(error).__name__])[-1]
        raise node.error(f"its inputs do not fit together: {text}") from error
    for output in model.graph.output:
        tensor = output.type.tensor_type
        dimensions = tensor.shape.dim
        if not tensor.HasField("shape") or not all(d.HasField("dim_value") for d in dimensions):
            return False
        elements = math.prod(d.dim_value for d in dimensions)
        size_bytes = elements * onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type).itemsize
        budget.check(size_bytes, [d.dim_value for d in dimensions], node.place)
    return True


def _single_node_model(node: Node, inputs: dict[str, np.ndarray], known: dict[str, np.ndarray]):
    """Return a model of this node alone; inputs in `known` are initializers, others have types only."""
    import onnx
    from onnx import helper

    declared = [
        onnx.ValueInfoProto(name=name)
        if array.dtype.hasobject
        else helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape
        )
        for name, array in inputs.items()
        if name not in known
    ]
    outputs = [onnx.ValueInfoProto(name=name) for name in node.proto.output if name]
    initializers = [onnx.numpy_helper.from_array(array, name) for name, array in known.items()]
    graph = helper.make_graph([node.proto], "node", declared, outputs, initializers)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", node.opset)])
