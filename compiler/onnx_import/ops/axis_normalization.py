"""Imports the normalizations by statistics of the input itself: Layer-, Instance-, Group-, RMS-, MeanVariance- and
LpNormalization, and LRN.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ....dialects import top
from ..graph.builder import GraphBuilder
from ..graph.call import is_f64
from ..graph.node import Node, UnsupportedNodeError
from ..graph.operator import Operator
from ..graph.value import Value, element_of_onnx, shape_of
from .float_types import in_one_float_type
from .normalization_steps import local_response, normalized, statistics
from .pointwise import in_element


def _layer_norm(node: Node, builder: GraphBuilder) -> Sequence[Value | None]:
    """Import LayerNormalization; its results Mean and InvStdDev are of the type in which it computes its statistics."""
    result = None
    if node.uses_output(0):
        parameters = [node.input(1), node.optional(2)]
        result = _over_last_axes(node, builder, "mean_variance", parameters)
    others: list[Value | None] = [None] * (len(node.proto.output) - 1)
    if any(node.used_outputs[1:]):
        value = node.input(0)
        element = element_of_onnx(node.integer("stash_type", 1))
        if element is None:
            raise node.error(f"stash_type {node.integer('stash_type', 1)} is no type of floats")
        wide = in_element(node, builder, value, element, builder.derived(node.output, "wide"))
        name = builder.derived(node.output, "statistics")
        axes, epsilon = _last_axes(node), node.real("epsilon", 1e-5)
        mean = node.proto.output[1] if node.uses_output(1) else ""
        found = statistics(node, builder, wide, axes, epsilon, name, mean)
        others = [found.mean]
        if node.uses_output(2):
            inverse = builder.emit(
                top.UnaryOp, node.proto.output[2], found.deviation, kind="reciprocal"
            )
            others.append(inverse)
    return [result, *others]


def _last_axes(node: Node) -> range:
    """Return the axes from the attribute `axis` on."""
    rank = len(shape_of(node.input(0)))
    return range(node.axis(node.integer("axis", -1), rank), rank)


def _rms_norm(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    return [_over_last_axes(node, builder, "rms", [node.input(1)])]


def _over_last_axes(
    node: Node, builder: GraphBuilder, kind: str, parameters: Sequence[Value | None]
) -> Value:
    """Emit a normalization over the axes from the attribute `axis` on."""
    return _normalized(
        node,
        builder,
        node.output,
        node.input(0),
        *parameters,
        kind=kind,
        axes=_last_axes(node),
        epsilon=node.real("epsilon", 1e-5),
    )


def _normalized(
    node: Node,
    builder: GraphBuilder,
    name: str,
    value: Value,
    scale: Value | None = None,
    bias: Value | None = None,
    *,
    kind: str,
    axes: Sequence[int],
    epsilon: float,
) -> Value:
    """Emit a normalization of `kind` over some axes, as `top.normalize` has it."""
    fields = {"kind": kind, "axes": axes, "epsilon": epsilon}
    if is_f64(value):
        return normalized(node, builder, name, value, scale, bias, **fields)
    return builder.emit(top.NormalizeOp, name, value, scale, bias, **fields)


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
        _normalized(
            node,
            builder,
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
    result = _normalized(
        node,
        builder,
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
        _normalized(
            node,
            builder,
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
        _normalized(node, builder, node.output, value, kind=f"l{power}", axes=(axis,), epsilon=0.0)
    ]


def _local_response_norm(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    if not node.has("size"):
        raise node.error("the attribute size is missing")
    fields: dict[str, Any] = {
        "size": node.integer("size", 1),
        "alpha": node.real("alpha", 1e-4),
        "beta": node.real("beta", 0.75),
        "offset": node.real("bias", 1.0),
    }
    value = node.input(0)
    if is_f64(value):
        return [local_response(node, builder, value, **fields)]
    return [builder.emit(top.LocalResponseNormOp, node.output, value, **fields)]


OPERATORS = {
    "LayerNormalization": Operator(_layer_norm, "vector"),
    "RMSNormalization": Operator(in_one_float_type(_rms_norm), "vector"),
    "InstanceNormalization": Operator(_instance_norm, "vector"),
    "GroupNormalization": Operator(_group_norm, "vector"),
    "MeanVarianceNormalization": Operator(_mean_variance_norm, "vector"),
    "LpNormalization": Operator(_lp_norm, "vector"),
    "LRN": Operator(_local_response_norm, "vector"),
}
"""The ops of this family."""
