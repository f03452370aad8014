"""Imports Pad in all opsets: constant, reflect, edge and wrap; negative pads crop."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ....dialects import top
from ..graph.builder import GraphBuilder
from ..graph.node import Node, UnsupportedNodeError
from ..graph.operator import Operator
from ..graph.value import Constant, Value, shape_of
from .movement import check_length, gather, slice_of

_MODES = ("constant", "reflect", "edge", "wrap")


def _pad(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    value = node.input(0)
    shape = shape_of(value)
    rank = len(shape)
    mode = node.string("mode", "constant")
    if mode not in _MODES:
        raise node.error(f"unknown mode '{mode}' (known: {', '.join(_MODES)})")
    low, high = _pads(node, rank)
    grows = any(pad > 0 for pad in (*low, *high))
    name = builder.derived(node.output, "cropped") if grows else node.output
    value = _crop(node, builder, value, low, high, name)
    if not grows:
        return [value]
    low, high = [max(pad, 0) for pad in low], [max(pad, 0) for pad in high]
    if mode == "constant":
        filling = node.optional(2) if node.opset >= 11 else None
        if filling is not None and not isinstance(filling, Constant):
            return [_filled(node, builder, value, filling, low, high)]
        number = _number(node)
        return [builder.emit(top.PadOp, node.output, value, low=low, high=high, value=number)]
    return [_mirrored(node, builder, value, low, high, mode)]


def _pads(node: Node, rank: int) -> tuple[list[int], list[int]]:
    """Return the pads before and after each axis."""
    if node.opset < 11:
        pads = node.integers("paddings" if node.opset < 2 else "pads")
        axes = None
    else:
        pads = node.integers_of(1, "input pads")
        axes = node.integers_of(3, "input axes") if node.opset >= 18 else None
    if pads is None:
        raise node.error("its pads are missing")
    axes = list(range(rank)) if axes is None else axes
    node.axes(axes, rank)  # an axis that is given twice is an error
    if len(pads) != 2 * len(axes):
        raise node.error(f"{len(axes)} axes need {2 * len(axes)} pads, it has {len(pads)}")
    low, high = [0] * rank, [0] * rank
    for position, axis in enumerate(axes):
        low[axis % rank], high[axis % rank] = pads[position], pads[len(axes) + position]
    return low, high


def _number(node: Node) -> float:
    """Return the number that constant padding is filled with."""
    if node.opset < 11:
        return node.real("value", 0.0)
    array = node.constant(2, "input constant_value")
    if array is None:
        return 0.0
    if array.size != 1:
        raise node.error(f"its constant_value must be one number, it has {array.size}")
    number = float(array.reshape(-1)[0])
    if array.dtype.kind in "iu" and int(number) != int(array.reshape(-1)[0]):
        raise UnsupportedNodeError(
            f"f64 does not hold the number {array.reshape(-1)[0]} that it pads with"
        )
    return number


def _filled(
    node: Node,
    builder: GraphBuilder,
    value: Value,
    filling: Value,
    low: Sequence[int],
    high: Sequence[int],
) -> Value:
    """Pad the value with a number of run time: choose that wherever there is no element of the value."""
    name = builder.derived(node.output, "padded")
    around = list(zip(low, high, strict=True))
    with_zeros = padded(builder, value, around, name)
    shape = shape_of(with_zeros)
    inside = np.zeros(shape, np.bool_)
    kept = (slice(b, size - a) for b, a, size in zip(low, high, shape, strict=True))
    inside[tuple(kept)] = True
    mask = Constant(inside, builder.derived(node.output, "inside"))
    filling = builder.reshape(filling, (), builder.derived(node.output, "filling"))
    return builder.emit(top.SelectOp, node.output, mask, with_zeros, filling)


def padded(
    builder: GraphBuilder, value: Value, around: Sequence[tuple[int, int]], name: str
) -> Value:
    """Return the value with zeros before and after it along each axis; a constant is padded at import."""
    if isinstance(value, Constant):
        return Constant(np.pad(value.array, around), name)
    low, high = zip(*around, strict=True)
    return builder.emit(top.PadOp, name, value, low=low, high=high, value=0.0)


def _crop(
    node: Node,
    builder: GraphBuilder,
    value: Value,
    low: Sequence[int],
    high: Sequence[int],
    name: str,
) -> Value:
    """Cut off what negative pads take from the value."""
    shape = shape_of(value)
    starts = [max(-pad, 0) for pad in low]
    sizes = [
        size - start - max(-pad, 0) for size, start, pad in zip(shape, starts, high, strict=True)
    ]
    if min(sizes, default=0) < 0:
        raise node.error(f"pads {[*low, *high]} take more than there is of {list(shape)}")
    return slice_of(builder, value, starts, sizes, [1] * len(shape), name)


def _mirrored(
    node: Node,
    builder: GraphBuilder,
    value: Value,
    low: Sequence[int],
    high: Sequence[int],
    mode: str,
) -> Value:
    """Pad the value with elements of its own (reflect, edge, wrap): a gather along each axis that grows."""
    axes = [axis for axis, pads in enumerate(zip(low, high, strict=True)) if any(pads)]
    shape = shape_of(value)
    for number, axis in enumerate(axes, 1):
        length = shape[axis]
        if length == 0:
            raise node.error(f"mode {mode} finds no element along axis {axis} of {list(shape)}")
        check_length(node, length + low[axis] + high[axis])
        last = number == len(axes)
        name = node.output if last else builder.derived(node.output, f"axis{axis}")
        # NumPy's modes have ONNX's names and meaning.
        indices = np.pad(np.arange(length), (low[axis], high[axis]), mode=mode)  # pyright: ignore[reportArgumentType, reportCallIssue]
        value = gather(node, builder, value, axis, indices, name)
    return value


OPERATORS = {"Pad": Operator(_pad, "transfers (reflect, edge, wrap: vector)")}
"""The ops of this family."""
