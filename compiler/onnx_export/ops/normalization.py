"""Exports the normalizations."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from onnx import TensorProto
from xdsl.ir import SSAValue

from ....dialects import top
from ....dialects.quant.element_type import shape_of
from ..graph_writer import GraphWriter

_STATISTICS = {
    "mean_variance": "ReduceMean",
    "rms": "ReduceMean",
    "l1": "ReduceSum",
    "l2": "ReduceSum",
}


def _batch_norm(op: top.BatchNormOp, graph: GraphWriter) -> str:
    """Export to BatchNormalization, whose scale and bias have one type, and mean and variance one."""
    scale, variance = graph.element(op.scale), graph.element(op.variance)
    return graph.node(
        "BatchNormalization",
        op.input,
        op.scale,
        graph.cast(op.bias, scale),
        graph.cast(op.mean, variance),
        op.variance,
        epsilon=op.epsilon.value.data,
    )


def _softmax(op: top.SoftmaxOp, graph: GraphWriter) -> str:
    kind = "Softmax" if op.log is None else "LogSoftmax"
    return graph.node(kind, op.input, axis=op.axis.value.data)


def _local_response_norm(op: top.LocalResponseNormOp, graph: GraphWriter) -> str:
    return graph.node(
        "LRN",
        op.input,
        size=op.size.value.data,
        alpha=op.alpha.value.data,
        beta=op.beta.value.data,
        bias=op.offset.value.data,
    )


def _normalize(op: top.NormalizeOp, graph: GraphWriter) -> str:
    """Export to the op of ONNX where there is one for the axes and the shapes of scale and bias, else to arithmetic."""
    shape, axes = shape_of(op.input), list(op.axes.get_values())
    trailing = axes == list(range(axes[0], len(shape)))
    if op.kind.data == "mean_variance" and op.epsilon.value.data > 0 and trailing:
        own = shape[axes[0] :]
        if _has_shape(op.scale, own) and (op.bias is None or _has_shape(op.bias, own)):
            return _layer_norm(op, graph, axes[0])
        if axes[0] == 2 and len(shape) >= 3 and _is_per_channel(op):
            return _instance_norm(op, graph)
    if op.kind.data in ("l1", "l2") and op.epsilon.value.data == 0 and len(axes) == 1:
        p = int(op.kind.data[1])
        if op.scale is None and op.bias is None:
            return graph.node("LpNormalization", op.input, axis=axes[0], p=p)
    return _by_arithmetic(op, graph)


def _has_shape(value: SSAValue | None, shape: Sequence[int]) -> bool:
    """Tell whether a parameter is there and has this shape, apart from leading axes of size 1."""
    if value is None:
        return False
    found = shape_of(value)
    extra = len(found) - len(shape)
    return extra >= 0 and set(found[:extra]) <= {1} and found[extra:] == tuple(shape)


def _is_per_channel(op: top.NormalizeOp) -> bool:
    """Tell whether scale and bias are there with a number for each channel, axis 1."""
    shape = shape_of(op.input)
    own = (shape[1], *(1,) * (len(shape) - 2))
    return _has_shape(op.scale, own) and _has_shape(op.bias, own)


def _layer_norm(op: top.NormalizeOp, graph: GraphWriter, axis: int) -> str:
    own = shape_of(op.input)[axis:]
    parameters = [
        _shaped(value, own, name, graph)
        for name, value in (("scale", op.scale), ("bias", op.bias))
        if value is not None
    ]
    return graph.node(
        "LayerNormalization", op.input, *parameters, axis=axis, epsilon=op.epsilon.value.data
    )


def _instance_norm(op: top.NormalizeOp, graph: GraphWriter) -> str:
    assert op.scale is not None and op.bias is not None
    channels = (shape_of(op.input)[1],)
    return graph.node(
        "InstanceNormalization",
        op.input,
        _shaped(op.scale, channels, "scale", graph),
        _shaped(op.bias, channels, "bias", graph),
        epsilon=op.epsilon.value.data,
    )


def _shaped(value: SSAValue, shape: Sequence[int], name: str, graph: GraphWriter) -> str:
    """Return a parameter in another shape of as many elements."""
    assert prod(shape_of(value)) == prod(shape)
    if shape_of(value) == tuple(shape):
        return graph.tensor(value)
    return graph.node("Reshape", value, graph.integers(shape, f"{name}_shape"))


def _by_arithmetic(op: top.NormalizeOp, graph: GraphWriter) -> str:
    """Export to sums, in f32 as the op computes them; the result is 0 where the divisor is 0."""
    kind, epsilon = op.kind.data, op.epsilon.value.data
    element = graph.element(op.input)
    value = graph.cast(op.input, TensorProto.FLOAT)
    axes = graph.integers(op.axes.get_values(), "axes")
    if kind == "mean_variance":
        value = graph.node("Sub", value, graph.node("ReduceMean", value, axes, keepdims=1))
    terms = graph.node("Abs", value) if kind == "l1" else graph.node("Mul", value, value)
    divisor = graph.node(_STATISTICS[kind], terms, axes, keepdims=1)
    if epsilon > 0:
        small = graph.float_number(epsilon, "epsilon")
        divisor = graph.node("Add", divisor, small)
    if kind != "l1":
        divisor = graph.node("Sqrt", divisor)
    result = graph.node("Div", value, divisor)
    if epsilon == 0:
        zero = graph.float_number(0, "zero")
        is_zero = graph.node("Equal", divisor, zero, element=TensorProto.BOOL)
        result = graph.node("Where", is_zero, zero, result, element=TensorProto.FLOAT)
    if op.scale is not None:
        result = graph.node("Mul", result, graph.cast(op.scale, TensorProto.FLOAT))
    if op.bias is not None:
        result = graph.node("Add", result, graph.cast(op.bias, TensorProto.FLOAT))
    return graph.cast(result, element)


EXPORTERS = {
    top.BatchNormOp: _batch_norm,
    top.SoftmaxOp: _softmax,
    top.NormalizeOp: _normalize,
    top.LocalResponseNormOp: _local_response_norm,
}
"""The exporters of this family."""
