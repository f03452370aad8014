"""Folds constants: computes nodes whose inputs are all known, up to a size."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .graph.node import Node
from .graph.value import Constant
from .model.checker import is_registered
from .model.limits import FoldingBudget
from .node_evaluation import Expand, evaluate_node, single_node_model
from .operator_table import OPERATORS

if TYPE_CHECKING:
    from onnx import NodeProto

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


def can_fold(proto: NodeProto, opset: int) -> bool:
    """Return whether a node of this kind can be computed at import if all its inputs are constants."""
    return is_registered(proto, opset) and proto.op_type not in _NOT_FOLDED


def fold(node: Node, budget: FoldingBudget, expand: Expand) -> list[Constant | None] | None:
    """Return the outputs of a node whose inputs are all constants (or left out), or None if it cannot be computed here.

    `expand` computes it by the function that defines its op.

    Raises:
        DiagnosticError: if a result would be more than the budget has, or computing the node fails.
        UnsupportedNodeError: if nothing can compute it.
    """
    if not can_fold(node.proto, node.opset):
        return None
    dtypes = _bounded_dtypes(node, budget)
    if dtypes is None:
        return None
    outputs = evaluate_node(node, budget, expand)
    constants: list[Constant | None] = []
    for name, output in zip(node.proto.output, outputs, strict=True):
        if not isinstance(output, np.ndarray | np.generic):
            if output is not None:
                return None  # a sequence
            constants.append(None)
            continue
        # The positions that top computes (ArgMax) have 32 bits, those of ONNX 64.
        array = np.asarray(output).astype(dtypes.get(name, output.dtype), copy=False)
        budget.spend(array.nbytes, array.shape, node.place)
        _freeze(array)
        constants.append(Constant(array, name))
    return constants


def _freeze(array: np.ndarray) -> None:
    """Let nobody write to the memory of an array, so that the weight store need not copy it."""
    memory: object = array
    while isinstance(memory, np.ndarray):
        memory.flags.writeable = False
        memory = memory.base


def _bounded_dtypes(node: Node, budget: FoldingBudget) -> dict[str, np.dtype] | None:
    """Return the results' data types by name if their sizes are known to be small before anything is computed.

    Raises:
        DiagnosticError: if the sizes are known and too big.
    """
    import onnx

    if node.op_type in _SHRINKING:
        return {}
    inputs = {
        name: value.array
        for name, value in zip(node.proto.input, node.inputs, strict=True)
        if isinstance(value, Constant)
    }
    small = {
        name: array
        for name, array in inputs.items()
        if array.size <= _INLINED_ELEMENTS and not array.dtype.hasobject
    }
    try:
        model = onnx.shape_inference.infer_shapes(
            # Without data_prop: values of a single node's inputs are known without it, and it takes 250 bytes for each
            # element of a tensor with one axis.
            single_node_model(node, inputs, small),
            strict_mode=True,
        )
    except (onnx.shape_inference.InferenceError, RuntimeError, ValueError) as error:
        if str(error).count("(op_type:") > 1 and node.op_type in OPERATORS:
            return {}  # onnx cannot read its own function of the op (MeanVarianceNormalization); ours checks sizes
        text = (str(error).splitlines() or [type(error).__name__])[-1]
        raise node.error(f"its inputs do not fit together: {text}") from error
    dtypes = {}
    for output in model.graph.output:
        tensor = output.type.tensor_type
        dimensions = tensor.shape.dim
        if not tensor.HasField("shape") or not all(d.HasField("dim_value") for d in dimensions):
            return None
        elements = math.prod(d.dim_value for d in dimensions)
        dtype = onnx.helper.tensor_dtype_to_np_dtype(tensor.elem_type)
        size_bytes = elements * dtype.itemsize
        budget.check(size_bytes, [d.dim_value for d in dimensions], node.place)
        dtypes[output.name] = dtype
    return dtypes
