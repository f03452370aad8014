"""Computes a node whose inputs are all constants: with Smalti's own numbers, or else with ONNX Runtime.

A node of an op that Smalti has is imported as ops on weights, which are run as the interpreter of `top` runs them: the
result is that of the same node with its operand as an input, of integers as of floats. One that ONNX defines by a
function is computed node by node of it, in the same way. ONNX Runtime computes what is left (NonZero ...). Only nodes
that neither has, and that read no floats, are left to the reference implementation of the onnx package, whose floats
are at times other ones: those of LSTM with lengths, of poolings in ceil mode, of Softmax before opset 13.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from xdsl.dialects import func
from xdsl.ir import Block

from ...backends.cpu.session import run_onnx
from ...backends.diagnostics.diagnostic import DiagnosticError
from ...backends.interpreter.function import FunctionRunner
from ...backends.numerics.storage import dtype_of
from ...dialects.ir.context import SmaltiContext
from ...dialects.quant.element_type import element_storage, type_bytes
from ...dialects.top import TopOp
from .graph.builder import GraphBuilder
from .graph.node import Node, UnsupportedNodeError
from .graph.value import TENSOR_DTYPES, Constant, Value, shape_of
from .model.limits import FoldingBudget
from .operator_table import OPERATORS

Expand: TypeAlias = Callable[[], "list[Any] | None"]
"""Computes a node by the function that defines it; returns None if there is none, or it is not of constants."""


def evaluate_node(node: Node, budget: FoldingBudget, expand: Expand) -> list[Any]:
    """Return the outputs of a node whose inputs are all constants; None stands for an output that nobody reads.

    Raises:
        DiagnosticError: if the node is wrong, or a value that it computes would be more than the budget has.
        UnsupportedNodeError: if neither Smalti nor ONNX Runtime can compute it.
    """
    inputs = {
        name: value.array
        for name, value in zip(node.proto.input, node.inputs, strict=True)
        if isinstance(value, Constant)
    }
    if node.op_type in OPERATORS and all(array.dtype in TENSOR_DTYPES for array in inputs.values()):
        try:
            return _by_top(node, budget)
        except UnsupportedNodeError:
            pass  # this form of the op is not one of Smalti's
    expanded = expand()
    if expanded is not None:
        return expanded
    try:
        return _by_onnx_runtime(node, inputs)
    except UnsupportedNodeError:
        if any(_is_float(array) for array in inputs.values()):
            raise
    return _by_reference(node, inputs)


def _is_float(array: np.ndarray) -> bool:
    """Return whether the elements are floats: NumPy's own kinds, or those of ml_dtypes, which NumPy does not know."""
    import ml_dtypes

    if array.dtype.kind in "fc":
        return True
    try:
        ml_dtypes.finfo(array.dtype)
    except ValueError:
        return False
    return True


def _by_top(node: Node, budget: FoldingBudget) -> list[np.ndarray | None]:
    ctx, block = SmaltiContext(), Block()
    names = [name for name in (*node.proto.input, *node.proto.output) if name]
    builder = GraphBuilder(ctx, block, names, budget=budget)
    builder.enter(node)
    outputs: Sequence[Value | None] = OPERATORS[node.op_type].lower(node, builder)
    for op in block.ops:
        for result in op.results:
            if op.operands:
                budget.check(type_bytes(result.type), shape_of(result), node.place)
    computed = [value for value in outputs if value is not None and not isinstance(value, Constant)]
    block.add_op(func.ReturnOp(*computed))
    try:
        arrays = iter(FunctionRunner(TopOp, ctx.weights).run_block(block, []))
    except DiagnosticError as error:
        raise node.error(
            f"it cannot be computed from its constant inputs: {error.message}"
        ) from error
    results: list[np.ndarray | None] = []
    for value in outputs:
        if value is None or isinstance(value, Constant):
            results.append(None if value is None else value.array)
        else:
            dtype = dtype_of(element_storage(value.type))
            results.append(next(arrays)[0].astype(dtype, copy=False))
    return results


def _by_onnx_runtime(node: Node, inputs: Mapping[str, np.ndarray]) -> list[object]:
    # As initializers, since ONNX Runtime's Python interface takes no inputs of bf16 or of 8-bit floats.
    model = single_node_model(node, inputs, inputs)
    try:
        results = run_onnx(model, {}, intermediates=True)
    except DiagnosticError as error:
        raise UnsupportedNodeError(
            f"it cannot be computed from its constant inputs: {error.message}"
        ) from error
    return [results.get(name) for name in node.proto.output]


def _by_reference(node: Node, inputs: Mapping[str, np.ndarray]) -> list[object]:
    from onnx.reference import ReferenceEvaluator

    model = single_node_model(node, inputs, {})
    try:
        with np.errstate(all="ignore"):
            results = iter(ReferenceEvaluator(model).run(None, dict(inputs)))
    except DiagnosticError:
        raise
    except (
        Exception
    ) as error:  # whatever NumPy and the reference implementation raise on wrong operands
        text = (str(error).splitlines() or [type(error).__name__])[0]
        raise node.error(
            f"it cannot be computed from its constant inputs: {text}",
            "if ONNX Runtime runs the model, please report this; else correct its operands",
        ) from error
    return [next(results) if name else None for name in node.proto.output]


def single_node_model(
    node: Node, inputs: Mapping[str, np.ndarray], known: Mapping[str, np.ndarray]
):
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
