"""Defines products and convolutions with what ONNX Runtime has fused into them: transpositions, a factor, a residual
operand, an activation.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..graph.node import UnsupportedNodeError
from .function_graph import FunctionDefinition, FunctionGraph

_WINDOW = ("pads", "strides", "dilations", "kernel_shape")
_PARAMETERS = {
    "Relu": (),
    "Sigmoid": (),
    "Tanh": (),
    "LeakyRelu": ("alpha",),
    "HardSigmoid": ("alpha", "beta"),
    "Softsign": (),
    "Softplus": (),
    "ThresholdedRelu": ("alpha",),
    "Elu": ("alpha",),
    "Selu": ("alpha", "gamma"),
}
"""The activations that are fused, and the attributes that their parameters are."""


def _activation(
    graph: FunctionGraph, tensor: str, kind: str, parameters: Sequence[float], to: int | None
) -> str:
    """Write the activation of a tensor; "" is none."""
    if not kind:
        return graph.add("Identity", tensor, to=to)
    if kind == "Clip":
        if len(parameters) != 2:
            raise graph.node.error("a Clip needs two activation_params, its bounds")
        bounds = (graph.constant(each, graph.dtype(0)) for each in parameters)
        return graph.add("Clip", tensor, *bounds, to=to)
    if kind not in _PARAMETERS:
        known = ", ".join((*_PARAMETERS, "Clip"))
        raise UnsupportedNodeError(f"its activation is {kind}; {known} are supported")
    given: dict[str, Any] = dict(zip(_PARAMETERS[kind], parameters, strict=False))
    return graph.add(kind, tensor, to=to, **given)


def _transposed(graph: FunctionGraph, index: int, name: str) -> str:
    """Write operand `index` with its axes as the attributes trans`name` and transBatch`name` say."""
    node, rank = graph.node, len(graph.shape(index))
    order = list(range(rank))
    if rank > 2 and node.integer(f"transBatch{name}", 0):
        order = [*order[1:-1], 0, order[-1]]
    if rank > 1 and node.integer(f"trans{name}", 0):
        order[-2:] = order[:-3:-1]
    operand = graph.input(index)
    return operand if order == sorted(order) else graph.transpose(operand, *order)


def _fused_matmul(graph: FunctionGraph) -> None:
    """Write alpha · A' · B'."""
    alpha = graph.node.real("alpha", 1.0)
    operands = [_transposed(graph, index, name) for index, name in enumerate("AB")]
    product = graph.add("MatMul", *operands, to=0 if alpha == 1.0 else None)
    if alpha != 1.0:
        graph.add("Mul", product, graph.constant(alpha, graph.dtype(0)), to=0)


def _fused_gemm(graph: FunctionGraph) -> None:
    """Write the activation of alpha · A' · B' + beta · C."""
    node = graph.node
    product = graph.add(
        "Gemm",
        graph.input(0),
        graph.input(1),
        graph.optional(2),
        alpha=node.real("alpha", 1.0),
        beta=node.real("beta", 1.0),
        transA=node.integer("transA", 0),
        transB=node.integer("transB", 0),
    )
    kind = node.string("activation", "")
    names = [f"activation_{name}" for name in _PARAMETERS.get(kind, ("alpha", "beta"))]
    parameters = [node.real(name, 0.0) for name in names if node.has(name)]
    _activation(graph, product, kind, parameters, to=0)


def _convolution(graph: FunctionGraph, image: str, residual: str, to: int | None) -> str:
    """Write the activation of a convolution of the image plus `residual`."""
    node = graph.node
    window: dict[str, Any] = {name: node.integers(name) for name in _WINDOW}
    made = graph.add(
        "Conv",
        image,
        graph.input(1),
        graph.optional(2),
        group=node.integer("group", 1),
        auto_pad=node.string("auto_pad", "NOTSET"),
        **window,
    )
    made = graph.add_given(made, residual)
    kind = node.string("activation", "")
    return _activation(graph, made, kind, node.reals("activation_params") or (), to)


def _fused_conv(graph: FunctionGraph) -> None:
    _convolution(graph, graph.input(0), graph.optional(3), to=0)


def _channels_last_conv(graph: FunctionGraph) -> None:
    """Write FusedConv of images and results whose channels come last; the weights are as always."""
    rank = len(graph.shape(0))
    if rank < 3:
        raise graph.node.error(f"its input must have at least 3 axes, it has {rank}")
    first = (0, rank - 1, *range(1, rank - 1))
    image = graph.transpose(graph.input(0), *first)
    residual = graph.optional(3) and graph.transpose(graph.input(3), *first)
    made = _convolution(graph, image, residual, to=None)
    graph.transpose(made, *(int(axis) for axis in np.argsort(first)), to=0)


FUNCTIONS = {
    "com.microsoft.FusedMatMul": FunctionDefinition(_fused_matmul, "matrix"),
    "com.microsoft.TransposeMatMul": FunctionDefinition(_fused_matmul, "matrix"),
    "com.microsoft.FusedGemm": FunctionDefinition(_fused_gemm, "matrix"),
    "com.microsoft.FusedConv": FunctionDefinition(_fused_conv, "matrix"),
    "com.microsoft.NhwcConv": FunctionDefinition(_channels_last_conv, "matrix"),
    "com.microsoft.NhwcFusedConv": FunctionDefinition(_channels_last_conv, "matrix"),
}
"""The functions of this family."""
