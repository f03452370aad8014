"""Imports ops that take tensors apart and join them: Concat, Split, Slice, Gather, Expand, Tile, DepthToSpace,
SpaceToDepth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from ....backends.numerics.rounding_up import ceil_div
from ....dialects import top
from ..graph.builder import GraphBuilder
from ..graph.node import Node, UnsupportedNodeError
from ..graph.operator import Operator
from ..graph.value import Constant, Value, shape_of
from .host.indexing import gather_at_run_time

_MAX_INDICES = 2**20
"""The most elements that a gather along an axis may list."""


def gather(
    node: Node, builder: GraphBuilder, value: Value, axis: int, indices: np.ndarray, name: str
) -> Value:
    """Gather the elements of `axis` that `indices` (1-D, non-negative) name; return the value itself if these are all
    elements in order.
    """
    if np.array_equal(indices, np.arange(shape_of(value)[axis])):
        return value
    check_length(node, indices.size)
    return builder.emit(top.GatherOp, name, value, axis=axis, indices=indices.tolist())


def check_length(node: Node, count: int) -> None:
    """Raise UnsupportedNodeError if a gather would list more elements along an axis than it may."""
    if count > _MAX_INDICES:
        raise UnsupportedNodeError(
            f"it gathers {count} elements along an axis, more than the {_MAX_INDICES} supported"
        )


def slice_of(
    builder: GraphBuilder,
    value: Value,
    starts: Sequence[int],
    sizes: Sequence[int],
    steps: Sequence[int],
    name: str,
) -> Value:
    """Slice a value: along axis d keep the elements starts[d] + i·steps[d], 0 <= i < sizes[d].

    Returns the value itself if these are all elements in order. A constant is sliced at import.
    """
    # On an axis of one element the step says nothing.
    steps = [step if size > 1 else 1 for step, size in zip(steps, sizes, strict=True)]
    if not any(starts) and tuple(sizes) == shape_of(value) and min(steps, default=1) > 0:
        return value
    starts = [start if size else 0 for start, size in zip(starts, sizes, strict=True)]
    if isinstance(value, Constant):
        each = zip(starts, sizes, steps, strict=True)
        indices = [start + np.arange(size) * step for start, size, step in each]
        return Constant(value.array[np.ix_(*indices)], name)
    return builder.emit(top.SliceOp, name, value, starts=starts, sizes=sizes, steps=steps)


def concat_of(builder: GraphBuilder, values: list[Value], axis: int, name: str) -> Value:
    """Join values along an axis; one alone is returned as it is."""
    if len(values) == 1:
        return values[0]
    return builder.emit(top.ConcatOp, name, values, axis=axis)


def _concat(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    values = [node.input(index) for index in range(len(node.inputs))]
    if not values:
        raise node.error("it has no inputs")
    if node.opset >= 4 and not node.has("axis"):
        raise node.error("the attribute axis is missing")
    axis = node.axis(node.integer("axis", 1), len(shape_of(values[0])))
    # Empty tensors add nothing. (If all are empty, the first one is the result.)
    present = [value for value in values if math.prod(shape_of(value))] or values[:1]
    if len(present) == 1:
        return [present[0]]
    return [builder.emit(top.ConcatOp, node.output, present, axis=axis)]


def _split(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    value = node.input(0)
    shape = shape_of(value)
    axis = node.axis(node.integer("axis", 0), len(shape))
    sizes = node.integers("split") if node.opset < 13 else node.integers_of(1, "input split")
    if sizes is None and node.opset == 1:
        sizes = node.integers_of(1, "input split")
    outputs = len(node.proto.output)
    if sizes is None:
        sizes = _equal_parts(node, shape[axis], outputs)
    if len(sizes) != outputs or min(sizes) < 0 or sum(sizes) != shape[axis]:
        raise node.error(
            f"axis {axis} of {list(shape)} cannot be split in {outputs} parts of {sizes}",
            "check --batch and --input-shape: the parts may have been written for other sizes",
        )
    results: list[Value] = []
    low = 0
    for size, name in zip(sizes, node.proto.output, strict=True):
        starts, extents = [0] * len(shape), list(shape)
        starts[axis], extents[axis] = low, size
        own = name or builder.derived(node.output, "part")
        results.append(slice_of(builder, value, starts, extents, [1] * len(shape), own))
        low += size
    return results


def _equal_parts(node: Node, length: int, outputs: int) -> list[int]:
    """Return the lengths of `outputs` equal parts; since opset 18 the last part may be smaller."""
    if node.opset < 18:
        if length % outputs:
            raise node.error(f"{length} elements cannot be split in {outputs} equal parts")
        return [length // outputs] * outputs
    count = node.integer("num_outputs", outputs)
    if count != outputs:
        raise node.error(f"num_outputs is {count}, it has {outputs} outputs")
    size = ceil_div(length, count)
    return [min(size, max(0, length - size * index)) for index in range(count)]


def _slice(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    value = node.input(0)
    shape = shape_of(value)
    lists: list[list[int] | None]
    if node.opset < 10:
        lists = [node.integers(name) for name in ("starts", "ends", "axes", "steps")]
    else:
        names = ("starts", "ends", "axes", "steps")
        lists = [node.integers_of(index, f"input {name}") for index, name in enumerate(names, 1)]
    first, last, named, strides = lists
    if first is None or last is None:
        raise node.error("its starts or ends are missing")
    named = list(range(len(first))) if named is None else named
    strides = [1] * len(first) if strides is None else strides
    if not len(first) == len(last) == len(named) == len(strides):
        raise node.error("its starts, ends, axes and steps differ in length")
    node.axes(named, len(shape))  # an axis that is given twice is an error
    starts, sizes, steps = [0] * len(shape), list(shape), [1] * len(shape)
    for start, end, given, step in zip(first, last, named, strides, strict=True):
        if step == 0:
            raise node.error("a step of 0 goes nowhere")
        axis = node.axis(given, len(shape))
        # NumPy's slices clamp as ONNX's do.
        taken = range(shape[axis])[slice(start, _end(end, shape[axis], step), step)]
        starts[axis], sizes[axis], steps[axis] = taken.start, len(taken), step
    return [slice_of(builder, value, starts, sizes, steps, node.output)]


def _end(end: int, length: int, step: int) -> int | None:
    """Return an end as NumPy takes it: None for going backward past the first element, which no number can say."""
    return None if step < 0 and end < -length else end


def _gather(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import Gather: one element along the axis is a slice, several are a gather; a reshape makes the indices' own
    axes. Indices that are computed at run time make it a call.
    """
    value = node.input(0)
    shape = shape_of(value)
    axis = node.axis(node.integer("axis", 0), len(shape))
    if not isinstance(node.input(1), Constant):
        return [gather_at_run_time(node, builder, axis)]
    indices = node.constant(1, "input indices")
    if indices is None or indices.dtype.kind not in "iu":
        raise node.error("its indices must be integers")
    length = shape[axis]
    if indices.size and not (-length <= indices.min() and indices.max() < length):
        raise node.error(f"an index lies outside the {length} elements of axis {axis}")
    flat = np.where(indices < 0, indices + length, indices).reshape(-1)
    target = (*shape[:axis], *indices.shape, *shape[axis + 1 :])
    name = node.output
    if indices.ndim != 1:
        name = builder.derived(node.output, "rows")
    if flat.size == 1:
        starts, sizes = [0] * len(shape), list(shape)
        starts[axis], sizes[axis] = int(flat[0]), 1
        taken = slice_of(builder, value, starts, sizes, [1] * len(shape), name)
    else:
        taken = gather(node, builder, value, axis, flat, name)
    return [builder.reshape(taken, target, node.output)]


def _expand(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import Expand, which broadcasts both ways: an axis of size 1 repeats its element, in the value or in the
    shape.
    """
    value = node.input(0)
    wanted = node.integers_of(1, "input shape")
    if wanted is None:
        raise node.error("its shape is missing")
    shape = shape_of(value)
    rank = max(len(shape), len(wanted))
    own = (1,) * (rank - len(shape)) + shape
    asked = [1] * (rank - len(wanted)) + wanted
    if any(a != b and 1 not in (a, b) for a, b in zip(own, asked, strict=True)):
        raise node.error(
            f"{list(shape)} does not broadcast to {wanted}",
            "check --batch and --input-shape: the shape may have been written for other sizes",
        )
    repeats = [b if a == 1 else 1 for a, b in zip(own, asked, strict=True)]
    return [_repeat(node, builder, value, own, repeats)]


def _tile(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    value = node.input(0)
    shape = shape_of(value)
    repeats = node.integers_of(1, "input repeats")
    if repeats is not None and node.opset < 6:
        repeats = _old_repeats(node, len(shape), repeats)
    if repeats is None or len(repeats) != len(shape) or min(repeats, default=1) < 0:
        raise node.error(f"its repeats must be {len(shape)} numbers that are not negative")
    return [_repeat(node, builder, value, shape, repeats)]


def _old_repeats(node: Node, rank: int, tiles: list[int]) -> list[int]:
    """Return the repeats of Tile before opset 6: a number of tiles along the one axis that input 2 names."""
    axes = node.integers_of(2, "input axis")
    if axes is None or len(axes) != 1 or len(tiles) != 1:
        raise node.error("its inputs tiles and axis must be one number each")
    repeats = [1] * rank
    repeats[node.axis(axes[0], rank)] = tiles[0]
    return repeats


def _repeat(
    node: Node,
    builder: GraphBuilder,
    value: Value,
    shape: tuple[int, ...],
    repeats: Sequence[int],
) -> Value:
    """Reshape `value` to `shape` and repeat it along each axis: one gather per repeated axis, the fewest repeats
    first.
    """
    grows = [axis for axis, count in enumerate(repeats) if count != 1]
    grows.sort(key=lambda axis: repeats[axis])
    name = builder.derived(node.output, "seen") if grows else node.output
    value = builder.reshape(value, shape, name)
    for number, axis in enumerate(grows, 1):
        check_length(node, shape[axis] * repeats[axis])
        last = number == len(grows)
        name = node.output if last else builder.derived(node.output, f"axis{axis}")
        indices = np.tile(np.arange(shape[axis]), repeats[axis])
        value = gather(node, builder, value, axis, indices, name)
    return value


def _depth_to_space(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import DepthToSpace, [N,C,H,W] to [N,C/b²,H·b,W·b]; channels are (b, b, C) in mode DCR, (C, b, b) in CRD."""
    value = node.input(0)
    block, (n, c, h, w) = _block(node, shape_of(value))
    if c % block**2:
        raise node.error(f"{c} channels are no multiple of {block}·{block}")
    rest = c // block**2
    if _mode(node) == "DCR":
        split, order = (n, block, block, rest, h, w), (0, 3, 4, 1, 5, 2)
    else:
        split, order = (n, rest, block, block, h, w), (0, 1, 4, 2, 5, 3)
    return [_shuffled(node, builder, value, split, order, (n, rest, h * block, w * block))]


def _space_to_depth(node: Node, builder: GraphBuilder) -> Sequence[Value]:
    """Import SpaceToDepth, [N,C,H,W] to [N,b²·C,H/b,W/b]; channels are (b, b, C), in mode CRD (C, b, b)."""
    value = node.input(0)
    block, (n, c, h, w) = _block(node, shape_of(value))
    if h % block or w % block:
        raise node.error(f"{h} x {w} pixels are no multiple of {block}")
    split = (n, c, h // block, block, w // block, block)
    target = (n, c * block**2, h // block, w // block)
    order = (0, 3, 5, 1, 2, 4) if _mode(node) == "DCR" else (0, 1, 3, 5, 2, 4)
    return [_shuffled(node, builder, value, split, order, target)]


def _mode(node: Node) -> str:
    """Return the order of the channels: depth, column, row (DCR), or column, row, depth (CRD)."""
    mode = node.string("mode", "DCR")
    if mode not in ("DCR", "CRD"):
        raise node.error(f"unknown mode '{mode}' (known: DCR, CRD)")
    return mode


def _block(node: Node, shape: tuple[int, ...]) -> tuple[int, tuple[int, int, int, int]]:
    """Return the attribute blocksize and the shape, checked to have four axes."""
    block = node.integer("blocksize", 0)
    if block < 1:
        raise node.error(f"blocksize must be at least 1, it is {block}")
    if len(shape) != 4:
        raise node.error(f"its input must have shape [N,C,H,W], got {list(shape)}")
    n, c, h, w = shape
    return block, (n, c, h, w)


def _shuffled(
    node: Node,
    builder: GraphBuilder,
    value: Value,
    split: tuple[int, ...],
    order: tuple[int, ...],
    target: tuple[int, ...],
) -> Value:
    """Split the value's axes (to the shape `split`), permute them by `order`, and join them (to the shape `target`)."""
    parts = builder.reshape(value, split, builder.derived(node.output, "split"))
    moved = builder.transpose(parts, order, builder.derived(node.output, "moved"))
    return builder.reshape(moved, target, node.output)


OPERATORS = {
    "Concat": Operator(_concat, "transfers"),
    "Split": Operator(_split, "transfers"),
    "Slice": Operator(_slice, "transfers"),
    "Gather": Operator(_gather, "vector (computed indices of rows: transfers, others: host)"),
    "Expand": Operator(_expand, "vector"),
    "Tile": Operator(_tile, "vector"),
    "DepthToSpace": Operator(_depth_to_space, "transfers"),
    "SpaceToDepth": Operator(_space_to_depth, "transfers"),
}
"""The ops of this family."""
