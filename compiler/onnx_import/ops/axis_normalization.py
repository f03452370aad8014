"""Imports the normalizations by statistics of the input itself: Layer-, Instance-, Group-, RMS-, MeanVariance- and
LpNormalization, and LRN.
"""

from __future__ import annotations

from collections.abc import Sequence

from ....dialects import top
from ..graph.builder import GraphBuilder
from ..graph.node import Node, UnsupportedNodeError
from ..graph.operator import Operator
from ..graph.value import Value, shape_of


def _layer_norm(node: Node, builder: GraphBuilder) -> Sequence[Value | None]:
    node.only_first_output("its outputs Mean or InvStdDev are used")
    result = _over_last_axes(node, builder, "mean_variance", [node.input(1), node.optional(2)])
    return [result, *[None] * (len(node.proto.output) - 1)]


def _rms_norm(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    return [_over_last_axes(node, builder, "rms", [node.input(1)])]


def _over_last_axes(
    node: Node, builder: GraphBuilder, kind: str, parameters: Sequence[Value | None]
) -> Value:
    """Emit a normalization over the axes from the attribute `axis` on."""
    value = node.input(0)
    rank = len(shape_of(value))
    axes = range(node.axis(node.integer("axis", -1), rank), rank)
    epsilon = node.real("epsilon", 1e-5)
    return builder.emit(
        top.NormalizeOp, node.output, value, *parameters, kind=kind, axes=axes, epsilon=epsilon
    )


def _instance_norm(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import InstanceNormalization, of each channel of each sample by itself; scale and bias are per channel."""
    value = node.input(0)
    shape = shape_of(value)
    rank = len(shape)
    if rank < 3:
        raise node.error(f"its input must have at least 3 axes, it has {rank}")
    names = ((1, "scale"), (2, "bias"))
    scale, bias = (
        _per_channel(node, builder, index, name, (shape[1],), (1,) * (rank - 2))
        for index, name in names
    )
    epsilon = node.real("epsilon", 1e-5)
    axes = range(2, rank)
    return [
        builder.emit(
            top.NormalizeOp,
            node.output,
            value,
            scale,
            bias,
            kind="mean_variance",
            axes=axes,
            epsilon=epsilon,
        )
    ]


def _per_channel(
    node: Node,
    builder: GraphBuilder,
    index: int,
    name: str,
    sizes: tuple[int, ...],
    ones: tuple[int, ...],
) -> Value:
    """Return input `index`, which must be a list of prod(sizes) numbers, as a tensor [*sizes, *ones]."""
    value, expected = node.input(index), 1
    for size in sizes:
        expected *= size
    if shape_of(value) != (expected,):
        raise node.error(f"its {name} must have shape [{expected}], it has {list(shape_of(value))}")
    return builder.reshape(value, (*sizes, *ones), builder.derived(node.output, name))


def _group_norm(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import GroupNormalization, of groups of neighboring channels; scale and bias are per group before opset 21, then
    per channel.
    """
    value = node.input(0)
    shape = shape_of(value)
    if len(shape) < 2:
        raise node.error(f"its input must have at least 2 axes, it has {len(shape)}")
    groups, channels = node.integer("num_groups", 0), shape[1]
    if groups < 1 or channels % groups:
        raise node.error(f"num_groups {groups} does not divide the {channels} channels")
    grouped = (shape[0], groups, channels // groups, *shape[2:])
    ones = (1,) * (len(shape) - 2)
    sizes, ones = ((groups,), (1, *ones)) if node.opset < 21 else (grouped[1:3], ones)
    scale = _per_channel(node, builder, 1, "scale", sizes, ones)
    bias = _per_channel(node, builder, 2, "bias", sizes, ones)
    groups_form = builder.reshape(value, grouped, builder.derived(node.output, "groups"))
    result = builder.emit(
        top.NormalizeOp,
        builder.derived(node.output, "normalized_groups"),
        groups_form,
        scale,
        bias,
        kind="mean_variance",
        axes=range(2, len(grouped)),
        epsilon=node.real("epsilon", 1e-5),
    )
    return [builder.reshape(result, shape, node.output)]


_MVN_EPSILON = 1e-18
"""Added to the variance (1e-9 squared), where ONNX adds 1e-9 to the deviation: both avoid a division by 0."""


def _mean_variance_norm(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    value = node.input(0)
    axes = node.axes(node.integers("axes") or [0, 2, 3], len(shape_of(value)))
    return [
        builder.emit(
            top.NormalizeOp,
            node.output,
            value,
            kind="mean_variance",
            axes=axes,
            epsilon=_MVN_EPSILON,
        )
    ]


def _lp_norm(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    value = node.input(0)
    power = node.integer("p", 2)
    if power not in (1, 2):
        raise UnsupportedNodeError(f"its p is {power}; 1 and 2 are supported")
    axis = node.axis(node.integer("axis", -1), len(shape_of(value)))
    return [
        builder.emit(
            top.NormalizeOp, node.output, value, kind=f"l{power}", axes=(axis,), epsilon=0.0
        )
    ]


def _local_response_norm(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    if not node.has("size"):
        raise node.error("the attribute size is missing")
    return [
        builder.emit(
            top.LocalResponseNormOp,
            node.output,
            node.input(0),
            size=node.integer("size", 1),
            alpha=node.real("alpha", 1e-4),
            beta=node.real("beta", 0.75),
            offset=node.real("bias", 1.0),
        )
    ]


OPERATORS = {
    "LayerNormalization": Operator(_layer_norm, "vector"),
    "RMSNormalization": Operator(_rms_norm, "vector"),
    "InstanceNormalization": Operator(_instance_norm, "vector"),
    "GroupNormalization": Operator(_group_norm, "vector"),
    "MeanVarianceNormalization": Operator(_mean_variance_norm, "vector"),
    "LpNormalization": Operator(_lp_norm, "vector"),
    "LRN": Operator(_local_response_norm, "vector"),
}
"""The ops of this family."""
